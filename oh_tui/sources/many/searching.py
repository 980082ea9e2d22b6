"""Searches the runs of a source, the newest first: files by processes, of a server what is kept on
this machine."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from oh_tui.api.models import Conversation, bare_id
from oh_tui.sources.file_conversation import FileConversation
from oh_tui.sources.files import FileSource
from oh_tui.sources.lists.last_known import LastKnown
from oh_tui.sources.lists.triage import conversation_state, updated
from oh_tui.sources.lists.user_annotations import NOTHING, Annotations, RunAnnotations
from oh_tui.sources.many import worker
from oh_tui.sources.many.hits import Derived, hits
from oh_tui.sources.many.query import ManyQuery
from oh_tui.sources.many.worker import Found, Place
from oh_tui.sources.source import Source
from oh_tui.text.problem import Problem
from oh_tui.text.redact import held
from oh_tui.trajectory.model.trajectory import Trajectory

ALONE = 0.4
"""Seconds that one process searches before others help: so long do they take to start."""

WORTH_HELP = 1.0
"""Seconds of work left that are worth it."""

AT_ONCE = 8
"""Runs that a process searches for one answer."""

AHEAD = 4
"""Answers for each process that are worked on before they are asked for."""

SLICE = 0.004
"""Seconds of work on the event loop between two breaths."""


class RunHits(NamedTuple):
    """What was found in one run, which may be nothing."""

    conversation: Conversation
    found: Found


class _Kept(Protocol):
    async def kept(self, conversation: Conversation) -> Trajectory | None: ...


class Search:
    """One search of a source. The counts grow while it goes on."""

    def __init__(
        self,
        source: Source,
        query: ManyQuery,
        annotations: Annotations,
        last_known: Mapping[str, LastKnown],
        report: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.source, self.query = source, query
        self._annotations, self._last_known = annotations, last_known
        self._report = report
        self.runs = 0
        """Runs that the words may mean."""
        self.searched = 0
        self.hits = 0
        self.runs_hit = 0
        self.not_kept: list[Conversation] = []
        """Runs of a server that are not on this machine."""
        self.unsure = 0
        """Runs left out though they may match, were their outcome or changed files known."""
        self.unread: list[str] = []
        """Why runs could not be read."""
        self.sub_agents = 0
        """Sub-agents whose steps were not searched."""
        self.gave_up: list[str] = []
        """Patterns that took too long."""

    async def results(self) -> AsyncIterator[RunHits]:
        """Each run that was searched, the newest first. Raises Problem."""
        rows = await self._wanted()
        self.runs = len(rows)
        found = self._in_files(rows) if isinstance(self.source, FileSource) else self._here(rows)
        async for one in found:
            self._count(one.found)
            yield one

    def _count(self, found: Found) -> None:
        if found.unread:
            self.unread.append(found.unread)
        else:
            self.searched += 1
        self.hits += len(found.hits)
        self.runs_hit += bool(found.hits)
        self.sub_agents += found.sub_agents
        self.gave_up += [one for one in found.gave_up if one not in self.gave_up]

    async def _wanted(self) -> list[Conversation]:
        """The runs that the words for runs let through, the newest first."""
        rows, now = list[Conversation](), time.time()
        async for page in self.source.pages():
            for one in page.items:
                if await self._is_wanted(one, now):
                    rows.append(one)
            self._report(f"{len(rows):,} runs")
        return sorted(rows, key=updated, reverse=True)

    async def _is_wanted(self, one: Conversation, now: float) -> bool:
        query = self.query.runs
        if not query.terms:
            return True
        if isinstance(self.source, FileSource):
            one = self.source.with_state(one)
        kept = self._annotations.of(one)
        state = conversation_state(one, self._last_known.get(bare_id(one.id), LastKnown()))
        changed = await self.source.runs.changed_paths(one) if query.needs_changed else None
        passed = query.matches(one, state, now, kept, changed)
        self.unsure += not passed and query.cannot_tell(one, state, now, kept, changed)
        return passed

    def _kept_of(self, one: Conversation) -> RunAnnotations:
        return self._annotations.of(one) if self.query.steps.needs_kept else NOTHING

    async def _in_files(self, rows: Sequence[Conversation]) -> AsyncIterator[RunHits]:
        """Begins in this process, where the first hits are found at once; others help where much
        is left."""
        source = cast("FileSource", self.source)
        has_loop = sys.get_asyncgen_hooks().firstiter is not None
        began = time.perf_counter()
        for done, row in enumerate(rows):
            took = time.perf_counter() - began
            left = (len(rows) - done) * took / max(1, done)
            if took > ALONE and left > WORTH_HELP and _cores() > 1:
                async for one in self._by_processes(source, rows[done:], has_loop):
                    yield one
                return
            try:
                if has_loop:
                    run = await asyncio.to_thread(source.runs.read, row)
                    found = await _breathing(run, self.query, self._kept_of(row))
                else:
                    run = source.runs.read(row)
                    found = worker.found_in(run, self.query, self._kept_of(row))
            except Problem as problem:
                found = Found([], unread=problem.sentence)
            yield RunHits(row, found)

    async def _by_processes(
        self, source: FileSource, rows: Sequence[Conversation], has_loop: bool
    ) -> AsyncIterator[RunHits]:
        rows_left = iter(rows)
        with _Pool(self.query.text, source) as pool:
            for answer in pool.answers([self._place(source, row) for row in rows]):
                for one in await asyncio.wrap_future(answer) if has_loop else answer.result():
                    yield RunHits(next(rows_left), one)

    def _place(self, source: FileSource, row: Conversation) -> Place:
        entry = source.runs.entries[row.id]
        place = row.place if isinstance(row, FileConversation) else row.id
        path = place.removesuffix(f"#{entry.name}") if entry.name else place
        return Place(Path(path), entry.number, self._kept_of(row))

    async def _here(self, rows: Sequence[Conversation]) -> AsyncIterator[RunHits]:
        """The runs of a server that are on this machine: those of the embedded one all are."""
        for row in rows:
            try:
                run = await self._read(row)
            except Problem as problem:
                yield RunHits(row, Found([], unread=problem.sentence))
                continue
            if run is None:
                self.not_kept.append(row)
            else:
                yield RunHits(row, await _breathing(run, self.query, self._kept_of(row)))

    async def _read(self, row: Conversation) -> Trajectory | None:
        if self.source.address:
            return await cast("_Kept", self.source.runs).kept(row)
        run = Trajectory()
        async for state in self.source.runs.load(row):
            run = state.trajectory or run
        return run


async def _breathing(run: Trajectory, query: ManyQuery, kept: RunAnnotations) -> Found:
    """`found_in` on the event loop, which goes on meanwhile."""
    found, until = [], time.perf_counter() + SLICE
    for hit in hits(run, query.steps, Derived(run), kept):
        if hit is not None:
            found.append(hit)
        if time.perf_counter() > until:
            await asyncio.sleep(0)
            until = time.perf_counter() + SLICE
    return Found(found, len(run.sub_agents), gave_up=query.steps.gave_up)


def _cores() -> int:
    """The processors that this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)  # of Linux
    return len(allowed(0)) if allowed else os.cpu_count() or 1


class _Pool:
    """Processes that search. They are begun anew rather than forked, as threads may run here."""

    def __init__(self, words: str, source: FileSource) -> None:
        self._pool = ProcessPoolExecutor(
            _cores(), get_context("spawn"), worker.begin, (words, held(), source.indexes)
        )

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def answers(self, places: Sequence[Place]) -> Iterator[Future[list[Found]]]:
        """In the order of the places, each as it is asked for or before."""
        coming: deque[Future[list[Found]]] = deque()
        for start in range(0, len(places), AT_ONCE):
            coming.append(self._pool.submit(worker.search, places[start : start + AT_ONCE]))
            if len(coming) > AHEAD * _cores():
                yield coming.popleft()
        yield from coming
