"""Indexes runs that were opened or downloaded anyway, in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from oh_tui.batch import server_indexing
from oh_tui.batch.index_reader import TELLS_KEY, Skipped, fingerprint_of
from oh_tui.batch.indexing import Indexing
from oh_tui.batch.pool import Pool
from oh_tui.conversation import Conversation
from oh_tui.library.library import Library
from oh_tui.sources.file_rows import plain_path
from oh_tui.sources.server_runs.loading import run_of_cache
from oh_tui.sources.server_runs.run_cache import RunCache
from oh_tui.text.problem import Problem
from oh_tui.trajectory.formats.run_file import Indexes


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
        skipped = _of_file(library, run) if isinstance(run, InFile) else _of_server(library, run)
        if any(one.why == TELLS_KEY for one in skipped):
            library.tidy()


def _of_file(library: Library, run: InFile) -> list[Skipped]:
    path = plain_path(run.path)
    place = run.place or str(path)
    if library.has(place, fingerprint_of(path)):
        return []
    work = Indexing(library, [path], place, run.indexes)
    asyncio.run(work.run())
    return work.outcome.skipped


def _of_server(library: Library, wanted: OfServer) -> list[Skipped]:
    row, address = wanted.conversation, wanted.address
    if library.has(server_indexing.place_on(address, row), row.updated_at or ""):
        return []
    run = run_of_cache(wanted.cache, row)
    skipped = run and server_indexing.take(library, run, row, address)
    return [skipped] if skipped else []


class Filler:
    def __init__(self, cache_folder: Path) -> None:
        self._folder = cache_folder
        self.pool = Pool[bool](1, nice=19)  # everything else goes first

    def fill(self, run: Wanted) -> bool:
        """Blocks until the run is indexed or skipped: call it in a thread. False if the library
        cannot be written or no process starts."""
        try:
            found = [one for _, one in self.pool.each([Fill(self._folder, run)])]
        except Problem:
            return False
        return any(found)
