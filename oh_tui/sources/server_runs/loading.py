"""The runs of a server: which server gives the events.

Facts without another source are measured on app server 1.11.0 and agent server 1.34.0.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path

from msgspec.structs import replace

from oh_tui.api.server import GivesRuns, running_agent
from oh_tui.catalog.clocks import clock_of_record
from oh_tui.conversation import Conversation
from oh_tui.sources.results import PEEK, Cost, Loaded, Older
from oh_tui.sources.saving import download_name, save_download
from oh_tui.sources.server_runs import following, from_zip
from oh_tui.sources.server_runs.following import moved_record
from oh_tui.sources.server_runs.from_agent import load_from_agent, older_from_agent
from oh_tui.sources.server_runs.from_app import AppServerEvents, missing_end
from oh_tui.sources.server_runs.run_cache import RunCache
from oh_tui.sources.server_runs.server_stats import stats_of_app
from oh_tui.text.problem import Problem
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import SubAgent, Trajectory, build
from oh_tui.trajectory.model.usage_stats import lists_answers

OVER = ("finished", "error", "stuck")
"""The states in which an agent has ended its run."""

AFTER_FORK = "a fork, of which the app server has only what came after it: its sandbox has the rest"
"""No event that a fork took from its origin reaches the app server (measured, 1.11.0)."""


class ServerRuns:
    """The runs of an app server and its agent servers: `Runs`, plus what only servers offer."""

    by_pages = False
    """Whether runs are read page by page, so that a long one takes more calls."""
    gives_zips = True

    def __init__(self, api: GivesRuns, cache: RunCache | None = None) -> None:
        self.api = api
        self.app = AppServerEvents(api, cache)

    @property
    def cache(self) -> RunCache | None:
        """Keeps finished runs on this machine."""
        return self.app.cache

    def now(self, here: float) -> float:
        """Now by the clock of the server, of which records and events have their times; `here` is
        now by this machine, whose clock may be wrong."""
        return here - self.api.seconds_ahead

    async def sub_agents(self, conversation: Conversation) -> Sequence[SubAgent]:
        """The sub-agents within a run, which are no conversations. The agent server has them, while
        its sandbox runs. Raises Problem."""
        agent = running_agent(self.api, conversation)
        if agent is None:
            raise from_zip.out_of_reach(conversation.sandbox_status)
        return await from_zip.sub_agents(agent)

    async def count_events(self, conversation: Conversation) -> tuple[int, str]:
        """The number of events and its source: the app server, or the agent server of the running
        sandbox if the app server has none. Without webhooks, the app server of a self-hosted
        installation never gets events (measured)."""
        total, failure = 0, None
        try:
            total = await self.api.count_events(conversation.id)
        except Problem as problem:
            failure = problem
        if not total:
            with contextlib.suppress(Problem):
                if agent := running_agent(self.api, conversation):
                    return await agent.count_events(), "agent server"
        if failure:
            raise failure
        return total, "app server"

    async def peek(self, conversation: Conversation) -> Trajectory | None:
        """The end of a run in a running sandbox: an app server would read all for that."""
        agent = running_agent(self.api, conversation)
        if agent is None:
            return None
        page = await agent.search_events(sort_order="TIMESTAMP_DESC", limit=PEEK)
        events, whole = page.items[::-1], not page.next_page_id
        clock = clock_of_record(conversation, events, whole)
        run = build(events, live=True, complete=whole, clock=clock)
        run.status = run.status or conversation.execution_status or ""  # set before this page
        return run

    async def load(
        self, conversation: Conversation, held: Trajectory | None = None, via: str = ""
    ) -> AsyncGenerator[Loaded, None]:
        """The events from the agent server while the sandbox runs, else from the app server.

        The app server gets events in batches. It lacks the last ones of a frozen run until its
        sandbox runs again, and sometimes never gets the one of a failure (both measured). So held
        events are kept.
        """
        note, lost = "", None
        whole = held if held and held.complete and via == "agent server" else None
        for _ in range(2):
            try:
                agent = running_agent(self.api, conversation)
                if agent is None:
                    break
                async for state in load_from_agent(agent, conversation, held, whole):
                    yield state
                return
            except Problem as problem:
                told = problem.sentence.partition(": ")[2] or problem.sentence
                note = f"the app server's copy, which may lag: {told}"
                moved = await moved_record(self.api, conversation)
                if moved is None:
                    lost = problem
                    break
                conversation, note = moved, ""
        # its sandbox is down, not silent
        news = None
        if whole and not note:
            news = await following.news_from_app(self.api, conversation, whole, via)
        if whole and news is not None:
            whole.stats = stats_of_app(conversation, whole) or whole.stats
            count = len(whole.events) + len(news)
            note = "" if news else missing_end(conversation, whole)
            yield Loaded(via, None, count, count, note, news=news)
            return
        if conversation.origin and held is None:
            note = note or AFTER_FORK
        async for state in self.app.load(conversation, held, note):
            yield replace(state, lost=lost)

    async def changed_paths(self, conversation: Conversation) -> None:
        """None: it would take reading whole runs."""

    async def keeps(self, conversation: Conversation) -> bool:
        return self.cache is not None and await asyncio.to_thread(self.cache.keeps, conversation)

    async def cached(self, conversation: Conversation) -> Trajectory | None:
        """The run from the cache, as of its last change, without a call; None without it."""
        if self.cache is None:
            return None
        return await asyncio.to_thread(run_of_cache, self.cache, conversation)

    async def cost(self, conversation: Conversation, trajectory: Trajectory) -> Cost:
        total, via = await self.count_events(conversation)
        left = max(0, total - len(trajectory.events))
        only_pages = via == "app server" and self.app.gives_only_pages(conversation, total)
        if not only_pages or await following.is_on_agent_server(self.api, conversation):
            return Cost(left)
        return self.app.cost_of_pages(left, total)

    def may_grow(self, conversation: Conversation) -> bool:
        return conversation.sandbox_status in ("RUNNING", "STARTING")

    def is_final(self, conversation: Conversation) -> bool:
        """Whether the run is over and its record would show it if it went on. While its sandbox is
        up, the agent's state shows it: the app server asks for that when it lists."""
        is_over = not self.may_grow(conversation) or conversation.execution_status in OVER
        return bool(conversation.updated_at) and is_over

    async def hears(self, conversation: Conversation) -> bool:
        """Whether the app server gets the events of a run, and so changes its record with them.
        Takes one call, unless no sandbox is up to send events."""
        if not self.may_grow(conversation):
            return True
        return bool(await self.api.count_events(conversation.id))

    def follow(
        self,
        conversation: Conversation,
        trajectory: Trajectory,
        via: str,
        report: Callable[[Problem | None], None] = lambda _: None,
    ) -> AsyncGenerator[list[Event] | None, None]:
        return following.follow(self.api, conversation, trajectory, via, report)

    async def download(
        self,
        conversation: Conversation,
        folder: Path,
        progress: Callable[[int], None],
        name: str = "",
    ) -> Path:
        """Saves the zip in `folder`; its path. Overwrites nothing, leaves nothing on failure."""
        target = folder / (name or download_name(conversation))
        return await save_download(self.api.download(conversation.id), target, progress)

    async def older(
        self, conversation: Conversation, trajectory: Trajectory, via: str
    ) -> AsyncGenerator[Older, None]:
        """The events before those held of a run too long to be loaded whole, page by page, newest
        first.

        `via` is the source of the held events: each server has its own order. Close it to stop; a
        later call continues from what is held then.
        """
        async with self.app.bulk:
            answered = False
            if via == "agent server" and trajectory.events:
                try:
                    if agent := running_agent(self.api, conversation):
                        async for page in older_from_agent(agent, trajectory):
                            answered = True
                            yield page
                        return
                except Problem:  # silent, or without these events: the app server may have them
                    if answered:
                        raise
            async for page in self.app.older(conversation, trajectory):
                yield page


def run_of_cache(cache: RunCache, conversation: Conversation) -> Trajectory | None:
    events = cache.load(conversation)
    if events is None:
        return None
    stats = stats_of_app(conversation, None)
    if not lists_answers(stats):
        stats = cache.stats(conversation) or stats
    return build(events, stats=stats, clock=clock_of_record(conversation, events, True))
