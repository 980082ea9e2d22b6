"""Saves where the rows of large files begin, in small private files of the cache folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

from oh_tui.settings.private_store import PrivateStore

FOLDER = "indexes"

LARGEST = 32_000_000
"""Most bytes of an index, enough for 400,000 rows."""

MOST = 50
"""Indexes that are kept. The least recently used are dropped."""


class _Index(PrivateStore[bytes, bytes]):
    """One index, after its key."""

    def __init__(self, folder: Path, key: str) -> None:
        self._key = key.encode("utf-8", "surrogateescape")
        self.file = folder / f"{hashlib.sha256(self._key).hexdigest()[:32]}.index"
        super().__init__(self.file, LARGEST, bytes)

    def decoded(self, data: bytes) -> bytes:
        key, _, held = data.partition(b"\0")
        if key != self._key:
            raise ValueError
        return held

    def encoded(self, held: bytes) -> bytes:
        return self._key + b"\0" + held

    def changed(self, held: bytes, change: bytes) -> bytes:
        return change


class FileIndexes:
    """The indexes on disk. If one is missing or damaged, its file is read through once more."""

    def __init__(self, cache_folder: Path) -> None:
        self._folder = cache_folder / FOLDER

    def load(self, key: str) -> bytes:
        """What was saved under this key; b"" if nothing was, or if the file is another user's."""
        index = _Index(self._folder, key)
        try:
            found = index.file.lstat()
            if found.st_uid != os.geteuid() or found.st_mode & 0o077:
                return b""
            os.utime(index.file)
        except OSError:
            return b""
        return index.read() or b""

    def save(self, key: str, data: bytes) -> None:
        if self._folder.is_symlink() or not _Index(self._folder, key).write([data]):
            return
        with contextlib.suppress(OSError):
            kept = sorted(self._folder.glob("*.index"), key=lambda one: one.lstat().st_mtime)
            for old in kept[:-MOST]:
                old.unlink(missing_ok=True)
