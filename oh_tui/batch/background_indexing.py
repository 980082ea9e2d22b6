"""Indexes runs that were opened or downloaded anyway, in a process of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from oh_tui.api.models import Conversation
from oh_tui.batch import server_indexing
from oh_tui.batch.index_reader import TELLS_KEY, Left, RunsOf, fingerprint_of
from oh_tui.batch.pool import Pool
from oh_tui.library.library import Library
from oh_tui.library.records import Record
from oh_tui.sources.file_rows import plain_path
from oh_tui.sources.server_runs.loading import run_of_cache
from oh_tui.sources.server_runs.run_cache import RunCache
from oh_tui.text.problem import Problem
from oh_tui.trajectory.formats.run_file import Indexes

NICE = 19
"""Niceness of the process: everything else goes first."""


class InFile(NamedTuple):
    path: Path
    place: str = ""
    """`PATH#ID` of one of several runs; "" for all."""
    indexes: Indexes | None = None


class OfServer(NamedTuple):
    """A finished run of a server, which the cache keeps."""

    conversation: Conversation
    address: str
    cache: RunCache


Wanted: TypeAlias = InFile | OfServer


class Fill(NamedTuple):
    """`fill` as a task for a process. Yields whether the library can be written."""

    cache_folder: Path
    run: Wanted

    def work(self) -> Iterator[bool]:
        with Library(self.cache_folder, writes=True) as library:
            if library:
                fill(library, self.run)
            yield bool(library)

    def without(self, places: Sequence[str]) -> Fill:
        return self


def fill(library: Library, run: Wanted) -> None:
    """Indexes the run unless its entry is up to date. Never raises: `oh-tui index` reports what
    fails."""
    with contextlib.suppress(Exception):
        if isinstance(run, InFile):
            _fill_of_file(library, run)
        else:
            _fill_of_server(library, run)


def _fill_of_file(library: Library, run: InFile) -> None:
    path = plain_path(run.path)
    fingerprint = fingerprint_of(path)  # taken first: the file may change while it is read
    place = run.place or str(path)
    if not fingerprint or library.has(place, fingerprint):
        return
    if library.fingerprint(str(path)) == fingerprint:
        return
    count, taken = 0, 0
    for one in RunsOf(path, fingerprint, wanted=run.place, indexes=run.indexes).work():
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


def _fill_of_server(library: Library, wanted: OfServer) -> None:
    row, address = wanted.conversation, wanted.address
    if library.has(server_indexing.place_on(address, row), row.updated_at or ""):
        return
    run = run_of_cache(wanted.cache, row)
    if run is not None and (left := server_indexing.take(library, run, row, address)):
        _leave(library, left)


class Filler:
    """Runs `fill` in a process of its own."""

    def __init__(self, cache_folder: Path) -> None:
        self._folder = cache_folder
        self.pool = Pool[bool](1, NICE)

    def fill(self, run: Wanted) -> bool:
        """Blocks until the run is indexed or skipped: call it in a thread. False if the library
        cannot be written or no process starts."""
        try:
            found = [one for _, one in self.pool.each([Fill(self._folder, run)])]
        except Problem:
            return False
        return any(found)
