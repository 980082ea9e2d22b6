"""Files that are open while they are among the last used.

A folder may hold thousands of runs; the usual limit of open files is 1,024 on Linux, 256 on macOS.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import IO, ClassVar

MOST = 64
"""Files that are open at once. More threads than this must not read at once."""


class PooledFile:
    """A file to read. It is closed when MOST others were used since, and opened again at its next
    use, if it is still the same file."""

    _lock: ClassVar = threading.Lock()
    _used: ClassVar[dict[PooledFile, None]] = {}
    """The open ones, the last used at the end."""
    _latest: ClassVar[PooledFile | None] = None

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self._path = path.absolute()
        self._file = self._open()
        self._same = os.fstat(self._file.fileno())
        self.is_closed = False
        self.use()

    def use(self) -> IO[bytes]:
        """The file, at any position; it stays open until MOST others are used. Raises OSError when
        another file is at its path by now, ValueError when it is closed."""
        if PooledFile._latest is self:  # nearly always: a run is read event by event
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
        """Whether it is the file that is at this path now. Raises OSError."""
        return os.path.samestat(self._same, path.stat())

    def _open(self) -> IO[bytes]:
        # a pipe would block
        return os.fdopen(os.open(self._path, os.O_RDONLY | os.O_NONBLOCK), "rb")

    def _open_again(self) -> IO[bytes]:
        file = self._open()
        if os.path.samestat(self._same, os.fstat(file.fileno())):
            return file
        file.close()
        raise OSError("another file is there now")


def source_of(file: IO[bytes] | PooledFile) -> IO[bytes]:
    """The open file, of the pool or not. Raises what `PooledFile.use` raises."""
    return file.use() if isinstance(file, PooledFile) else file
