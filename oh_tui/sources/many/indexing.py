"""Takes the runs of files and folders into the library: what has changed, in several processes."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Collection, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

import msgspec

from oh_tui.library.library import Library
from oh_tui.library.records import Record
from oh_tui.sources.file_rows import plain_path
from oh_tui.sources.many.reading import TELLS_KEY, Found, Left, fingerprint_of, records, size_of
from oh_tui.sources.many.worker import ENDED
from oh_tui.text.problem import Problem
from oh_tui.text.redact import held, hold

AT_ONCE = 5_000_000
"""Characters of texts that are written at once. More would take memory, fewer time."""

LONGEST = 1.0
"""Seconds after which what there is is written."""

WORTH_PARTS = 10_000_000
"""Bytes of a file of several runs that several processes share."""

WORTH_HELP = 3_000_000
"""Bytes below which starting processes takes longer than reading."""


class Job(msgspec.Struct, eq=False):
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
        self._processes = processes or min(8, os.cpu_count() or 1)
        self._jobs = list(self._changed(paths))
        self._batch: list[Record] = []
        self._done: list[Job] = []
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

    def _changed(self, paths: Sequence[Path]) -> Iterator[Job]:
        for path in dict.fromkeys(map(plain_path, paths)):
            fingerprint = fingerprint_of(path)
            if fingerprint and self.library.fingerprint(str(path)) == fingerprint:
                self.outcome.unchanged += 1
                continue
            job = Job(path, size_of(path), fingerprint)
            self.outcome.size += job.size
            yield job

    def run(self) -> Generator[Outcome, None, None]:
        """Yields how far it is, again and again. Close it to leave."""
        began = time.monotonic()
        self._mark_vanished()
        try:
            for job, found in self._all():
                if isinstance(found, int):
                    job.share = job.size / job.parts / max(1, found)
                    continue
                if found is None:
                    self._finish(job)
                else:
                    self.outcome.read += job.share
                    self._take(job, found)
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

    def _take(self, job: Job, found: Record | Left) -> None:
        if isinstance(found, Left):
            self._leave(job.home, found)
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

    def _finish(self, job: Job) -> None:
        job.ended += 1
        if job.ended < job.parts:
            return
        # one that has changed meanwhile is read again next time, as is one with something left:
        # a process was killed, or a library is not installed
        if fingerprint_of(job.path) == job.fingerprint:
            self._done.append(job)
        self._write_if_due()

    def _write_if_due(self) -> None:
        if self._characters > AT_ONCE or time.monotonic() - self._written > LONGEST:
            self._write()

    def _write(self) -> None:
        """Begins to take in what was read, once what was read before is in."""
        self._wait()
        batch, self._batch = self._batch, []
        jobs, self._done, self._characters = self._done, [], 0
        try:
            self._writing = self._writer.submit(self._store, batch, jobs)
        except RuntimeError:  # the system starts no thread
            self._writer.shutdown(wait=False, cancel_futures=True)
            self._writer, self._writing = ThreadPoolExecutor(1), None
            self._store(batch, jobs)
        self._written = time.monotonic()

    def _wait(self) -> None:
        if self._writing:
            self._writing.result()

    def _store(self, batch: list[Record], jobs: list[Job]) -> None:
        """Takes in what was read, without a record that cannot be stored."""
        if not self._put(batch, self._whole(jobs)) and self.library.is_of_value:
            self.outcome.trouble = ""
            for record in batch:
                self._put_alone(record)
            self._put([], self._whole(jobs))
        for job in jobs:
            if job.home in self._lacking and job.home not in self._ended:
                self.library.mark_others_gone(job.home, job.fingerprint)

    def _whole(self, jobs: Sequence[Job]) -> list[Job]:
        return [job for job in jobs if job.home not in self._lacking]

    def _put_alone(self, record: Record) -> None:
        if self.outcome.trouble:
            return
        if not self._put([record], []) and self.library.is_of_value:
            self.outcome.trouble = ""
            self.library.drop(record.place)
            self._leave(record.home, Left(record.place, "the index cannot hold what it holds"))

    def _put(self, batch: list[Record], jobs: list[Job]) -> bool:
        """Once more after the library was made anew."""
        done = [(job.home, job.fingerprint) for job in jobs]
        if (batch or done) and not (self.library.put(batch, done) or self.library.put(batch, done)):
            self.outcome.trouble = self.library.trouble or self.library.why
            return False
        self.outcome.runs += len(batch)
        return True

    def _all(self) -> Iterator[tuple[Job, Record | Left | int | None]]:
        """What is found in each file; None after each of its parts."""
        if self._processes == 1 or self.outcome.size < WORTH_HELP:
            for job in self._jobs:
                known = _known(self.library, job)
                for found in records(job.path, job.fingerprint, known):
                    if not isinstance(found, str):
                        yield job, found
                yield job, None
        else:
            yield from _in_processes(self.library, self._jobs, self._processes)


def _known(library: Library, job: Job) -> list[str]:
    """The runs of a file that are in already, from an update that was left."""
    found = library.places(job.home)
    return [place for place, fingerprint in found.items() if fingerprint == job.fingerprint]


# processes


class Task(NamedTuple):
    """The arguments of `records`."""

    path: Path
    fingerprint: str
    known: Collection[str]
    part: int
    parts: int


class _Worker:
    """A process that reads one file after the other, and what it is at work on."""

    def __init__(self) -> None:
        # a copy of this process would hold its threads' locks
        context = multiprocessing.get_context("spawn")
        self.line, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(target=work, args=(theirs, held()), daemon=True)
        self.process.start()
        theirs.close()
        self.job: Job | None = None
        self.task: Task | None = None
        self.begun: list[str] = []
        """The places of the task that were begun."""
        self.at = ""
        """That which is being read."""

    def begin(self, job: Job, task: Task) -> None:
        self.job, self.task, self.begun, self.at = job, task, [], ""
        with contextlib.suppress(OSError):  # it has ended, which the line tells whoever waits
            self.line.send(task)

    def rest(self) -> Task | None:
        """What is left of its task after the run at which it ended; None where it began none."""
        if self.task is None or not self.begun:
            return None
        return self.task._replace(known=[*self.task.known, *self.begun])

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.line.close()


def work(line: connection.Connection, keys: Sequence[str]) -> None:
    """What the process does, until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it says when it ends
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)  # runs have no reference cycles
    for key in keys:
        hold(key)
    try:
        while True:
            path, fingerprint, known, part, parts = line.recv()
            for found in records(path, fingerprint, known, part, parts):
                line.send(found)
            line.send(None)
    except (EOFError, OSError):
        return


