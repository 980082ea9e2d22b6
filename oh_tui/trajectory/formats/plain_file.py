"""A plain file that is read by position and may grow."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

from oh_tui.trajectory.formats.file_pool import PooledFile

PIECE = 2**18
"""Bytes read at once."""


class PlainFile:
    """Open until closed. Several threads may read at once."""

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self._file = PooledFile(path)
        self._lock = threading.Lock()
        """Held while the file is used or closed."""
        self.size = os.fstat(self._file.use().fileno()).st_size

    def pieces(self, start: int = 0) -> Iterator[bytes]:
        """The content from a position on, including what was added since it was opened."""
        while piece := self.read(start, PIECE):
            start += len(piece)
            yield piece

    def read(self, start: int, count: int) -> bytes:
        """Fewer bytes at the end; none once the file is closed or gone."""
        parts: list[bytes] = []
        while count and (part := self._read(start, count)):
            if len(part) == count and not parts:
                return part
            parts.append(part)
            start, count = start + len(part), count - len(part)
        return b"".join(parts)

    def is_at(self, path: Path) -> bool:
        """Whether this file is still at the path. Raises OSError."""
        return not self.is_closed and self._file.is_at(path)

    @property
    def is_closed(self) -> bool:
        return self._file.is_closed

    def close(self) -> None:
        with self._lock:
            self._file.close()

    def _read(self, start: int, count: int) -> bytes:
        with self._lock:
            try:
                file = self._file.use()
            except (OSError, ValueError):  # gone or closed
                return b""
            return os.pread(file.fileno(), count, start)


def stamp_of(path: Path) -> str:
    """Identifies the present content of a file. Raises OSError."""
    found = path.stat()
    return f"{path.absolute()}\n{found.st_size}\n{found.st_mtime_ns}"


def start_of(path: Path, most: int) -> bytes:
    """The first bytes of a file. Raises OSError, without errno for a pipe, which would block."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise FileNotFoundError(path)
        return file.read(most)
