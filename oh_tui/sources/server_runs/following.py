"""Following a run: new events while it is watched, from the server that has them.

Facts without another source are measured on app server 1.11.0 and agent server 1.34.0.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable

from oh_tui.api import agent_server
from oh_tui.api.errors import TimedOut
from oh_tui.api.paging import PAGE
from oh_tui.api.server import GivesRuns, running_agent
from oh_tui.conversation import Conversation
from oh_tui.sources.server_runs.server_stats import StatsReader
from oh_tui.text.problem import Problem
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import Trajectory

COME_BACK = 10.0
"""Seconds between two attempts at an agent server that was silent while its sandbox runs."""

LATE = 20
"""Held events that a page of the app server must contain to continue them. An event may arrive with
an earlier time than some before it, as cost events do: which are new is decided by their ids."""

PACE = (1.0, 3.0, 10.0)
"""Seconds between two looks at a followed run: while events arrive, after three looks without any,
and after ten."""

AT_ONCE = 10_000
"""Events that one look brings; the rest comes with the next one."""


async def follow(
    api: GivesRuns,
    conversation: Conversation,
    trajectory: Trajectory,
    via: str,
    report: Callable[[Problem | None], None],
) -> AsyncGenerator[list[Event] | None, None]:
    """See `ServerRuns.follow`."""
    agent = None
    if via == "agent server":
        with contextlib.suppress(Problem):
            agent = running_agent(api, conversation)
    stats = StatsReader(agent, trajectory) if agent else None
    known = len(trajectory.events) if trajectory.complete else -1
    is_counted = False
    quiet, misses, told, tried = 0, 0, False, time.monotonic()
    while True:
        await asyncio.sleep(PACE[(quiet >= 3) + (quiet >= 10)])
        news: list[Event] | None
        if agent is None and time.monotonic() - tried >= COME_BACK:
            tried = time.monotonic()
            if await is_on_agent_server(api, conversation):
                yield None
                return
        try:
            if agent:
                news = await news_from_agent(agent, trajectory)
            else:
                # counting costs the server a listing, a page makes it read every event
                total = await api.count_events(conversation.id)
                news = []
                if total != known:
                    news = await news_from_app(api, conversation, trajectory, via)
                    came, known = total - known, total
                    if is_counted and news is not None:
                        known += max(0, len(news) - came)  # these came after the count
                        news = news if len(news) >= came else None  # one is older than the page
                else:
                    is_counted = via == "app server"
        except Problem as problem:
            quiet, misses = max(quiet + 1, 10), misses + 1
            if agent and await moved_record(api, conversation):
                yield None
                return
            # a silence is by itself long enough
            if not told and (misses >= 2 or isinstance(problem, TimedOut)):
                told = True
                report(problem)
            continue
        if told:
            report(None)
        misses, told = 0, False
        if news is None:
            yield None
            return
        quiet = 0 if news else quiet + 1
        if news:
            yield news
        if stats and await stats.look(news):
            yield []  # the costs of steps changed


async def is_on_agent_server(api: GivesRuns, conversation: Conversation) -> bool:
    """Whether an agent server has the run, also one at an address newer than the record."""
    if conversation.sandbox_status not in ("RUNNING", "STARTING"):
        return False
    with contextlib.suppress(Problem):
        if agent := running_agent(api, conversation):
            return await agent.count_events() > 0
    moved = await moved_record(api, conversation)
    return moved is not None and moved.sandbox_status == "RUNNING"


async def news_from_app(
    api: GivesRuns, conversation: Conversation, trajectory: Trajectory, via: str
) -> list[Event] | None:
    """The new events of the newest page; None when there may be more before it. For a run of an
    agent server (`via`) they are a copy, in the order of time, until it answers again."""
    page = await api.search_events(conversation.id, sort_order="TIMESTAMP_DESC")
    is_copy = via == "agent server"
    items = [event for event in reversed(page.items) if not (is_copy and is_foreign(event))]
    news = [event for event in items if not trajectory.holds(event.id)]
    reaches_back = len(items) - len(news) >= LATE or not page.next_page_id
    if is_copy and trajectory.copied_from is None:
        trajectory.copied_from = len(trajectory.events)
    return news if reaches_back or not news else None


def is_foreign(event: Event) -> bool:
    """Whether an app server was sent an event that no agent server keeps: a part of an answer while
    it is written, or the whole state for whoever listens."""
    return event.is_piece or event.key == "full_state"


async def moved_record(api: GivesRuns, conversation: Conversation) -> Conversation | None:
    """The record now, if a silent agent server's sandbox is paused, gone or moved; else None."""
    try:
        (now,) = await api.get_conversations([conversation.id])
    except Problem:
        return None
    return now if now is not None and conversation.has_moved(now) else None


async def news_from_agent(
    agent: agent_server.AgentServer, trajectory: Trajectory
) -> list[Event] | None:
    """The events after the last one that the agent server gave.

    None when it does not know that event: it answers with its first page then (measured). Those
    that are held as copies are among them.
    """
    news: list[Event] = []
    place = len(trajectory.events) if trajectory.copied_from is None else trajectory.copied_from
    cursor = trajectory.events[place - 1].id if place else None
    asked = set[str | None]()
    while True:
        asked.add(cursor)
        page = await agent.search_events(page_id=cursor, limit=PAGE)
        items = page.items
        if cursor is not None:
            if not items or items[0].id != cursor:
                return None
            items = items[1:] if not news else items
        news += items
        if not page.next_page_id or page.next_page_id in asked or len(news) > AT_ONCE:
            return news
        cursor = page.next_page_id
