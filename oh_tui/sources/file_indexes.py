"""Saves where the rows of large files begin, in small private files of the cache folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

from oh_tui.settings.paths import make_private, read_small, replace_private

LARGEST = 32_000_000
"""Most bytes of an index, enough for 400,000 rows."""


class FileIndexes:
    """The indexes on disk, each after its key. Without one a file is read through again."""

    def __init__(self, cache_folder: Path) -> None:
        self._folder = cache_folder / "indexes"

    def load(self, key: str) -> bytes:
        """What was saved under this key; b"" if nothing was, or if the file is another user's."""
        own, file = self._own(key)
        with contextlib.suppress(OSError):
            found = file.lstat()
            if found.st_uid == os.geteuid() and not found.st_mode & 0o077:
                data = read_small(file, LARGEST)
                os.utime(file)
                return data.removeprefix(own) if data.startswith(own) else b""
        return b""

    def save(self, key: str, data: bytes) -> None:
        own, file = self._own(key)
        if self._folder.is_symlink() or len(own) + len(data) > LARGEST:
            return
        with contextlib.suppress(OSError):
            make_private(self._folder)
            replace_private(file, own + data)
            kept = sorted(self._folder.glob("*.index"), key=lambda one: one.lstat().st_mtime)
            for old in kept[:-50]:  # the least recently used are dropped
                old.unlink(missing_ok=True)

    def _own(self, key: str) -> tuple[bytes, Path]:
        """What the index of a key begins with, and its file."""
        encoded = key.encode("utf-8", "surrogateescape")
        name = hashlib.sha256(encoded).hexdigest()[:32]
        return encoded + b"\0", self._folder / f"{name}.index"
