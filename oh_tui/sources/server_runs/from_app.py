"""Loading a run from the app server: kept on this machine, downloaded, or page by page, and the
events before those held of a long one, newest first.

Facts without another source are measured on app server 1.11.0.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import IO

from oh_tui.api.errors import TooLarge
from oh_tui.api.models import Page
from oh_tui.api.paging import PAGE
from oh_tui.api.server import GivesRuns
from oh_tui.catalog.clocks import clock_of_record
from oh_tui.conversation import Conversation
from oh_tui.sources.results import DOWNLOAD_LIMIT, Cost, Loaded, Older
from oh_tui.sources.server_runs.following import LATE
from oh_tui.sources.server_runs.run_cache import MOST_HELD, RunCache, events_of_zip, zip_of_events
from oh_tui.sources.server_runs.server_stats import stats_of_app
from oh_tui.text.human import plural, size
from oh_tui.text.problem import Refused, Remedy
from oh_tui.text.redact import holds_key
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import Trajectory, build
from oh_tui.trajectory.model.usage_stats import lists_answers

READ_COST = 0.00026
"""Seconds that the app server takes per event of a conversation, whichever page is asked for, since
it reads all of them. The time of the last page replaces this value."""

SPAN = 10
"""Pages that are read to connect the new events of a long run with the held ones. For each page the
server reads the whole run; more are read only if the user asks."""

IN_MEMORY = 64_000_000
"""Bytes of a download that are held in memory before it goes to a temporary file."""


class AppServerEvents:
    def __init__(self, api: GivesRuns, cache: RunCache | None) -> None:
        self._api, self.cache = api, cache
        self.bulk = asyncio.Lock()
        """Held during a bulk load, so that only one runs: for each the server reads all events of a
        run."""
        self.refused: set[str] = set()
        """Conversations below the limit that this server still refuses to download."""
        self.read_cost = READ_COST

    async def load(
        self, conversation: Conversation, held: Trajectory | None, note: str
    ) -> AsyncGenerator[Loaded, None]:
        via = "app server"
        live = conversation.sandbox_status == "RUNNING"
        stats = stats_of_app(conversation, held)
        total = await self._api.count_events(conversation.id)
        if self.cache and (kept := await asyncio.to_thread(self.cache.load, conversation, total)):
            events = _with_held(kept, held, whole=True)
            if not lists_answers(stats):
                stats = await asyncio.to_thread(self.cache.stats, conversation) or stats
            clock = clock_of_record(conversation, events, True, held)
            run = await asyncio.to_thread(build, events, stats=stats, clock=clock)
            yield Loaded(via, run, len(events), len(events), missing_end(conversation, run))
            return
        page = await self.page(conversation, None, total)
        whole = not page.next_page_id
        only_pages = self.gives_only_pages(conversation, total)
        if held and only_pages:
            longer = await self._joined(conversation, page, held, total, note)
            if longer:
                yield longer
                return
        events = _with_held(page.items[::-1], held, whole=whole)
        clock = clock_of_record(conversation, events, whole, held)
        newest = build(events, live=live, complete=whole, stats=stats, clock=clock)
        note = note or missing_end(conversation, newest)
        more = not (whole or only_pages)
        yield Loaded(via, newest, len(events), max(total, len(events)), note, more)
        if not more:
            if whole and len(page.items) == total:
                await self._keep(conversation, page.items[::-1], stats)
            return
        async with self.bulk:
            with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, prefix="oh-tui-") as file:
                try:
                    async with self._api.download(conversation.id) as chunks:
                        async for chunk in chunks:
                            await asyncio.to_thread(file.write, chunk)
                            if file.tell() > MOST_HELD:
                                too_long = f"The download is longer than {size(MOST_HELD)}"
                                raise Refused(too_long, Remedy.DOWNLOAD)
                            yield Loaded(via, None, len(page.items), total, note)
                except TooLarge:  # this server's limit is lower: older pages come on request
                    self.refused.add(conversation.id)
                    if held:
                        longer = await self._joined(conversation, page, held, total, note)
                        if longer:
                            yield longer
                    return
                events, problems = await asyncio.to_thread(events_of_zip, file)
                if problems:  # events may have arrived since the first count
                    total = max(total, await self._api.count_events(conversation.id))
                if problems and len(events) < total:
                    came = f"{len(events):,} of {plural(total, 'event')} came"
                    raise Refused(f"The download broke off: {came}", "try again")
                if len(events) == total and not problems:
                    await self._keep(conversation, events, stats, file)
        events = _with_held(events, held, whole=True)
        clock = clock_of_record(conversation, events, True, held)
        trajectory = await asyncio.to_thread(build, events, live=live, stats=stats, clock=clock)
        yield Loaded(via, trajectory, len(events), len(events), note)

    def gives_only_pages(self, conversation: Conversation, total: int) -> bool:
        """Whether the app server refuses the download of a run."""
        return total > DOWNLOAD_LIMIT or conversation.id in self.refused

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
            pages.append(await self.page(conversation, cursor, total))
        newest = [event for page in reversed(pages) for event in reversed(page.items)]
        news = [event for event in newest if not held.holds(event.id)]
        if common >= LATE:
            # events older than the held ones come with the older pages
            first = {event.id for event in held.events[: 0 if held.complete else LATE]}
            since = max((n for n, e in enumerate(newest) if e.id in first), default=-1) + 1
            news = [event for event in newest[since:] if not held.holds(event.id)]
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
        note, count = note or missing_end(conversation, run), len(run.events)
        return Loaded("app server", run, count, max(total, count), note)

    async def page(self, conversation: Conversation, cursor: str | None, total: int) -> Page[Event]:
        """A page of the app server, newest events first. Its time predicts that of others."""
        began = time.monotonic()
        page = await self._api.search_events(
            conversation.id, sort_order="TIMESTAMP_DESC", page_id=cursor, limit=PAGE
        )
        if total >= DOWNLOAD_LIMIT:
            self.read_cost = (time.monotonic() - began) / total
        return page

    async def older(
        self, conversation: Conversation, trajectory: Trajectory
    ) -> AsyncGenerator[Older, None]:
        """The pages before the events held; hold `bulk` meanwhile."""
        pages: list[Older] = []
        total = await self._api.count_events(conversation.id)
        older = older_from_app(
            lambda cursor: self.page(conversation, cursor, total), trajectory, total
        )
        async for page in older:
            if self.cache:
                pages.append(page)
            yield page
        events = [*(e for page in reversed(pages) for e in page.events), *trajectory.events]
        if pages and pages[-1].complete and len(events) == total:
            await self._keep(conversation, events, trajectory.stats)

    def cost_of_pages(self, left: int, total: int) -> Cost:
        """What it would cost to read `left` events of a run page by page."""
        calls = -(-left // (PAGE - 1))
        return Cost(left, calls, calls * max(self._api.pace, self.read_cost * total))

    async def _keep(
        self,
        conversation: Conversation,
        events: list[Event],
        stats: bytes,
        file: IO[bytes] | None = None,
    ) -> None:
        """Caches a whole run, unless a key of ours is in it; makes a zip without a `file`."""
        if self.cache is None or await asyncio.to_thread(_contain_key, events):
            return
        with contextlib.ExitStack() as stack:
            if file is None:
                file = stack.enter_context(
                    tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, prefix="oh-tui-")
                )
                await asyncio.to_thread(zip_of_events, file, events)
            # those alone that no other source has
            kept = stats if lists_answers(stats) and not holds_key(stats) else b""
            await asyncio.to_thread(self.cache.keep, conversation, file, len(events), kept)


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


def missing_end(conversation: Conversation, newest: Trajectory) -> str:
    """A note if the app server lacks the end of the run; "" if not."""
    if conversation.sandbox_status == "PAUSED" and newest.status == "running":
        return "sandbox paused while the agent worked: its last events may come after a resume"
    if newest.status == "error" and not any(e.is_failure for e in newest.events):
        return "the run ended in an error, and the server does not say which"
    return ""


async def older_from_app(
    fetch: Callable[[str], Awaitable[Page[Event]]], trajectory: Trajectory, total: int
) -> AsyncGenerator[Older, None]:
    """The pages of the app server. `fetch` reads one from an offset on, newest events first.

    The server counts from the newest event and may have fewer events than are held. So each page
    begins with a known event, and none is skipped. Events of the agent server have another order
    here, with others in between: the first page begins before their end and reaches back before all
    of them.
    """
    known = {event.id for event in trajectory.events}
    offset = max(0, len(known) - LATE)
    times = (event.timestamp for event in trajectory.events)
    oldest = min(filter(None, times), default="later").removesuffix(trajectory.clock)
    furthest = -1
    fresh: list[Event] = []
    while True:
        page = await fetch(str(offset))
        if offset and not (page.items and page.items[0].id in known):
            offset = max(0, offset - (PAGE - 1))
            continue
        fresh += [event for event in page.items if event.id not in known]
        known.update(event.id for event in fresh)
        cursor = page.next_page_id
        if not cursor or not page.items or page.items[-1].timestamp < oldest:
            yield Older("app server", fresh[::-1], total, complete=not cursor)
            fresh = []
        if not cursor:
            return
        following = int(cursor) if cursor.isdecimal() else 0
        if following <= max(furthest, offset):
            raise Refused("The server gives the same older events again", "try again later")
        furthest, offset = following, following - 1
