"""Indexes the runs of changed files and folders."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from oh_tui.batch.index_reader import TELLS_KEY, IndexJob, Skipped, fingerprint_of
from oh_tui.batch.run_batch import Result, RunBatch
from oh_tui.batch.worker import Unread
from oh_tui.catalog.conversation_query import ConversationQuery
from oh_tui.catalog.user_annotations import Annotations
from oh_tui.conversation import Conversation
from oh_tui.library.library import Library
from oh_tui.library.records import Record
from oh_tui.sources.file_rows import plain_path
from oh_tui.sources.file_source import FileSource
from oh_tui.text.clean import clean_line
from oh_tui.text.problem import Problem, Refused
from oh_tui.trajectory.formats.run_file import Indexes

AT_ONCE = 5_000_000
"""Characters of text per write. More would take memory, fewer would take time."""


class Outcome(msgspec.Struct):
    """Progress of an update. Its counts grow."""

    unchanged: int = 0
    vanished: int = 0
    """Indexed files that are no longer there."""
    total: int = 0
    read: int = 0
    runs: int = 0
    skipped: list[Skipped] = []
    damage: list[str] = []
    """What of files could not be read, a sentence each."""
    going_on: int = 0
    """Runs of a server that were left out because they may go on."""
    seconds: float = 0.0


class Indexing:
    """One update of the library. If it is stopped, indexed runs stay; the next does the rest."""

    def __init__(
        self,
        library: Library,
        paths: Sequence[Path],
        wanted: str = "",
        indexes: Indexes | None = None,
    ) -> None:
        """`paths` are files and folders as `find_files` names them. `wanted` is the place of the
        only run to index; "" for all."""
        self.library, self.outcome, self._wanted = library, Outcome(), wanted
        self._changed: dict[str, str] = {}
        """Homes whose runs must be indexed, with their fingerprints."""
        for path in dict.fromkeys(map(plain_path, paths)):
            home, fingerprint = str(path), fingerprint_of(path)
            try:
                home.encode()
            except UnicodeError:
                self.outcome.skipped.append(Skipped(home, "its name is not UTF-8"))
                continue
            if fingerprint and library.fingerprint(home) == fingerprint:
                self.outcome.unchanged += 1
            else:
                self._changed[home] = fingerprint
        self._source = FileSource(list(map(Path, self._changed)), indexes=indexes)
        self._lacking = set[str]()
        """Homes with a run that could not be indexed but may be readable later."""
        self._batch: list[Record] = []
        self._characters, self._written = 0, time.monotonic()
        self._writing: asyncio.Future[None] | None = None
        """The write that runs while more is read: SQLite works without the interpreter's lock."""

    def mark_vanished(self) -> None:
        for home in self.library.homes():
            if home.startswith("/") and not os.path.lexists(home):
                self.library.mark_gone(home)
                self.outcome.vanished += 1

    async def run(self, report: Callable[[Outcome], None] = lambda _: None) -> None:
        """`report` is called after each run. Raises Problem."""
        try:
            await asyncio.to_thread(self._source.begin)
        except Problem:
            pass  # no file has a run
        else:
            await self._index(report)
        await asyncio.to_thread(self._finish)
        self._source.close_files()

    async def _index(self, report: Callable[[Outcome], None]) -> None:
        began = time.monotonic()
        reading = RunBatch(
            self._source,
            IndexJob(),
            ConversationQuery(),
            Annotations(None),
            {},
            choose=self._to_read,
            in_order=False,
            processes=8,  # one process writes what they find
        )
        try:
            async with contextlib.aclosing(reading.results()) as results:
                async for one in results:
                    self._take(one)
                    due = time.monotonic() - self._written > 1.0
                    if due or self._characters > AT_ONCE:
                        await self._write()
                    self.outcome.total, self.outcome.read = reading.runs, self.outcome.read + 1
                    self.outcome.seconds = time.monotonic() - began
                    report(self.outcome)
        finally:
            await self._write()
            await self._wait()

    def _to_read(self, _: list[Conversation]) -> list[Conversation]:
        """In the order of the files, without those that an interrupted update has indexed."""
        return [
            row
            for row in self._source.runs.rows.values()
            if not self.library.has(row.place, self._changed.get(row.home, ""))
            and self._wanted in ("", row.place)
        ]

    def _take(self, one: Result[Record | None]) -> None:
        row, value = one.conversation, one.value
        if isinstance(value, Unread):
            self._leave(row.home, row.place, value.reason.removeprefix(f"{row.place}: "))
        elif value is None:
            self.outcome.skipped.append(Skipped(row.place, TELLS_KEY))
            self.library.drop(row.place)
        else:
            value.fingerprint = self._changed.get(row.home, "")
            self._batch.append(value)
            self._characters += sum(map(len, value.blocks))

    def _leave(self, home: str, place: str, why: str) -> None:
        self.outcome.skipped.append(Skipped(place, why))
        self._lacking.add(home)

    async def _write(self) -> None:
        """Starts to write the batch once the previous write has ended. Raises Refused."""
        await self._wait()
        batch, self._batch, self._characters = self._batch, [], 0
        self._written = time.monotonic()
        self._writing = asyncio.get_running_loop().run_in_executor(None, self._store, batch)

    async def _wait(self) -> None:
        if self._writing:
            await asyncio.wait([self._writing])
            self._writing.result()

    def _store(self, batch: Sequence[Record], done: Sequence[tuple[str, str]] = ()) -> None:
        """Raises Refused if the library accepts nothing more."""
        if not (batch or done):
            return
        if not self.library.put(batch, done, self._lacking):
            why = self.library.trouble or self.library.why
            raise Refused(f"Indexing stopped: {clean_line(why)}")
        self.outcome.runs += len(batch) - len(self.library.refused)
        for one in batch:
            if one.place in self.library.refused:
                self._leave(one.home, one.place, "the index cannot hold what it holds")

    def _finish(self) -> None:
        """Notes the files that were read to the end, and what of them could not be read."""
        rows = list(self._source.runs.rows.values())
        found = {row.home for row in rows}
        for home in self._changed:
            problems = self._source.problems_in(Path(home), is_empty=home not in found)
            if home in found:
                self.outcome.damage += problems
            else:
                self._leave(home, home, problems[0])
        self.outcome.skipped.sort()
        if self._wanted and (len(rows) > 1 or self.outcome.skipped):
            return
        # A file is not done if it changed during the read. One that lacks a run is read again next
        # time too: a process may have been killed, or a library may be missing.
        now = [(home, fingerprint_of(Path(home))) for home in self._changed]
        self._store([], [one for one in now if one[1] == self._changed[one[0]]])
