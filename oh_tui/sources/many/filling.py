"""Takes runs into the library that were opened or downloaded anyway, in a process of its own."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Sequence
from multiprocessing import connection, resource_tracker
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple, TypeAlias

from oh_tui.api.models import Conversation
from oh_tui.library.library import Library
from oh_tui.library.records import Record
from oh_tui.sources.file_rows import plain_path
from oh_tui.sources.many import servers
from oh_tui.sources.many.reading import TELLS_KEY, Left, fingerprint_of, records
from oh_tui.sources.runs.cache import RunCache
from oh_tui.sources.runs.loading import run_of_cache
from oh_tui.text.redact import held, hold_these
from oh_tui.trajectory.formats.run_file import Indexes

NICE = 19
"""By how much others go before the process."""


class InFile(NamedTuple):
    """A run in a file or folder."""

    path: Path
    place: str = ""
    """`PATH#ID` of one of several runs; "" for all."""
    indexes: Indexes | None = None


class OfServer(NamedTuple):
    """A finished run of a server, which the cache keeps."""

    conversation: Conversation
    address: str
    cache: RunCache


Task: TypeAlias = InFile | OfServer


def fill(library: Library, task: Task) -> None:
    """Takes the run in, unless it is in as it is now. Never raises: what fails is left to
    `oh-tui index`, which tells why."""
    with contextlib.suppress(Exception):
        if isinstance(task, InFile):
            _fill_of_file(library, task)
        else:
            _fill_of_server(library, task)


def _fill_of_file(library: Library, task: InFile) -> None:
    path = plain_path(task.path)
    fingerprint = fingerprint_of(path)  # before it is read: it may change meanwhile
    place = task.place or str(path)
    if not fingerprint or library.has(place, fingerprint):
        return
    if library.fingerprint(str(path)) == fingerprint:
        return
    count, taken = 0, 0
    for one in records(path, fingerprint, wanted=task.place, indexes=task.indexes):
        if isinstance(one, int):
            count = one
        elif isinstance(one, Record):
            taken += library.put([one]) or library.put([one])
        elif isinstance(one, Left):
            _leave(library, one)
    if count and taken == count and fingerprint_of(path) == fingerprint:
        library.put([], [(str(path), fingerprint)])


def _leave(library: Library, left: Left) -> None:
    if left.why == TELLS_KEY and library.drop(left.place):
        library.tidy()


def _fill_of_server(library: Library, task: OfServer) -> None:
    row, address = task.conversation, task.address
    if library.has(servers.place_on(address, row), row.updated_at or ""):
        return
    run = run_of_cache(task.cache, row)
    if run is not None and (left := servers.take(library, run, row, address)):
        _leave(library, left)


class Filler:
    """The process. Its methods block: call them in a thread."""

    def __init__(self, cache_folder: Path) -> None:
        self._folder = cache_folder
        self._lock = threading.Lock()
        self._process: BaseProcess | None = None
        self._line: connection.Connection | None = None
        self._stopped = False

    def fill(self, task: Task) -> bool:
        """Blocks until the run is indexed or skipped. False if the index cannot be written."""
        line = self._started()
        if line is None:
            return False
        try:
            line.send((task, held()))
            return bool(line.recv())
        except (EOFError, OSError):  # it was stopped, or ended of this run
            return not self._ended()

    def _started(self) -> connection.Connection | None:
        with self._lock:
            if self._line is None and not self._stopped:
                try:
                    self._start()
                except OSError:  # there are too many processes or files
                    self._end()
            return self._line

    def _start(self) -> None:
        # a copy of this process would hold its threads' locks
        context = multiprocessing.get_context("spawn")
        # Textual's own stderr has no file, which the first process of a kind needs
        with contextlib.redirect_stderr(sys.__stderr__):
            resource_tracker.ensure_running()
        self._line, theirs = context.Pipe()
        with theirs:
            process = context.Process(target=work, args=(theirs, self._folder), daemon=True)
            process.start()
        self._process = process

    def _ended(self) -> bool:
        """Another is started for the next run, unless it was stopped."""
        with self._lock:
            self._end()
            return self._stopped

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        line, self._line = self._line, None
        if process is not None:
            process.kill()
            process.join()
        if line is not None:
            line.close()


def work(line: connection.Connection, cache_folder: Path) -> None:
    """What the process does, until the other end is closed. It says nothing: the terminal belongs
    to the explorer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    with contextlib.suppress(OSError):
        os.nice(NICE)
    gc.freeze()
    with Library(cache_folder, writes=True) as library:
        try:
            while True:
                received: tuple[Task, Sequence[str]] = line.recv()
                task, keys = received
                hold_these(keys)
                if library:
                    fill(library, task)
                line.send(bool(library))
        except (EOFError, OSError):
            return
