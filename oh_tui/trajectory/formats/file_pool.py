"""Keeps the recently used files open.

A folder may have thousands of runs, but usually 1,024 files may be open on Linux and 256 on macOS.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import IO, ClassVar

MOST = 64
"""Files open at once. No more threads than this may read at once."""


class PooledFile:
    """A file to read. It is closed once MOST others were used after it, and reopened at its next
    use if it is still the same file."""

    _lock: ClassVar = threading.Lock()
    _used: ClassVar[dict[PooledFile, None]] = {}
    """The open files, most recently used last."""
    _latest: ClassVar[PooledFile | None] = None

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self._path = path.absolute()
        self._file = self._open()
        self._same = os.fstat(self._file.fileno())
        self.is_closed = False
        self.use()

    def use(self) -> IO[bytes]:
        """The open file, at any position. It stays open until MOST others are used. Raises OSError
        if another file is now at its path, ValueError if it is closed."""
        if PooledFile._latest is self:  # the usual case: a run is read event by event
            return self._file
        with PooledFile._lock:
            if self.is_closed:
                raise ValueError("closed file")
            if self._file.closed:
                self._file = self._open_again()
            self._used.pop(self, None)
            self._used[self] = None
            PooledFile._latest = self
            if len(self._used) > MOST:
                oldest = next(iter(self._used))
                del self._used[oldest]
                oldest._file.close()
            return self._file

    def close(self) -> None:
        with PooledFile._lock:
            self.is_closed = True
            self._used.pop(self, None)
            if PooledFile._latest is self:
                PooledFile._latest = None
            self._file.close()

    def is_at(self, path: Path) -> bool:
        """Whether this file is still at the path. Raises OSError."""
        return os.path.samestat(self._same, path.stat())

    def _open(self) -> IO[bytes]:
        # opening a pipe would block
        return os.fdopen(os.open(self._path, os.O_RDONLY | os.O_NONBLOCK), "rb")

    def _open_again(self) -> IO[bytes]:
        file = self._open()
        if os.path.samestat(self._same, os.fstat(file.fileno())):
            return file
        file.close()
        raise OSError("another file is there now")


def source_of(file: IO[bytes] | PooledFile) -> IO[bytes]:
    """The open file, from the pool or not. Raises what `PooledFile.use` raises."""
    return file.use() if isinstance(file, PooledFile) else file
