"""The runs of a server: which server gives the events, and how many at a time.

Facts without another source are measured on app server 1.11.0 and agent server 1.34.0.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from oh_tui.api.errors import TooLarge
from oh_tui.sources.clocks import clock_of_record
from oh_tui.sources.results import DOWNLOAD_LIMIT, PAGE, PEEK, Cost, Loaded, Older, build
from oh_tui.sources.saving import download_name, save_download
from oh_tui.sources.server_runs import following, server_sub_agents
from oh_tui.sources.server_runs.following import LATE, moved_record, running_agent
from oh_tui.sources.server_runs.from_agent import load_from_agent
from oh_tui.sources.server_runs.older_pages import older_from_agent, older_from_app
from oh_tui.sources.server_runs.run_cache import MOST_HELD, RunCache, events_of_zip, zip_of_events
from oh_tui.sources.server_runs.server_stats import stats_of_app, worth_keeping
from oh_tui.text.human import plural, size
from oh_tui.text.problem import Problem, Refused, Remedy
from oh_tui.text.redact import holds_key
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import SubAgent, Trajectory
from oh_tui.trajectory.model.usage_stats import lists_answers

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation, Page
    from oh_tui.api.server import GivesRuns

READ_COST = 0.00026
"""Seconds that the app server takes per event of a conversation, whichever page is asked for, since
it reads all of them. The time of the last page replaces this value."""

SPAN = 10
"""Pages that are read to connect the new events of a long run with the held ones. For each page the
server reads the whole run; more are read only if the user asks."""

RUN_ERRORS = frozenset({"ConversationErrorEvent", "ServerErrorEvent"})
"""Kinds of events that say why a whole run failed."""

OVER = ("finished", "error", "stuck")
"""The states in which an agent has ended its run."""

IN_MEMORY = 64_000_000
"""Bytes of a download that are held in memory before it goes to a temporary file."""


AFTER_FORK = "a fork, of which the app server has only what came after it: its sandbox has the rest"
"""No event that a fork took from its origin reaches the app server (measured, 1.11.0)."""


class ServerRuns:
    """The runs of an app server and of the agent servers of its sandboxes: `Runs`, plus what only a
    server offers."""

    by_pages = False
    """Whether runs are read page by page, so that a long one takes more calls."""
    gives_zips = True
    """Whether runs can be downloaded."""

    def __init__(self, api: GivesRuns, cache: RunCache | None = None) -> None:
        self.api = api
        self.cache = cache
        """Keeps finished runs on this machine."""
        self._bulk = asyncio.Lock()
        """Held during a bulk load, so that only one runs: for each the server reads all events of a
        run."""
        self._refused: set[str] = set()
        """Conversations below the limit that this server still refuses to download."""
        self._read_cost = READ_COST

    def now(self, here: float) -> float:
        """Now by the clock of the server, of which records and events have their times; `here` is
        now by this machine, whose clock may be wrong."""
        return here - self.api.seconds_ahead()

    async def sub_agents(self, conversation: Conversation) -> Sequence[SubAgent]:
        """The sub-agents within a run, which are no conversations. The agent server has them, while
        its sandbox runs. Raises Problem."""
        agent = running_agent(self.api, conversation)
        if agent is None:
            raise server_sub_agents.out_of_reach(conversation.sandbox_status)
        return await server_sub_agents.sub_agents(agent)

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
        """The end of a run in a running sandbox. The app server would read all its events for
        that."""
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
        note = ""
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
                    break
                conversation, note = moved, ""
        # its sandbox is down, not silent
        news = await self._last_news(conversation, whole) if whole and not note else None
        if whole and news is not None:
            whole.stats = stats_of_app(conversation, whole) or whole.stats
            count = len(whole.events) + len(news)
            note = "" if news else _missing_end(conversation, whole)
            yield Loaded(via, None, count, count, note, news=news)
            return
        if conversation.origin and held is None:
            note = note or AFTER_FORK
        async for state in self._load_from_app(conversation, held, note):
            yield state

    async def _last_news(self, conversation: Conversation, held: Trajectory) -> list[Event] | None:
        """What an agent server wrote after the held run was read and before its sandbox went down;
        None if the newest page of the app server does not reach back that far."""
        news = await following.news_from_app(self.api, conversation, held)
        if news is None:
            return None
        last = max((event.timestamp for event in held.events[-LATE:]), default="")
        since = last.removesuffix(held.clock)
        # the app server also has events that no agent server returns
        return [event for event in news if event.timestamp > since]

    async def _load_from_app(
        self, conversation: Conversation, held: Trajectory | None, note: str
    ) -> AsyncGenerator[Loaded, None]:
        via = "app server"
        live = conversation.sandbox_status == "RUNNING"
        stats = stats_of_app(conversation, held)
        total = await self.api.count_events(conversation.id)
        if self.cache and (kept := await asyncio.to_thread(self.cache.load, conversation, total)):
            events = _with_held(kept, held, whole=True)
            if not lists_answers(stats):
                stats = await asyncio.to_thread(self.cache.stats, conversation) or stats
            clock = clock_of_record(conversation, events, True, held)
            run = await asyncio.to_thread(build, events, stats=stats, clock=clock)
            yield Loaded(via, run, len(events), len(events), _missing_end(conversation, run))
            return
        page = await self._page(conversation, None, total)
        whole = not page.next_page_id
        only_pages = self._gives_only_pages(conversation, total)
        if held and only_pages:
            longer = await self._joined(conversation, page, held, total, note)
            if longer:
                yield longer
                return
        events = _with_held(page.items[::-1], held, whole=whole)
        clock = clock_of_record(conversation, events, whole, held)
        newest = build(events, live=live, complete=whole, stats=stats, clock=clock)
        note = note or _missing_end(conversation, newest)
        more = not (whole or only_pages)
        yield Loaded(via, newest, len(events), max(total, len(events)), note, more)
        if not more:
            if whole and len(page.items) == total:
                await self._keep(conversation, page.items[::-1], stats)
            return
        async with self._bulk:
            with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, prefix="oh-tui-") as file:
                try:
                    async with self.api.download(conversation.id) as chunks:
                        async for chunk in chunks:
                            await asyncio.to_thread(file.write, chunk)
                            if file.tell() > MOST_HELD:
                                too_long = f"The download is longer than {size(MOST_HELD)}"
                                raise Refused(too_long, Remedy.DOWNLOAD)
                            yield Loaded(via, None, len(page.items), total, note)
                except TooLarge:  # this server's limit is lower: older pages come on request
                    self._refused.add(conversation.id)
                    if held:
                        longer = await self._joined(conversation, page, held, total, note)
                        if longer:
                            yield longer
                    return
                events, problems = await asyncio.to_thread(events_of_zip, file)
                if problems:  # events may have arrived since the first count
                    total = max(total, await self.api.count_events(conversation.id))
                if problems and len(events) < total:
                    came = f"{len(events):,} of {plural(total, 'event')} came"
                    raise Refused(f"The download broke off: {came}", "try again")
                if len(events) == total and not problems:
                    await self._keep(conversation, events, stats, file)
        events = _with_held(events, held, whole=True)
        clock = clock_of_record(conversation, events, True, held)
        trajectory = await asyncio.to_thread(build, events, live=live, stats=stats, clock=clock)
        yield Loaded(via, trajectory, len(events), len(events), note)

    def _gives_only_pages(self, conversation: Conversation, total: int) -> bool:
        """Whether the app server refuses the download of a run."""
        return total > DOWNLOAD_LIMIT or conversation.id in self._refused

    async def _joined(
        self,
        conversation: Conversation,
        page: Page[Event],
        held: Trajectory,
        total: int,
        note: str,
    ) -> Loaded | None:
        """The held events of a long run with all newer ones, or only the newest if there are too
        many in between; None if there are no newer ones."""
        pages, common = [page], 0
        while True:
            common += sum(held.holds(event.id) for event in pages[-1].items)
            cursor = pages[-1].next_page_id
            if common >= LATE or len(pages) == SPAN or not cursor:
                break
            pages.append(await self._page(conversation, cursor, total))
        newest = [event for page in reversed(pages) for event in reversed(page.items)]
        news = [event for event in newest if not held.holds(event.id)]
        if common >= LATE:
            # events older than the held ones come with the older pages
            first = () if held.complete else held.events[:LATE]
            since = max((event.timestamp for event in first), default="").removesuffix(held.clock)
            news = [event for event in news if event.timestamp >= since]
            events, whole = [*held.events, *news], held.complete
        else:
            whole = not cursor
            events = _with_held(newest, held, whole=whole)
        if not news:
            return None
        live = conversation.sandbox_status == "RUNNING"
        stats = stats_of_app(conversation, held)
        clock = clock_of_record(conversation, events, whole, held)
        run = await asyncio.to_thread(
            build, events, live=live, complete=whole, stats=stats, clock=clock
        )
        note, count = note or _missing_end(conversation, run), len(run.events)
        return Loaded("app server", run, count, max(total, count), note)

    async def _page(
        self, conversation: Conversation, cursor: str | None, total: int
    ) -> Page[Event]:
        """A page of the app server, newest events first. Its time predicts that of others."""
        began = time.monotonic()
        page = await self.api.search_events(
            conversation.id, sort_order="TIMESTAMP_DESC", page_id=cursor, limit=PAGE
        )
        if total >= DOWNLOAD_LIMIT:
            self._read_cost = (time.monotonic() - began) / total
        return page

    async def changed_paths(self, conversation: Conversation) -> None:
        """None: it would take reading whole runs."""

    async def keeps(self, conversation: Conversation) -> bool:
        """Whether the run is in the cache."""
        return self.cache is not None and await asyncio.to_thread(self.cache.keeps, conversation)

    async def kept(self, conversation: Conversation) -> Trajectory | None:
        """The run from the cache, as of its record's last change, without asking the server; None
        if it is not cached."""
        if self.cache is None:
            return None
        return await asyncio.to_thread(run_of_cache, self.cache, conversation)

    async def cost(self, conversation: Conversation, trajectory: Trajectory) -> Cost:
        """What it would cost to read the events that the trajectory lacks."""
        total, via = await self.count_events(conversation)
        left = max(0, total - len(trajectory.events))
        only_pages = via == "app server" and self._gives_only_pages(conversation, total)
        if not only_pages or await following.is_on_agent_server(self.api, conversation):
            return Cost(left)
        calls = -(-left // (PAGE - 1))
        return Cost(left, calls, calls * max(self.api.pace, self._read_cost * total))

    def may_grow(self, conversation: Conversation) -> bool:
        return conversation.sandbox_status in ("RUNNING", "STARTING")

    def is_told_by_record(self, conversation: Conversation) -> bool:
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
        """See `Runs.follow`."""
        return following.follow(self.api, conversation, trajectory, via, report)

    async def download(
        self,
        conversation: Conversation,
        folder: Path,
        progress: Callable[[int], None],
        name: str = "",
    ) -> Path:
        """Saves the trajectory as a zip in `folder` and returns its path. Never overwrites a file,
        and leaves nothing behind on failure."""
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
        async with self._bulk:
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
            pages: list[Older] = []
            total = await self.api.count_events(conversation.id)
            older = older_from_app(
                lambda cursor: self._page(conversation, cursor, total), trajectory, total
            )
            async for page in older:
                if self.cache:
                    pages.append(page)
                yield page
            events = [*(e for page in reversed(pages) for e in page.events), *trajectory.events]
            if pages and pages[-1].complete and len(events) == total:
                await self._keep(conversation, events, trajectory.stats)

    async def _keep(
        self,
        conversation: Conversation,
        events: list[Event],
        stats: bytes,
        file: IO[bytes] | None = None,
    ) -> None:
        """Caches a whole run, unless an event contains a key of ours. `file` is its zip; without
        one, makes one."""
        if self.cache is None or await asyncio.to_thread(_contain_key, events):
            return
        with contextlib.ExitStack() as stack:
            if file is None:
                file = stack.enter_context(
                    tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, prefix="oh-tui-")
                )
                await asyncio.to_thread(zip_of_events, file, events)
            kept = worth_keeping(stats)
            await asyncio.to_thread(self.cache.keep, conversation, file, len(events), kept)


def run_of_cache(cache: RunCache, conversation: Conversation) -> Trajectory | None:
    """The run as `ServerRuns.kept` returns it."""
    events = cache.load(conversation)
    if events is None:
        return None
    stats = stats_of_app(conversation, None)
    if not lists_answers(stats):
        stats = cache.stats(conversation) or stats
    return build(events, stats=stats, clock=clock_of_record(conversation, events, True))


def _contain_key(events: list[Event]) -> bool:
    return any(holds_key(event.raw()) for event in events)


def _with_held(events: list[Event], held: Trajectory | None, *, whole: bool) -> list[Event]:
    """The app server's events, merged by time with the held ones that it lacks. Unless `events` are
    the `whole` run, drops held events older than all of them."""
    known = {event.id for event in events}
    kept = [event for event in held.events if event.id not in known] if held else []
    if not whole:
        since = events[0].timestamp if events else ""
        kept = [event for event in kept if event.timestamp >= since]
    return list(heapq.merge(events, kept, key=lambda event: event.timestamp)) if kept else events


def _missing_end(conversation: Conversation, newest: Trajectory) -> str:
    """A note if the app server lacks the end of the run; "" if not."""
    if conversation.sandbox_status == "PAUSED" and newest.status == "running":
        return "sandbox paused while the agent worked: its last events may come after a resume"
    if newest.status == "error" and not any(e.kind in RUN_ERRORS for e in newest.events):
        return "the run ended in an error, and the server does not say which"
    return ""
