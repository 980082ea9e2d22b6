"""A plain file that is read by position and may grow, and the pool that keeps few files open.

A folder may have thousands of runs, but usually 1,024 files may be open on Linux and 256 on macOS.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
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
