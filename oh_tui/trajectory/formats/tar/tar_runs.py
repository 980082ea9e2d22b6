"""The runs in the folders of a tar, plain or packed, such as `conversations/ID.tar.gz`.

Nothing is unpacked to disk. A plain tar is read by offset; the files of one run in a packed one are
read in one pass when the run is opened, and kept in memory.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeAlias

from oh_tui.trajectory.formats.run_file import (
    HINT,
    Entry,
    FormatProblem,
    RunFile,
    Unchanging,
    shown_name,
)
from oh_tui.trajectory.formats.streams import Stream
from oh_tui.trajectory.formats.tar.tar_table import Member, TarTable
from oh_tui.trajectory.formats.zip.archive import Archive
from oh_tui.trajectory.formats.zip.members import MEMBER_LIMIT, CannotRead, Members, Names
from oh_tui.trajectory.formats.zip.zip_layout import EVENT_FILE, STATE_FILES, SUB_AGENTS, home_of

Opener: TypeAlias = Callable[[], RunFile]

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
        """The run is in memory; the tar is no longer read for it."""

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
        self.is_listed = False
        """Whether a file told that this is a run."""

    def add(self, name: str, member: Member) -> None:
        self.names.append(name)
        self.starts.append(member.start)
        self.sizes.append(member.size)


class _Item(NamedTuple):
    """A run of the list."""

    name: str
    """Unique in the tar."""
    info: dict[str, Any]
    run: _Run | None
    """Its files; None for a run that `opener` opens."""
    opener: Opener | None


class TarRuns(Unchanging):
    """A tar that stays open; its runs are listed while it is read for the first time."""

    def __init__(self, name: str, stream: Stream) -> None:
        """Takes ownership of the stream, unpacked."""
        self.name = shown_name(name)
        self._stream = stream
        self.table = TarTable()
        self._members = self._pass()
        self._more = self.more()
        self._homes: dict[str, _Run] = {}
        self._items: list[_Item] = []
        self._taken: set[str] = set()
        self._last: _Run | None = None
        """The run to which the file read last belongs."""
        self._problem = ""
        self.is_needed = False
        """A run that was opened still reads the tar."""
        self._lock = threading.RLock()

    @property
    def problems(self) -> list[str]:
        told = [f"{self.name} {problem}" for problem in self.table.problems]
        if self._problem:
            told.append(f"{self.name} {self._problem}; what comes before is shown")
        return told

    def entries(self) -> Iterator[Entry]:
        number = 0
        while self._is_found(number + 1):
            item = self._items[number]
            number += 1
            if item.run and number == 1 and not self._is_found(2):
                yield Entry(self, 1)  # the only run needs no name
            else:
                yield Entry(self, number, item.name, item.info)
        if not number:
            told = self.problems
            raise FormatProblem(told[0] if told else f"{self.name} holds no run", HINT)

    def open(self, number: int) -> RunFile:
        item = self._items[number - 1]
        return item.opener() if item.opener else self.archive(number)

    def archive(self, number: int) -> Archive:
        """The run in a folder that has this number. Raises Problem."""
        with self._lock:
            for _ in self._members:  # files of it may follow
                pass
            item = self._items[number - 1]
            assert item.run is not None
            is_cut = self.table.is_cut and item.run is self._last
            members = TarMembers(self._stream, item.run, is_cut=is_cut)
            self.is_needed |= not members.is_held
        return Archive(members, item.name if len(self._items) > 1 else self.name)

    def add(self, names: tuple[str, str], info: dict[str, Any], opener: Opener) -> None:
        """List a run that is not in a folder of its own, by the second name if another has the
        first."""
        name = self._unique(*names)
        self._items.append(_Item(name, info or {"id": name, "title": name}, None, opener))

    def take_other(self, member: Member) -> None:
        """A file that belongs to no run in a folder."""

    def more(self) -> Iterator[None]:
        """Adds other runs, once all files are known."""
        yield from ()

    def close(self) -> None:
        self._stream.close()

    def _is_found(self, count: int) -> bool:
        """Looks for more runs until there are so many."""
        with self._lock:
            while len(self._items) < count:
                if next(self._members, None) is None and next(self._more, self) is self:
                    return False
            return True

    def _pass(self) -> Iterator[Member]:
        """The files, each after it was put to its run."""
        for member in self.table.read(self._stream):
            self._take(member)
            yield member
        self._problem = self._stream.problem

    def _take(self, member: Member) -> None:
        folder, _, file = member.name.rpartition("/")
        is_event = EVENT_FILE.fullmatch(member.name) is not None
        if not is_event and file not in STATE_FILES:
            self._last = None
            self.take_other(member)
            return
        home = _top(home_of(folder) if is_event else folder)
        run = self._last = self._homes.setdefault(home, _Run())
        run.add(member.name[len(home) :].lstrip("/"), member)
        if not run.is_listed and (is_event or file == "base_state.json"):
            run.is_listed = True
            name = self._unique(home.rpartition("/")[2] or self.name, home)
            self._items.append(_Item(name, {"id": name, "title": name}, run, None))

    def _unique(self, short: str, path: str) -> str:
        for name in (short, path, f"{short}@{len(self._items) + 1}"):
            if (shown := shown_name(name)) and shown not in self._taken:
                break
        self._taken.add(shown)
        return shown


def _top(home: str) -> str:
    """The home of the parent of sub-agents."""
    parts = home.split("/")
    if SUB_AGENTS not in parts:
        return home
    return "/".join(parts[: parts.index(SUB_AGENTS)])
