"""The files of a run in a folder."""

from __future__ import annotations

import contextlib
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from oh_tui.trajectory.formats.plain_file import start_of
from oh_tui.trajectory.formats.zip.zip_layout import DEEPEST, EVENT_FILE, is_state, level_of
from oh_tui.trajectory.formats.zip.zip_members import MEMBER_LIMIT, CannotRead, Members
from oh_tui.trajectory.model.event_kinds import UNREADABLE
from oh_tui.trajectory.model.events import decode_json, parse_event

_MOST_HOMES = 10_000
"""Most sub-agents that are looked for."""

COPIED = 120.0
"""If a file was written this many seconds after its event, it is a copy."""

YOUNG = 600.0
"""For this many seconds a file that is not JSON yet may still be being written, and a run that has
not grown may still be at work."""


class FolderMembers(Members):
    """The files of a folder, of its `events` folder and of its sub-agents, without links."""

    grows = True
    """Another program may add to them."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError."""
        self.folder = folder
        self.names = self._list()

    def _list(self) -> list[str]:
        names: list[str] = []
        homes = [""]
        for home in homes:  # the list grows during the loop
            folder = self.folder / home
            names += _files(folder, home)
            names += _files(folder / "events", f"{home}events/")
            for name in _folders(folder / "subagents"):
                # one level deeper than is read, so that what is left out can be reported
                if level_of(home) <= DEEPEST and len(homes) < _MOST_HOMES:
                    homes.append(f"{home}subagents/{name}/")
        return names

    def now(self) -> list[str]:
        """The names now in the folder and in its `events`. Raises OSError."""
        return _files(self.folder, "") + _files(self.folder / "events", "events/")

    def is_unfinished(self, name: str) -> bool:
        """Whether a file is still being written: it is young and no JSON yet."""
        if abs(time.time() - self.written_at(name)) > YOUNG:
            return False
        try:
            return parse_event(self.read_name(name)).kind == UNREADABLE
        except CannotRead:
            return False

    def written(self) -> tuple[tuple[float, int], ...]:
        """When the folder, its events and its state last changed, in seconds since 1970, and the
        size of each. () if the folder is gone."""
        names = ("", "events", "base_state.json")
        found = [_time_and_size(self.folder / name) for name in names]
        return tuple(found) if any(found[0]) else ()

    def written_at(self, name: str) -> float:
        """When a file was last written; 0 if it is gone."""
        return _time_and_size(self.folder / name)[0]

    def mention(self, text: str) -> bool:
        """As in `Members`; also looks for files that were added since."""
        with contextlib.suppress(OSError):
            return super().mention(text) or any(text in name for name in self._list())
        return False

    def add(self, names: list[str]) -> range:
        """Lists more files. Returns their indexes."""
        count = len(self.names)
        self.names += names
        return range(count, len(self.names))

    def read(self, index: int) -> bytes:
        return self.read_name(self.names[index])

    def read_name(self, name: str) -> bytes:
        """The bytes of a file, listed or not. Raises CannotRead."""
        return read_file(self.folder / name)


def read_file(path: Path) -> bytes:
    """The bytes of a file of a run. Raises CannotRead."""
    try:
        data = start_of(path, MEMBER_LIMIT + 1)
    except FileNotFoundError as error:
        raise CannotRead("gone" if error.errno else "no file") from error
    except (OSError, ValueError) as error:
        raise CannotRead("no access") from error
    if len(data) > MEMBER_LIMIT:
        raise CannotRead("larger than 64 MiB")
    return data


def is_near(written: float, timestamp: str) -> bool:
    """Whether a file was written at about the time of its event. A timestamp without a zone may be
    UTC or local time."""
    try:
        when = datetime.fromisoformat(timestamp)
        times = [when] if when.tzinfo else [when.replace(tzinfo=UTC), when.astimezone()]
        return any(abs(written - one.timestamp()) <= COPIED for one in times)
    except (ValueError, OverflowError, OSError):
        return False


def _time_and_size(path: Path) -> tuple[float, int]:
    """Both 0 if the file is gone."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return 0.0, 0
    return found.st_mtime, found.st_size


def _folders(folder: Path) -> list[str]:
    if folder.is_symlink() or not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))


def _files(folder: Path, before: str) -> list[str]:
    if before and (folder.is_symlink() or not folder.is_dir()):
        return []
    with os.scandir(folder) as entries:
        return [before + entry.name for entry in entries if entry.is_file(follow_symlinks=False)]


def is_run(folder: Path) -> bool:
    """Whether a folder contains events of a run, or at least its state."""
    for path in (folder, folder / "events"):
        try:
            with os.scandir(path) as entries:
                if any(EVENT_FILE.fullmatch(entry.name) for entry in entries):
                    return True
        except (OSError, ValueError):
            break
    try:
        return is_state(decode_json(read_file(folder / "base_state.json")))
    except (CannotRead, ValueError):
        return False
