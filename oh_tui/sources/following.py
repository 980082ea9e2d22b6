"""Following a run: what comes while it is watched, and from which of the servers.

Facts without another source are measured on app server 1.11.0 and agent server 1.34.0.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING

from oh_tui.sources.results import PAGE, Older, has_moved
from oh_tui.sources.usage import StatsReader
from oh_tui.text.problem import Problem, Refused
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Trajectory

if TYPE_CHECKING:
    from oh_tui.api import AgentServer, AppServer
    from oh_tui.api.models import Conversation

COME_BACK = 10.0
"""Seconds between two looks at an agent server that was silent while its sandbox runs."""

LATE = 20
"""Events held that pages of the app server have to hold too where they join them. An event may come
with an older time than some before it, as those about cost do: it would be left out there."""

PACE = (1.0, 3.0, 10.0)
"""Seconds between two looks at a run that is followed: while events come, when three looks saw
nothing, and when ten did."""

AT_ONCE = 10_000
"""Events that following brings at once; what is more comes with the next look."""

MISSES = 2
"""Looks in a row without an answer after which following is said to stand still."""


async def follow(
    api: AppServer,
    conversation: Conversation,
    trajectory: Trajectory,
    via: str,
    told: Callable[[Problem | None], None],
) -> AsyncGenerator[list[Event] | None, None]:
    agent = None
    if via == "agent server":
        with contextlib.suppress(Problem):
            agent = running_agent(api, conversation)
    stats = StatsReader(agent, trajectory) if agent else None
    known = len(trajectory.events) if trajectory.complete else -1
    quiet, misses, looked = 0, 0, time.monotonic()
    while True:
        await asyncio.sleep(PACE[(quiet >= 3) + (quiet >= 10)])
        news: list[Event] | None
        if agent is None and time.monotonic() - looked >= COME_BACK:
            looked = time.monotonic()
            if await is_told(api, conversation):
                yield None
                return
        try:
            if agent:
                news = await news_from_agent(agent, trajectory)
            else:
                # The count costs the server a listing, a page makes it read every event.
                total = await api.count_events(conversation.id)
                if total == known:
                    news = []
                else:
                    news = await _news_from_app(api, conversation, trajectory)
                    known = total
        except Problem as problem:
            quiet, misses = max(quiet + 1, 10), misses + 1
            if agent and await moved_record(api, conversation):
                yield None
                return
            if misses == MISSES:
                told(problem)
            continue
        if misses >= MISSES:
            told(None)
        misses = 0
        if news is None:
            yield None
            return
        quiet = 0 if news else quiet + 1
        if news:
            yield news
        if stats and await stats.look(news):
            yield []  # what was charged to the steps is another now


async def is_told(api: AppServer, conversation: Conversation) -> bool:
    """Whether an agent server tells of it, there or where it is now: the record held may be
    from before the sandbox had an address."""
    if conversation.sandbox_status not in ("RUNNING", "STARTING"):
        return False
    with contextlib.suppress(Problem):
        if agent := running_agent(api, conversation):
            return await agent.count_events() > 0
    moved = await moved_record(api, conversation)
    return moved is not None and moved.sandbox_status == "RUNNING"


async def _news_from_app(
    api: AppServer, conversation: Conversation, trajectory: Trajectory
) -> list[Event] | None:
    """What the newest page has that is not held; None when there may be more before it."""
    page = await api.search_events(conversation.id, sort_order="TIMESTAMP_DESC")
    news = [e for e in reversed(page.items) if not trajectory.holds(e.id)]
    reaches_back = len(page.items) - len(news) >= LATE or not page.next_page_id
    return news if reaches_back or not news else None


async def moved_record(api: AppServer, conversation: Conversation) -> Conversation | None:
    """The record of now, when an agent server stays silent because its sandbox is paused,
    gone, or back at another address or with another key; else None."""
    try:
        (now,) = await api.get_conversations([conversation.id])
    except Problem:
        return None
    return now if now is not None and has_moved(conversation, now) else None


def running_agent(api: AppServer, conversation: Conversation) -> AgentServer | None:
    """Raises Problem for an address or a key that is none: the app server has the history."""
    if conversation.sandbox_status != "RUNNING":
        return None
    return api.agent_server(conversation)


async def news_from_agent(agent: AgentServer, trajectory: Trajectory) -> list[Event] | None:
    """The events after the last one that the agent server gave us; None when it does not know
    that one, which it does not say: it answers its first page instead (measured)."""
    news: list[Event] = []
    cursor = trajectory.events[-1].id if trajectory.events else None
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


async def older_from_agent(
    agent: AgentServer, trajectory: Trajectory
) -> AsyncGenerator[Older, None]:
    """The pages before the oldest event held. Raises Refused when the agent server does not know
    that one, which it does not say: it answers its first page instead (measured)."""
    cursor: str | None = trajectory.events[0].id
    known = {event.id for event in trajectory.events}
    total = await agent.count_events()
    while cursor:
        page = await agent.search_events(sort_order="TIMESTAMP_DESC", page_id=cursor, limit=PAGE)
        if not page.items or page.items[0].id != cursor or page.next_page_id == cursor:
            raise Refused("The agent server lost its place in the older events", "try again")
        fresh = [event for event in page.items if event.id not in known]
        known.update(event.id for event in fresh)
        cursor = page.next_page_id
        yield Older("agent server", fresh[::-1], total, complete=not cursor)
