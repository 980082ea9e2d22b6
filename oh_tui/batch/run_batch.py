"""Does a job for each run of a source, newest first. Worker processes help with files where that
pays; of a server only runs on this machine are read."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Generic, NamedTuple, TypeAlias, TypeVar, cast

from oh_tui.batch.pool import ENDED, Died, Pool, cores
from oh_tui.batch.server_indexing import is_over, take
from oh_tui.batch.step_facts import StepFactsLoader, load, read_here
from oh_tui.batch.worker import Job, Listed, Place, RunFacts, Unread
from oh_tui.catalog.conversation_query import ConversationQuery
from oh_tui.catalog.file_names import called
from oh_tui.catalog.filter_words import Subject
from oh_tui.catalog.run_status import conversation_state, updated
from oh_tui.catalog.status_cache import LastKnown
from oh_tui.catalog.usage_cache import with_spent
from oh_tui.catalog.user_annotations import Annotations
from oh_tui.conversation import Conversation, bare_id
from oh_tui.library.library import Library
from oh_tui.sources.file_rows import path_at
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.source import Source
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem, why
from oh_tui.trajectory.formats.run_file import Entry
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.search.step_filter import NO_PHRASE

T = TypeVar("T")

ALONE = 0.4
"""Seconds that one process works alone: starting others takes about as long."""

WORTH_HELP = 1.0
"""Seconds of work left that justify starting others."""

KEYS_FIRST = 10
"""Niceness of worker processes that read for the explorer, so that key presses come first."""

AT_ONCE = 8
"""Most runs in one task of a worker process."""

BREATH = 200
"""Known results between two turns of the event loop."""

ASKING = 30.0
"""Seconds after which no other run is asked for, where that is bounded."""


class Result(NamedTuple, Generic[T]):
    conversation: Conversation
    value: T | Unread


class Ahead(NamedTuple, Generic[T]):
    """What is known before any run is read."""

    results: list[Result[T]]
    remaining: list[Conversation]
    vanished: int = 0
    indexed: Collection[str] = ()
    """Ids of those whose index entry is up to date."""


Known: TypeAlias = Callable[[list[Conversation], list[Conversation] | None], Ahead[T]]
"""Takes the runs that match the query, and all listed runs: None if the list was cut."""


class RunBatch(Generic[T]):
    """One pass over the runs of a source. Its counts grow as it goes."""

    def __init__(
        self,
        source: Source,
        job: Job[T],
        query: ConversationQuery,
        annotations: Annotations,
        last_known: Mapping[str, LastKnown],
        report: Callable[[str], None] = lambda text: None,
        choose: Callable[[list[Conversation]], list[Conversation]] | None = None,
        known: Known[T] | None = None,
        live: bool = False,
        nice: int = 0,
        cache_folder: Path | None = None,
        *,
        in_order: bool = True,
        processes: int = sys.maxsize,
        asks: int | None = None,
    ) -> None:
        """`query` selects the runs, also by the index in `cache_folder`, `choose` picks and orders
        those to read, `known` gives results without reading. `report` gets the progress of listing.
        `live` also reads unfinished runs of a server. `nice` is added to the niceness of worker
        processes, of which there are at most so many. Unless `in_order`, none of their results is
        held back for another. `asks` is how many runs that are not on this machine, over or `live`,
        are read from a server; None: those alone that go on and are wanted, all of them."""
        self.source = source
        self._job, self._query = job, query
        self._of_steps = StepFactsLoader(cache_folder, source, query)
        self._annotations, self._last_known = annotations, last_known
        self._report, self._choose, self._known = report, choose, known
        self._live, self._nice = live, nice
        self._in_order, self._processes = in_order, min(processes, cores())
        self._folder = cache_folder
        self._asks, self._asks_until = asks, time.monotonic() + ASKING
        self.asked = 0
        """Number of runs that were asked for so."""
        self._indexed: Collection[str] = ()
        self.runs = 0
        self.read = 0
        self.not_here: list[Conversation] = []
        """Runs of a server that are not on this machine."""
        self.unsure = 0
        """Number of runs left out because what the query asks is not known of them."""
        self.unread: list[str] = []
        """Why runs could not be read, a sentence each."""
        self.vanished = 0
        self.no_phrase = ""
        """Says that nothing has a phrase of the words."""
        self._is_over = False

    def begin_again(self, job: Job[T], known: Known[T] | None) -> None:
        """Begin anew with what is asked where nothing has a phrase."""
        self._job, self._known, self._is_over = job, known, False
        self.runs = self.read = self.unsure = self.vanished = 0
        self.not_here, self.unread, self.no_phrase = [], [], NO_PHRASE

    @property
    def going_on(self) -> int:
        return sum(not is_over(self.source, row) for row in self.not_here)

    @property
    def not_read(self) -> int:
        files = self.source.not_read if isinstance(self.source, FileSource) else 0
        return len(self.unread) + files

    @property
    def lacked(self) -> str:
        """What the query asks and is not known of the `unsure` runs."""
        return self._query.may_lack

    @property
    def left_out(self) -> list[str]:
        """What the pass left out, a phrase each."""
        found = [self.no_phrase] if self.no_phrase else []
        if self.not_here:
            found.append(f"{plural(len(self.not_here), 'run')} not read yet")
        if self.not_read:
            found.append(f"{plural(self.not_read, 'run')} could not be read")
        if self.unsure:
            found.append(f"{plural(self.unsure, 'run')} of unknown {self.lacked} left out")
        if self.vanished:
            found.append(f"{plural(self.vanished, 'run')} can no longer be read")
        return found

    async def results(self) -> AsyncGenerator[Result[T], None]:
        """The results, newest first, without runs that the index settled. Raises Problem."""
        rows, listed = await self._wanted()
        rows = self._choose(rows) if self._choose else rows
        self.runs = len(rows)
        if self._known:
            ahead = await asyncio.to_thread(self._known, rows, listed)
            rows, self.vanished, self._indexed = ahead.remaining, ahead.vanished, ahead.indexed
            for number, one in enumerate(ahead.results):
                yield self._counted(one)
                if number % BREATH == BREATH - 1:
                    await asyncio.sleep(0)
        found = self._in_files(rows) if isinstance(self.source, FileSource) else self._here(rows)
        try:
            async for one in found:
                yield self._counted(one)
        finally:
            self._is_over = True  # ends the thread that reads a run

    async def missing(
        self, came: Callable[[Conversation], None] = lambda _: None
    ) -> AsyncGenerator[Result[T], None]:
        """Results of the runs in `not_here`, from the server; `came` is told each read."""
        rows, self.not_here = self.not_here, []
        done = 0
        try:
            for row in rows:
                try:
                    run = await load(self.source, row)
                    came(row)
                    value: T | Unread = await asyncio.to_thread(self._job, run, self._about(row))
                except Problem as problem:
                    value = Unread(problem.sentence)
                done += 1
                yield self._counted(Result(row, value))
        finally:
            self.not_here += rows[done:]  # stopped in a read or between two results

    async def run_of(self, row: Conversation) -> Trajectory | None:
        """The whole run, read once more; None if it is not on this machine. Raises Problem."""
        return await read_here(self.source, row)

    def _counted(self, one: Result[T]) -> Result[T]:
        if isinstance(one.value, Unread):
            self.unread.append(one.value.reason)
        else:
            self.read += 1
        return one

    async def _wanted(self) -> tuple[list[Conversation], list[Conversation] | None]:
        """The selected runs, newest first, and all listed runs: None if the list was cut."""
        rows, listed = list[Conversation](), list[Conversation]()
        now, is_cut = time.time(), False
        async for page in self.source.pages():
            listed += page.items
            is_cut = is_cut or page.is_cut
            if self._query.empty:
                rows += page.items
            else:
                await self._of_steps.look_up(page.items)
                rows += [one for one in page.items if await self._is_wanted(one, now)]
            self._report(f"{len(rows):,} runs")
        if not rows and (each_word := self._query.each_word):
            self._query, self.unread, self.unsure = each_word, [], 0
            rows = [one for one in listed if await self._is_wanted(one, now)]
            self.no_phrase = NO_PHRASE * bool(rows)
        return sorted(rows, key=updated, reverse=True), None if is_cut else listed

    async def _is_wanted(self, one: Conversation, now: float) -> bool:
        query = self._query
        if isinstance(self.source, FileSource):
            try:
                one = await asyncio.to_thread(self.source.judged, one)
            except Problem as problem:
                self.unread.append(problem.sentence)
                return False
        annotations = self._annotations.of(one)
        last_known = self._last_known.get(bare_id(one.id), LastKnown())
        one, state = with_spent(one, last_known.spent), conversation_state(one, last_known)
        facts = await self._of_steps.of(one, annotations)
        passed = query.matches(Subject(one, state, now, annotations, facts))
        self.unsure += passed is None
        return bool(passed)

    def _about(self, row: Conversation) -> RunFacts:
        return RunFacts(row, self._annotations.of(row))

    async def _in_files(self, rows: Sequence[Conversation]) -> AsyncIterator[Result[T]]:
        """Begins here, which gives first results at once; workers take over if much remains."""
        source = cast("FileSource", self.source)
        entries = source.runs.entries  # of the list as it is now: files may be listed anew
        rows = [row for row in rows if row.id in entries]
        began = time.perf_counter()
        for done, row in enumerate(rows):
            took = time.perf_counter() - began
            remaining = (len(rows) - done) * took / max(1, done)
            if took > ALONE and remaining > WORTH_HELP and self._processes > 1:
                async for one in self._by_processes(source, entries, rows[done:]):
                    yield one
                return
            yield Result(row, await asyncio.to_thread(self._in_file, source, row))

    def _in_file(self, source: FileSource, row: Conversation) -> T | Unread:
        try:
            run = source.runs.read(row, lambda: not self._is_over)
            return self._job(run, self._about(row).with_file(source.runs.run(row)))
        except Exception as error:  # one bad run must not stop the others
            return Unread(why(error))

    async def _by_processes(
        self, source: FileSource, entries: Mapping[str, Entry], rows: Sequence[Conversation]
    ) -> AsyncIterator[Result[T]]:
        ahead = 4 * self._processes  # tasks that may start before the oldest one ends
        most = min(AT_ONCE, len(rows) // ahead + 1)
        parts = [rows[start : start + most] for start in range(0, len(rows), most)]
        coming = [iter(part) for part in parts]
        with Pool[T | Unread](self._processes, self._nice) as pool:
            places = ([self._place(entries, row) for row in part] for part in parts)
            tasks = (Listed(self._job, some, source.indexes) for some in places)
            found = pool.in_order(tasks, ahead) if self._in_order else pool.each(tasks)
            while one := await asyncio.to_thread(next, found, None):
                number, value = one
                if value is not None:
                    yield self._result(next(coming[number]), value)

    def _result(self, row: Conversation, found: T | Unread | Died) -> Result[T]:
        if not isinstance(found, Died):
            return Result(row, found)
        if not found.place:
            raise Problem("No process can be started to read the runs", "try again")
        return Result(row, Unread(f"{called(row.place) or row.id}: {ENDED}"))

    def _place(self, entries: Mapping[str, Entry], row: Conversation) -> Place:
        entry = entries[row.id]
        return Place(path_at(row.place or row.id, entry.name), entry.number, self._about(row))

    async def _here(self, rows: Sequence[Conversation]) -> AsyncIterator[Result[T]]:
        """The runs of a server that are on this machine: all, if the server is embedded. Indexed
        runs may be read from the server again, as they were for the index."""
        for row in rows:
            try:
                run = await read_here(self.source, row)
                if run is None and row.id in self._indexed:
                    run = await load(self.source, row)
                elif run is None and self._may_ask_for(row):
                    self.asked += 1  # also where it fails: a server in trouble is not asked for all
                    run = await load(self.source, row)
                    await asyncio.to_thread(self._index, run, row)
            except Problem as problem:
                yield Result(row, Unread(problem.sentence))
                continue
            if run is None:
                self.not_here.append(row)
            else:
                yield Result(row, await asyncio.to_thread(self._job, run, self._about(row)))

    def _may_ask_for(self, row: Conversation) -> bool:
        is_open = not is_over(self.source, row)
        if self._asks is None:
            return self._live and is_open
        is_left = self.asked < self._asks and time.monotonic() < self._asks_until
        return is_left and (self._live or not is_open)

    def _index(self, run: Trajectory, row: Conversation) -> None:
        """Keeps what the index tells of a run, so that the next pass need not ask for it."""
        if self._asks is None or not is_over(self.source, row):
            return
        with contextlib.suppress(Problem), Library(self._folder, writes=True) as library:
            take(library, run, row, self.source.holder(row).address)
