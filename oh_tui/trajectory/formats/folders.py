"""The folder in which a file of runs lies: on disk, or in a tar."""

from __future__ import annotations

import os
import stat
from itertools import islice
from pathlib import Path
from typing import Protocol

from oh_tui.trajectory.formats.streams import PlainStream, Stream


class Folder(Protocol):
    def names(self, ending: str, most: int) -> list[str]:
        """The first names, in order, of files directly in it that end so."""
        ...

    def has(self, folder: str) -> bool:
        """Whether a folder of this name is in it."""
        ...

    def below(self, folder: str) -> Folder:
        """The folder of this name in it, which may be missing."""
        ...

    def open(self, name: str) -> Stream:
        """A file in it or in a folder in it, as it stands there, packed or not. Raises OSError."""
        ...


class DiskFolder:
    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self, ending: str, most: int) -> list[str]:
        try:
            with os.scandir(self._path) as entries:
                found = [e.name for e in entries if e.name.endswith(ending) and e.is_file()]
        except OSError:
            return []
        return list(islice(sorted(found), most))

    def has(self, folder: str) -> bool:
        return (self._path / folder).is_dir()

    def below(self, folder: str) -> Folder:
        return DiskFolder(self._path / folder)

    def open(self, name: str) -> Stream:
        path = self._path / name
        if not stat.S_ISREG(path.stat().st_mode):
            raise FileNotFoundError(name)  # a pipe would block
        return PlainStream(path)
