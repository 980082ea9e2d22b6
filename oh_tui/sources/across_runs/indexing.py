"""Takes the runs of files and folders into the library: what has changed, in several processes."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import msgspec

from oh_tui.library.library import Library
from oh_tui.library.records import Record
from oh_tui.sources.across_runs.index_reader import (
    TELLS_KEY,
    Found,
    Left,
    RunsOf,
    fingerprint_of,
    size_of,
)
from oh_tui.sources.across_runs.pool import ENDED, At, Died, Pool, cores
from oh_tui.sources.file_rows import plain_path

AT_ONCE = 5_000_000
"""Characters of texts that are written at once. More would take memory, fewer time."""

LONGEST = 1.0
"""Seconds after which what there is is written."""

WORTH_PARTS = 10_000_000
"""Bytes of a file of several runs that several processes share."""

WORTH_HELP = 3_000_000
"""Bytes below which starting processes takes longer than reading."""


class ChangedFile(msgspec.Struct, eq=False):
    """A file or folder whose runs are to be taken in."""

    path: Path
    size: int
    fingerprint: str
    parts: int = 1
    """In how many it is read."""
    ended: int = 0
    """How many of them are read."""
    share: float = 0.0
    """Bytes of one run, about."""

    @property
    def home(self) -> str:
        return str(self.path)


class Outcome(msgspec.Struct):
    """How far it is; counts grow."""

    files: int = 0
    """Of those that were to be looked at."""
    unchanged: int = 0
    vanished: int = 0
    """Files that were in the library and are no longer there."""
    size: int = 0
    """Bytes to read, of the files that have changed."""
    read: float = 0.0
    """Bytes that are read, about."""
    runs: int = 0
    """Runs taken in."""
    left: list[Left] = []
    going_on: int = 0
    """Runs of a server that were left out, as they may go on."""
    trouble: str = ""
    """Why the library takes in no more; "" while it does."""
    seconds: float = 0.0

    @property
    def time_left(self) -> float | None:
        """Seconds; None while that is not known."""
        if not self.read or self.seconds < 1:
            return None
        return self.seconds * (self.size - self.read) / self.read


class Indexing:
    """One update of the library. `run` may be left at any moment: what was taken in stays, and the
    next one goes on with the rest."""

    def __init__(self, library: Library, paths: Sequence[Path], processes: int = 0) -> None:
        """`paths` are files and folders as `find_files` names them."""
        self.library = library
        self.outcome = Outcome(files=len(paths))
        self._processes = processes or min(8, cores())
        self._files = list(self._changed(paths))
        self._batch: list[Record] = []
        self._done: list[ChangedFile] = []
        """The files that are read to their end; what is in of them, or in the batch."""
        self._lacking = set[str]()
        """The homes of which something is left that may be readable later."""
        self._ended = set[str]()
        """Those of them at which a process ended, so that they may hold more."""
        self._characters = 0
        self._written = time.monotonic()
        self._writer = ThreadPoolExecutor(1)
        self._writing: Future[None] | None = None
        """What was read goes in while more is read: SQLite works without the interpreter's lock."""

    def _changed(self, paths: Sequence[Path]) -> Iterator[ChangedFile]:
        for path in dict.fromkeys(map(plain_path, paths)):
            fingerprint = fingerprint_of(path)
            if fingerprint and self.library.fingerprint(str(path)) == fingerprint:
                self.outcome.unchanged += 1
                continue
            file = ChangedFile(path, size_of(path), fingerprint)
            self.outcome.size += file.size
            yield file

    def run(self) -> Generator[Outcome, None, None]:
        """Yields how far it is, again and again. Close it to leave."""
        began = time.monotonic()
        self._mark_vanished()
        try:
            for file, found in self._all():
                if isinstance(found, int):
                    file.share = file.size / file.parts / max(1, found)
                    continue
                if found is None:
                    self._finish(file)
                else:
                    self.outcome.read += file.share
                    self._take(file, found)
                self.outcome.seconds = time.monotonic() - began
                yield self.outcome
                if self.outcome.trouble:
                    return
        finally:
            self._write()
            self._wait()
            self._writer.shutdown()
        self.library.tidy()

    def _mark_vanished(self) -> None:
        for home in self.library.homes():
            if home.startswith("/") and not os.path.lexists(home):
                self.library.mark_gone(home)
                self.outcome.vanished += 1

    def _take(self, file: ChangedFile, found: Record | Left) -> None:
        if isinstance(found, Left):
            self._leave(file.home, found)
            return
        self._batch.append(found)
        self._characters += sum(len(block.text) for block in found.blocks)
        self._write_if_due()

    def _leave(self, home: str, found: Left) -> None:
        self.outcome.left.append(found)
        if found.why == TELLS_KEY:
            self.library.drop(found.place)
            return
        self._lacking.add(home)
        if found.why == ENDED:
            self._ended.add(home)

    def _finish(self, file: ChangedFile) -> None:
        file.ended += 1
        if file.ended < file.parts:
            return
        # one that has changed meanwhile is read again next time, as is one with something left:
        # a process was killed, or a library is not installed
        if fingerprint_of(file.path) == file.fingerprint:
            self._done.append(file)
        self._write_if_due()

    def _write_if_due(self) -> None:
        if self._characters > AT_ONCE or time.monotonic() - self._written > LONGEST:
            self._write()

    def _write(self) -> None:
        """Begins to take in what was read, once what was read before is in."""
        self._wait()
        batch, self._batch = self._batch, []
        files, self._done, self._characters = self._done, [], 0
        try:
            self._writing = self._writer.submit(self._store, batch, files)
        except RuntimeError:  # the system starts no thread
            self._writer.shutdown(wait=False, cancel_futures=True)
            self._writer, self._writing = ThreadPoolExecutor(1), None
            self._store(batch, files)
        self._written = time.monotonic()

    def _wait(self) -> None:
        if self._writing:
            self._writing.result()

    def _store(self, batch: list[Record], files: list[ChangedFile]) -> None:
        """Takes in what was read, without a record that cannot be stored."""
        if not self._put(batch, self._whole(files)) and self.library.is_of_value:
            self.outcome.trouble = ""
            for record in batch:
                self._put_alone(record)
            self._put([], self._whole(files))
        for file in files:
            if file.home in self._lacking and file.home not in self._ended:
                self.library.mark_others_gone(file.home, file.fingerprint)

    def _whole(self, files: Sequence[ChangedFile]) -> list[ChangedFile]:
        return [file for file in files if file.home not in self._lacking]

    def _put_alone(self, record: Record) -> None:
        if self.outcome.trouble:
            return
        if not self._put([record], []) and self.library.is_of_value:
            self.outcome.trouble = ""
            self.library.drop(record.place)
            self._leave(record.home, Left(record.place, "the index cannot hold what it holds"))

    def _put(self, batch: list[Record], files: list[ChangedFile]) -> bool:
        """Once more after the library was made anew."""
        done = [(file.home, file.fingerprint) for file in files]
        if (batch or done) and not (self.library.put(batch, done) or self.library.put(batch, done)):
            self.outcome.trouble = self.library.trouble or self.library.why
            return False
        self.outcome.runs += len(batch)
        return True

    def _all(self) -> Iterator[tuple[ChangedFile, Found | None]]:
        """What is found in each file; None after each of its parts."""
        alone = self._processes == 1 or self.outcome.size < WORTH_HELP
        processes = 1 if alone else self._processes
        parts = [(file, part) for file in self._files for part in self._parts(file, processes)]
        if alone:
            for file, part in parts:
                yield from ((file, found) for found in part.work() if not isinstance(found, At))
                yield file, None
            return
        with Pool[Found](min(processes, len(parts))) as pool:
            for number, found in pool.each(part for _, part in parts):
                file, _ = parts[number]
                if isinstance(found, Died):
                    found = Left(found.place or file.home, ENDED)
                yield file, found

    def _parts(self, file: ChangedFile, processes: int) -> Iterator[RunsOf]:
        """What a file is read in, without the runs that are in already from an update that was
        left."""
        places = self.library.places(file.home)
        known = {place for place, fingerprint in places.items() if fingerprint == file.fingerprint}
        file.parts = processes if file.path.is_file() and file.size > WORTH_PARTS else 1
        for part in range(file.parts):
            yield RunsOf(file.path, file.fingerprint, known, part, file.parts)
