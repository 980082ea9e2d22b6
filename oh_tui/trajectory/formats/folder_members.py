"""The files of a run in a folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from oh_tui.trajectory.formats.members import MEMBER_LIMIT, CannotRead, Members, Names

_DEEPEST, _MOST_HOMES = 16, 10_000
"""Limits on sub-agents: slashes in a path, and their number."""


class FolderMembers(Members):
    """The files of a folder, of its `events` folder and of its sub-agents, without links."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError."""
        super().__init__()
        self._folder = folder
        self.names = Names(self._list())

    def _list(self) -> list[str]:
        names: list[str] = []
        homes = [""]
        for home in homes:  # grows during the loop
            folder = self._folder / home
            names += _files(folder, home)
            names += _files(folder / "events", f"{home}events/")
            for name in _folders(folder / "subagents"):
                if home.count("/") < _DEEPEST and len(homes) < _MOST_HOMES:
                    homes.append(f"{home}subagents/{name}/")
        return names

    def mention(self, text: str) -> bool:
        """Looks again for files that were added since the folder was listed."""
        if self.names.mention(text):
            return True
        try:
            return Names(self._list()).mention(text)
        except OSError:
            return False

    def read(self, index: int) -> bytes:
        path = self._folder / self.names[index]
        try:
            # must not block if a pipe has replaced the file
            handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
            with os.fdopen(handle, "rb") as file:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise CannotRead("no file")
                data = file.read(MEMBER_LIMIT + 1)
        except FileNotFoundError as error:
            raise CannotRead("gone") from error
        except (OSError, ValueError) as error:
            raise CannotRead("no access") from error
        if len(data) > MEMBER_LIMIT:
            raise CannotRead("larger than 64 MiB")
        return data


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
