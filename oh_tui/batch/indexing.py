"""Indexes the runs of changed files and folders, in several processes."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import msgspec

from oh_tui.batch.index_reader import (
    TELLS_KEY,
    Damage,
    Found,
    Left,
    RunsOf,
    fingerprint_of,
    size_of,
)
from oh_tui.batch.pool import ENDED, At, Died, Pool, cores
from oh_tui.library.library import Library
from oh_tui.library.records import Record
from oh_tui.sources.file_rows import plain_path

AT_ONCE = 5_000_000
"""Characters of text per write. More would take memory, fewer would take time."""

LONGEST = 1.0
"""Seconds after which waiting records are written anyway."""

WORTH_PARTS = 10_000_000
"""Bytes from which several processes share a file of several runs."""

WORTH_HELP = 3_000_000
"""Below this many bytes, starting processes takes longer than reading."""


class ChangedFile(msgspec.Struct, eq=False):
    """A file or folder whose runs must be indexed."""

    path: Path
    size: int
    fingerprint: str
    parts: int = 1
    """Number of tasks that share it."""
    ended: int = 0
    """Number of these tasks that have ended."""
    share: float = 0.0
    """Approximate bytes per run."""

    @property
    def home(self) -> str:
        return str(self.path)


class Outcome(msgspec.Struct):
    """Progress of an update. Its counts grow."""

    files: int = 0
    """Files to look at."""
    unchanged: int = 0
    vanished: int = 0
    """Indexed files that are no longer there."""
    size: int = 0
    """Bytes of the changed files."""
    read: float = 0.0
    """Approximate bytes read so far."""
    runs: int = 0
    """Runs indexed."""
    left: list[Left] = []
    damage: list[str] = []
    """What of files could not be read, a sentence each."""
    going_on: int = 0
    """Runs of a server that were left out because they may go on."""
    trouble: str = ""
    """Why the library accepts nothing more; "" while it does."""
    seconds: float = 0.0

    @property
    def time_left(self) -> float | None:
        """Estimated seconds; None while unknown."""
        if not self.read or self.seconds < 1:
            return None
        return self.seconds * (self.size - self.read) / self.read


class Indexing:
    """One update of the library. `run` can be stopped at any moment: indexed runs stay, and the
    next update does the rest."""

    def __init__(self, library: Library, paths: Sequence[Path], processes: int = 0) -> None:
        """`paths` are files and folders as `find_files` names them."""
        self.library = library
        self.outcome = Outcome(files=len(paths))
        self._processes = processes or min(8, cores())
        self._files = list(self._changed(paths))
        self._batch: list[Record] = []
        self._done: list[ChangedFile] = []
        """Files that were read to the end. Their runs are indexed or in the batch."""
        self._lacking = set[str]()
        """Homes with a run that could not be indexed but may be readable later."""
        self._ended = set[str]()
        """Homes at which a process died, so that they may hold more runs."""
        self._characters = 0
        self._written = time.monotonic()
        self._writer = ThreadPoolExecutor(1)
        self._writing: Future[None] | None = None
        """The write that runs while more is read: SQLite works without the interpreter's lock."""

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
        """Yields the progress again and again. Close it to stop."""
        began = time.monotonic()
        self._mark_vanished()
        try:
            for file, found in self._all():
                if isinstance(found, int):
                    file.share = file.size / file.parts / max(1, found)
                    continue
                if isinstance(found, Damage):
                    if found.told not in self.outcome.damage:  # each part of a file tells it
                        self.outcome.damage.append(found.told)
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
        # A file is not done if it changed during the read. One with a run in `left` is read again
        # next
        # time too: a process may have been killed, or a library may be missing.
        if fingerprint_of(file.path) == file.fingerprint:
            self._done.append(file)
        self._write_if_due()

    def _write_if_due(self) -> None:
        if self._characters > AT_ONCE or time.monotonic() - self._written > LONGEST:
            self._write()

    def _write(self) -> None:
        """Starts to write the batch once the previous write has ended."""
        self._wait()
        batch, self._batch = self._batch, []
        files, self._done, self._characters = self._done, [], 0
        try:
            self._writing = self._writer.submit(self._store, batch, files)
        except RuntimeError:  # the system cannot start a thread
            self._writer.shutdown(wait=False, cancel_futures=True)
            self._writer, self._writing = ThreadPoolExecutor(1), None
            self._store(batch, files)
        self._written = time.monotonic()

    def _wait(self) -> None:
        if self._writing:
            self._writing.result()

    def _store(self, batch: list[Record], files: list[ChangedFile]) -> None:
        """Writes the batch, without records that cannot be stored."""
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
        """Tries twice: the first failure may have made the library anew."""
        done = [(file.home, file.fingerprint) for file in files]
        if (batch or done) and not (self.library.put(batch, done) or self.library.put(batch, done)):
            self.outcome.trouble = self.library.trouble or self.library.why
            return False
        self.outcome.runs += len(batch)
        return True

    def _all(self) -> Iterator[tuple[ChangedFile, Found | None]]:
        """What is found in each file; None at the end of each task."""
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
        """The tasks that read a file, without runs that an interrupted update has indexed."""
        places = self.library.places(file.home)
        known = {place for place, fingerprint in places.items() if fingerprint == file.fingerprint}
        file.parts = processes if file.path.is_file() and file.size > WORTH_PARTS else 1
        for part in range(file.parts):
            yield RunsOf(file.path, file.fingerprint, known, part, file.parts)