def _in_processes(
    library: Library, jobs: Sequence[Job], processes: int
) -> Iterator[tuple[Job, Record | Left | int | None]]:
    """A process that dies of a run leaves it."""
    tasks: deque[tuple[Job, Task]] = deque()
    for job in jobs:
        job.parts = processes if job.path.is_file() and job.size > WORTH_PARTS else 1
        known = _known(library, job)
        for part in range(job.parts):
            tasks.append((job, Task(job.path, job.fingerprint, known, part, job.parts)))
    workers: list[_Worker] = []
    try:
        workers += (_Worker() for _ in range(min(processes, len(tasks))))
        for worker in workers:
            worker.begin(*tasks.popleft())
        while busy := [worker for worker in workers if worker.job]:
            ready = connection.wait([worker.line for worker in busy])
            for worker in (one for one in busy if one.line in ready):
                reading = worker.job
                assert reading is not None
                found: Found | None
                try:
                    found = worker.line.recv()
                except (EOFError, OSError):
                    rest, found = worker.rest(), None
                    if worker.at or not rest:
                        yield reading, Left(worker.at or reading.home, ENDED)
                    worker.stop()
                    workers.remove(worker)
                    workers.append(worker := _Worker())
                    if rest:
                        worker.begin(reading, rest)
                        continue
                if isinstance(found, str):
                    worker.begun.append(found)
                    worker.at = found
                    continue
                worker.at = ""
                if found is None:
                    worker.job = None
                    if tasks:
                        worker.begin(*tasks.popleft())
                yield reading, found
    except OSError as error:
        raise Problem("No process can be started to read the files") from error
    finally:
        for worker in workers:
            worker.stop()
