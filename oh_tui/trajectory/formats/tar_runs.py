"""A tar of runs, plain or packed: `conversations/ID.tar.gz`, `results.tar.gz`, `.tar`.

Nothing is unpacked to disk. A plain tar is read by offset; the files of one run in a packed one are
read in one pass when the run is opened, and kept in memory.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from oh_tui.trajectory.formats.archive import Archive
from oh_tui.trajectory.formats.members import MEMBER_LIMIT, CannotRead, Members, Names
from oh_tui.trajectory.formats.run_file import (
    HINT,
    Entry,
    Format,
    FormatProblem,
    Indexes,
    RunList,
    shown_name,
)
from oh_tui.trajectory.formats.streams import Stream, open_stream
from oh_tui.trajectory.formats.tar_table import Member, TarTable, is_header
from oh_tui.trajectory.formats.zip_layout import EVENT_FILE, STATE_FILES, SUB_AGENTS, home_of

HELD = 128 * 2**20
"""Bytes of the files of one run that are kept in memory; the others are unpacked once more."""


class TarMembers(Members):
    """The files of one run."""

    def __init__(self, stream: Stream, run: _Run, *, is_cut: bool) -> None:
        super().__init__()
        self.is_cut = is_cut
        self.names = Names(run.names)
        self._stream = stream
        self._starts, self._sizes = run.starts, run.sizes
        self._held: dict[int, bytes] = {}
        self.is_held = not stream.reads_anywhere and self._hold()
        """The tar is not read any more for this run."""

    def _hold(self) -> bool:
        """Whether there was room for all."""
        room = HELD
        for index in range(len(self.names)):  # in the order in which they stand in the tar
            if self._sizes[index] > min(room, MEMBER_LIMIT):
                continue
            room -= self._sizes[index]
            self._held[index] = self._stream.read(self._starts[index], self._sizes[index])
        return len(self._held) == len(self.names)

    def read(self, index: int) -> bytes:
        size = self._sizes[index]
        if size > MEMBER_LIMIT:
            raise CannotRead("larger than 64 MiB")
        data = self._held.get(index)
        if data is None:
            data = self._stream.read(self._starts[index], size)
        if len(data) < size:
            raise CannotRead("cut off")
        return data


class _Run:
    """Where the files of a run stand."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.starts, self.sizes = array("Q"), array("Q")
        self.number = 0
        """0 until a file tells that this is a run."""

    def add(self, name: str, member: Member) -> None:
        self.names.append(name)
        self.starts.append(member.start)
        self.sizes.append(member.size)


class TarRuns:
    """A tar that stays open; its runs are listed while it is read for the first time."""

    is_outdated = False

    def __init__(self, name: str, stream: Stream) -> None:
        """Takes ownership of the stream, unpacked."""
        self.name = shown_name(name)
        self._stream = stream
        self._table = TarTable()
        self._found = self._pass()
        self._homes: dict[str, _Run] = {}
        self._runs: list[tuple[str, _Run]] = []
        """Unique name and files of each run so far."""
        self._taken: set[str] = set()
        self._last: _Run | None = None
        """The run of the last file."""
        self._problem = ""
        self.is_needed = False
        """A run that was opened still reads the tar."""
        self._lock = threading.RLock()

    @property
    def problems(self) -> list[str]:
        told = [f"{self.name} {problem}" for problem in self._table.problems]
        if self._problem:
            told.append(f"{self.name} {self._problem}; what comes before is shown")
        return told

    def entries(self) -> Iterator[Entry]:
        number = 0
        while self._is_found(number + 1):
            # the only run needs no name
            is_alone = number == 0 and not self._is_found(2)
            yield self._entry(number, is_alone=is_alone)
            number += 1
        if not number:
            told = self.problems
            raise FormatProblem(told[0] if told else f"{self.name} holds no run", HINT)

    def open(self, number: int) -> Archive:
        with self._lock:
            for _ in self._found:  # files of it may follow
                pass
            name, run = self._runs[number - 1]
            is_cut = self._table.is_cut and run is self._last
            members = TarMembers(self._stream, run, is_cut=is_cut)
            self.is_needed |= not members.is_held
        return Archive(members, name if len(self._runs) > 1 else self.name)

    def close(self) -> None:
        self._stream.close()

    def _entry(self, index: int, *, is_alone: bool) -> Entry:
        name = "" if is_alone else self._runs[index][0]
        info: dict[str, Any] = {"id": name, "title": name} if name else {}
        return Entry(self, index + 1, name, info)

    def _is_found(self, count: int) -> bool:
        """Looks for more runs until there are so many."""
        with self._lock:
            while len(self._runs) < count:
                if next(self._found, None) is None:
                    return False
            return True

    def _pass(self) -> Iterator[Member]:
        """The files, each after it was put to its run."""
        for member in self._table.read(self._stream):
            self._take(member)
            yield member
        self._problem = self._stream.problem

    def _take(self, member: Member) -> None:
        folder, _, file = member.name.rpartition("/")
        is_event = EVENT_FILE.fullmatch(member.name) is not None
        if not is_event and file not in STATE_FILES:
            self._last = None
            return
        home = _top(home_of(folder) if is_event else folder)
        run = self._last = self._homes.setdefault(home, _Run())
        run.add(member.name[len(home) :].lstrip("/"), member)
        if not run.number and (is_event or file == "base_state.json"):
            self._runs.append((self._unique(home), run))
            run.number = len(self._runs)

    def _unique(self, home: str) -> str:
        last = home.rpartition("/")[2] or self.name
        for name in (last, home, f"{last}@{len(self._runs) + 1}"):
            if (shown := shown_name(name)) not in self._taken:
                break
        self._taken.add(shown)
        return shown


def _top(home: str) -> str:
    """The home of the parent of sub-agents."""
    parts = home.split("/")
    if SUB_AGENTS not in parts:
        return home
    return "/".join(parts[: parts.index(SUB_AGENTS)])


def _is_tar(head: bytes, name: str) -> bool:
    return is_header(head[:512])


def _open(path: Path, indexes: Indexes | None) -> RunList:
    return TarRuns(path.name, open_stream(path))


FORMAT = Format("tar of runs", _is_tar, _open)
