"""The runs of a server: which of its servers is asked for events, and for how many at a time.

Facts without another source are measured on app server 1.11.0 and agent server 1.34.0.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import tempfile
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from oh_tui.api.errors import TooLarge
from oh_tui.sources import following
from oh_tui.sources.cache import MOST_HELD, RunCache, events_of_zip, zip_of_events
from oh_tui.sources.following import (
    LATE,
    is_told,
    moved_record,
    news_from_agent,
    older_from_agent,
    running_agent,
)
from oh_tui.sources.results import DOWNLOAD_LIMIT, PAGE, PEEK, Cost, Loaded, Older, build
from oh_tui.sources.saving import download_name, save_download
from oh_tui.sources.usage import read_stats, stats_of_app, worth_keeping
from oh_tui.text.clean import holds_key
from oh_tui.text.human import plural, size
from oh_tui.text.problem import Problem, Refused, Remedy
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.stats import lists_answers
from oh_tui.trajectory.model.steps import Trajectory

if TYPE_CHECKING:
    from oh_tui.api import AgentServer, AppServer
    from oh_tui.api.models import Conversation, Page

READ_COST = 0.00026
"""Seconds that the app server takes for each event of a conversation, whichever page of it is
asked for: it reads them all. What a page took last replaces it."""

SPAN = 10
"""Pages that are read to join what is new of a long run with what is held of it. Each makes the
server read the whole run: more are read only when the reader wants them."""

RUN_ERRORS = frozenset({"ConversationErrorEvent", "ServerErrorEvent"})
"""Kinds that say why a whole run failed."""


class ServerRuns:
    """The runs of an app server and of the agent servers of its sandboxes: `Runs`, and what only
    a server has."""

    def __init__(self, api: AppServer, cache: RunCache | None = None) -> None:
        self.api = api
        self.cache = cache
        """Where runs that are over are kept on this machine, if they are."""
        self._bulk = asyncio.Lock()
        """At most one bulk load runs: each makes the server read all event files of a run."""
        self._refused: set[str] = set()
        """Conversations that this server gives no download of though they are below the limit."""
        self._read_cost = READ_COST

    async def count_events(self, conversation: Conversation) -> tuple[int, str]:
        """How many events there are and who says so: the app server, and where it knows of none
        the agent server of the running sandbox (the app server of a self-hosted installation
        without webhooks never hears of events; measured)."""
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
        """Of a running sandbox alone: the app server would read all events for one page."""
        agent = running_agent(self.api, conversation)
        if agent is None:
            return None
        page = await agent.search_events(sort_order="TIMESTAMP_DESC", limit=PEEK)
        run = build(reversed(page.items), live=True, complete=not page.next_page_id)
        run.status = run.status or conversation.execution_status or ""  # told before this page
        return run

    async def load(
        self, conversation: Conversation, held: Trajectory | None = None, via: str = ""
    ) -> AsyncGenerator[Loaded, None]:
        """From the agent server while the sandbox runs, else from the app server. That one gets
        the events in batches: it lacks the last ones of a run that was frozen until the sandbox
        runs again, and at times that of a failure for good (both measured), so that events held
        already are kept."""
        note = ""
        whole = held if held and held.complete and via == "agent server" else None
        for _ in range(2):
            try:
                agent = running_agent(self.api, conversation)
                if agent is None:
                    break
                async for state in self._load_from_agent(agent, held, whole):
                    yield state
                return
            except Problem as problem:
                note = f"read from the app server, which may lag: {problem.sentence}"
                moved = await moved_record(self.api, conversation)
                if moved is None:
                    break
                conversation, note = moved, ""
        async for state in self._load_from_app(conversation, held, note):
            yield state

    async def _load_from_agent(
        self, agent: AgentServer, held: Trajectory | None, whole: Trajectory | None
    ) -> AsyncGenerator[Loaded, None]:
        """All events; of a run that it gave `whole` before, those that came since."""
        if whole is not None:
            news = await news_from_agent(agent, whole)
            if news is not None:
                async for state in self._news_for(whole, agent, news):
                    yield state
                return
        async for state in self._all_from_agent(agent, b"" if held is None else held.stats):
            yield state

    async def _news_for(
        self, whole: Trajectory, agent: AgentServer, news: list[Event]
    ) -> AsyncGenerator[Loaded, None]:
        count = len(whole.events) + len(news)
        if news:
            yield Loaded("agent server", None, count, count, news=news)
        told = await read_stats(agent) if news or not whole.stats else None
        if told and told != whole.stats:
            whole.stats = told
            yield Loaded("agent server", None, count, count, news=())

    async def _all_from_agent(
        self, agent: AgentServer, stats: bytes
    ) -> AsyncGenerator[Loaded, None]:
        """All events, with the stats of the record as soon as it is there: nothing waits for it,
        and when it comes last the run is given once more. Until then it has those given."""
        last, run = Loaded("agent server"), None
        record = asyncio.create_task(read_stats(agent))
        try:
            async for state in self._events_from_agent(agent):
                if state.trajectory is not None:
                    last, run = state, state.trajectory
                    run.stats = (record.done() and record.result()) or stats
                yield state
            told = await record
        finally:
            record.cancel()
        if told and run is not None and told != run.stats:
            run = await asyncio.to_thread(
                build, list(run.events), live=True, complete=run.complete, stats=told
            )
            yield replace(last, trajectory=run, loaded=len(run.events))

    async def _events_from_agent(self, agent: AgentServer) -> AsyncGenerator[Loaded, None]:
        via = "agent server"
        total = await agent.count_events()
        page = await agent.search_events(sort_order="TIMESTAMP_DESC", limit=PAGE)
        whole = not page.next_page_id
        newest = build(reversed(page.items), live=True, complete=whole)
        yield Loaded(via, newest, len(page.items), total, more=not whole)
        if whole:
            return
        events: list[Event] = []
        async for page in agent.iter_events(limit=PAGE):
            events += page.items
            yield Loaded(via, None, len(events), max(total, len(events)))
        trajectory = await asyncio.to_thread(build, events, live=True)
        yield Loaded(via, trajectory, len(events), len(events))

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
            run = await asyncio.to_thread(build, events, stats=stats)
            yield Loaded(via, run, len(events), len(events), _lacking(conversation, run))
            return
        page = await self._page(conversation, None, total)
        whole = not page.next_page_id
        if held and self._gives_pages_alone(conversation, total):
            longer = await self._joined(conversation, page, held, total, note)
            if longer:
                yield longer
                return
        events = _with_held(page.items[::-1], held, whole=whole)
        newest = build(events, live=live, complete=whole, stats=stats)
        note = note or _lacking(conversation, newest)
        more = not (whole or self._gives_pages_alone(conversation, total))
        yield Loaded(via, newest, len(events), max(total, len(events)), note, more)
        if not more:
            return
        async with self._bulk:
            with tempfile.SpooledTemporaryFile(max_size=64_000_000, prefix="oh-tui-") as file:
                try:
                    async with self.api.download(conversation.id) as chunks:
                        async for chunk in chunks:
                            await asyncio.to_thread(file.write, chunk)
                            if file.tell() > MOST_HELD:
                                too_long = f"The download is longer than {size(MOST_HELD)}"
                                raise Refused(too_long, Remedy.DOWNLOAD)
                            yield Loaded(via, None, len(page.items), total, note)
                except TooLarge:  # this server's limit is lower: older pages come when asked for
                    self._refused.add(conversation.id)
                    if held:
                        longer = await self._joined(conversation, page, held, total, note)
                        if longer:
                            yield longer
                    return
                events, problems = await asyncio.to_thread(events_of_zip, file)
                if problems:  # a number that was cut off as well is one all the same
                    total = max(total, await self.api.count_events(conversation.id))
                if problems and len(events) < total:
                    came = f"{len(events):,} of {plural(total, 'event')} came"
                    raise Refused(f"The download broke off: {came}", "try again")
                whole = len(events) == total and not problems
                if self.cache and whole and not await asyncio.to_thread(_tell_key, events):
                    told = worth_keeping(stats)
                    await asyncio.to_thread(self.cache.keep, conversation, file, total, told)
        events = _with_held(events, held, whole=True)
        trajectory = await asyncio.to_thread(build, events, live=live, stats=stats)
        yield Loaded(via, trajectory, len(events), len(events), note)

    def _gives_pages_alone(self, conversation: Conversation, total: int) -> bool:
        return total > DOWNLOAD_LIMIT or conversation.id in self._refused

    async def _joined(
        self,
        conversation: Conversation,
        page: Page[Event],
        held: Trajectory,
        total: int,
        note: str,
    ) -> Loaded | None:
        """The events held of a long run with all that are newer, or where those are too many the
        newest alone; None when none are newer."""
        pages, common = [page], 0
        while True:
            common += sum(held.holds(event.id) for event in pages[-1].items)
            cursor = pages[-1].next_page_id
            if common >= LATE or len(pages) == SPAN or not cursor:
                break
            pages.append(await self._page(conversation, cursor, total))
        newest = [event for page in reversed(pages) for event in reversed(page.items)]
        if common >= LATE:
            # what is older than those held comes with the pages before them
            first = () if held.complete else held.events[:LATE]
            since = max((event.timestamp for event in first), default="")
            news = [e for e in newest if not held.holds(e.id) and e.timestamp >= since]
            events, whole = [*held.events, *news], held.complete
        else:
            news = [event for event in newest if not held.holds(event.id)]
            whole = not cursor
            events = _with_held(newest, held, whole=whole)
        if not news:
            return None
        live = conversation.sandbox_status == "RUNNING"
        stats = stats_of_app(conversation, held)
        run = await asyncio.to_thread(build, events, live=live, complete=whole, stats=stats)
        note, count = note or _lacking(conversation, run), len(run.events)
        return Loaded("app server", run, count, max(total, count), note)

    async def _page(
        self, conversation: Conversation, cursor: str | None, total: int
    ) -> Page[Event]:
        """A page of the app server, the newest events first; what it took tells what more take."""
        began = time.monotonic()
        page = await self.api.search_events(
            conversation.id, sort_order="TIMESTAMP_DESC", page_id=cursor, limit=PAGE
        )
        if total >= DOWNLOAD_LIMIT:
            self._read_cost = (time.monotonic() - began) / total
        return page

    async def keeps(self, conversation: Conversation) -> bool:
        return self.cache is not None and await asyncio.to_thread(self.cache.keeps, conversation)

    async def cost(self, conversation: Conversation, trajectory: Trajectory) -> Cost:
        total, via = await self.count_events(conversation)
        left = max(0, total - len(trajectory.events))
        alone = via == "app server" and self._gives_pages_alone(conversation, total)
        if not alone or await is_told(self.api, conversation):
            return Cost(left)
        calls = -(-left // (PAGE - 1))
        return Cost(left, calls, calls * max(self.api.pace, self._read_cost * total))

    def follow(
        self,
        conversation: Conversation,
        trajectory: Trajectory,
        via: str,
        told: Callable[[Problem | None], None] = lambda _: None,
    ) -> AsyncGenerator[list[Event] | None, None]:
        """Events that follow those held, as they come; none when `trajectory.stats` alone is new;
        None means: load anew. Never ends while the sandbox runs. `told` hears when the server does
        not answer any more, and with None when it does again."""
        return following.follow(self.api, conversation, trajectory, via, told)

    async def download(
        self,
        conversation: Conversation,
        folder: Path,
        progress: Callable[[int], None],
        name: str = "",
    ) -> Path:
        """The trajectory as a zip in `folder`; never overwrites, leaves nothing when it fails."""
        target = folder / (name or download_name(conversation))
        return await save_download(self.api.download(conversation.id), target, progress)

    async def older(
        self, conversation: Conversation, trajectory: Trajectory, via: str
    ) -> AsyncGenerator[Older, None]:
        """The events before those held, for a run too long to be loaded whole: page by page, the
        newest first. `via` is where those held came from: each server has an order of its own.
        Close it to stop; with what came of it it goes on from there."""
        async with self._bulk:
            answered = False
            if via == "agent server" and trajectory.events:
                try:
                    if agent := running_agent(self.api, conversation):
                        async for page in older_from_agent(agent, trajectory):
                            answered = True
                            yield page
                        return
                except Problem:  # it is silent, or does not know these events: another may
                    if answered:
                        raise
            pages: list[Older] = []
            total = await self.api.count_events(conversation.id)
            async for page in self._older_from_app(conversation, trajectory, total):
                if self.cache:
                    pages.append(page)
                yield page
            await self._keep(conversation, trajectory, pages, total)

    async def _older_from_app(
        self, conversation: Conversation, trajectory: Trajectory, total: int
    ) -> AsyncGenerator[Older, None]:
        """Each page begins with an event that is known, so that none is left out between two:
        the server counts from the newest, and may hold fewer of the events than we do. What the
        agent server gave lies in another order here, with others in between: the first page begins
        before its end, and goes on to before all of it."""
        known = {event.id for event in trajectory.events}
        at = max(0, len(known) - LATE)
        times = (event.timestamp for event in trajectory.events)
        oldest = min(filter(None, times), default="later")
        furthest = -1
        fresh: list[Event] = []
        while True:
            page = await self._page(conversation, str(at), total)
            if at and not (page.items and page.items[0].id in known):
                at = max(0, at - (PAGE - 1))
                continue
            fresh += [event for event in page.items if event.id not in known]
            known.update(event.id for event in fresh)
            cursor = page.next_page_id
            if not cursor or not page.items or page.items[-1].timestamp < oldest:
                yield Older("app server", fresh[::-1], total, complete=not cursor)
                fresh = []
            if not cursor:
                return
            more = int(cursor) if cursor.isdecimal() else 0
            if more <= max(furthest, at):
                raise Refused("The server gives the same older events again", "try again later")
            furthest, at = more, more - 1

    async def _keep(
        self, conversation: Conversation, held: Trajectory, pages: list[Older], total: int
    ) -> None:
        """Put a run that was read page by page among those kept on this machine."""
        events = [*(e for page in reversed(pages) for e in page.events), *held.events]
        whole = bool(pages) and pages[-1].complete and len(events) == total
        if self.cache and whole and not await asyncio.to_thread(_tell_key, events):
            with tempfile.SpooledTemporaryFile(max_size=64_000_000, prefix="oh-tui-") as file:
                await asyncio.to_thread(zip_of_events, file, events)
                told = worth_keeping(held.stats)
                await asyncio.to_thread(self.cache.keep, conversation, file, total, told)


def _tell_key(events: list[Event]) -> bool:
    """Whether a key of ours stands in one of them: such a run is not kept."""
    return any(holds_key(event.raw()) for event in events)


def _with_held(events: list[Event], held: Trajectory | None, *, whole: bool) -> list[Event]:
    """The app server's events and, by their time, those held that it lacks. `events` that are
    not the whole run take in only what is no older than they are."""
    known = {event.id for event in events}
    kept = [event for event in held.events if event.id not in known] if held else []
    if not whole:
        since = events[0].timestamp if events else ""
        kept = [event for event in kept if event.timestamp >= since]
    return list(heapq.merge(events, kept, key=lambda event: event.timestamp)) if kept else events


def _lacking(conversation: Conversation, newest: Trajectory) -> str:
    """What the app server cannot show of how a run ended, "" for nothing."""
    if conversation.sandbox_status == "PAUSED" and newest.status == "running":
        return "sandbox paused while the agent worked: its last events may come after a resume"
    if newest.status == "error" and not any(e.kind in RUN_ERRORS for e in newest.events):
        return "the run ended in an error, and the server does not hold which"
    return ""
