"""Keeps where the rows of large files begin, in small private files of the cache folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

from oh_tui.settings.paths import make_private, read_small, replace_private

FOLDER = "indexes"

LARGEST = 32_000_000
"""Bytes of an index, that is of 400,000 rows."""

MOST = 50
"""Indexes that are kept; those used longest ago are dropped."""


class FileIndexes:
    """The indexes on disk. A missing or damaged one costs a pass through its file, no more."""

    def __init__(self, cache_folder: Path) -> None:
        self._cache, self._folder = cache_folder, cache_folder / FOLDER

    def load(self, key: str) -> bytes:
        """What was saved under this key; b"" without it, and for a file of another's making."""
        path = self._path(key)
        try:
            found = path.lstat()
            if found.st_uid != os.geteuid() or found.st_mode & 0o077:
                return b""
            data = read_small(path, LARGEST)
            os.utime(path)
        except OSError:
            return b""
        first, _, rest = data.partition(b"\0")
        return rest if first == _encoded(key) else b""

    def save(self, key: str, data: bytes) -> None:
        if len(data) + len(key) > LARGEST:
            return
        with contextlib.suppress(OSError):
            make_private(self._cache)
            with contextlib.suppress(FileExistsError):
                self._folder.mkdir(mode=0o700)
            if self._folder.is_symlink():
                return
            replace_private(self._path(key), _encoded(key) + b"\0" + data)
            self._drop()

    def _drop(self) -> None:
        kept = sorted(self._folder.glob("*.index"), key=lambda one: one.lstat().st_mtime)
        for old in kept[:-MOST]:
            old.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(_encoded(key)).hexdigest()[:32]}.index"


def _encoded(key: str) -> bytes:
    return key.encode("utf-8", "surrogateescape")
