"""Copies of files at https addresses, in a private folder of the cache."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from oh_tui.api.errors import BadAnswer, InvalidRequest, TooLarge, Unreachable
from oh_tui.api.http.connections import Connections
from oh_tui.api.web_files import WebFile, open_web_file
from oh_tui.settings.paths import make_private, read_small, replace_private
from oh_tui.sources import cache_limit
from oh_tui.text.human import size
from oh_tui.text.problem import Problem

LARGEST = 64 * 2**30
"""Bytes of a file that is fetched."""

SPARE = 2**28
"""Bytes of the disk that stay free."""

ATTEMPTS, WAIT = 4, 0.5
"""How often a download is begun or goes on, and the seconds between."""

ROOM = 2**26
"""Bytes after which others in the cache make room for what has come: what a server tells that it
will send removes nothing."""

WHOLE = 0o400
"""The mode of a whole copy: what lacks its end is cut off, and not still being written."""

_NO_SUCH_RANGE = 416

Agree = Callable[[str, int | None, int], None]
"""Told the name, the size if it is known, and how much of it is there; raises Problem for a no."""

Progress = Callable[[int, int | None], None]


class WebCopy:
    """The copy of one file: a folder with the file, or its beginning and which version it is of."""

    def __init__(self, cache: Path, address: str, limit: int) -> None:
        """`limit` is that of the cache in bytes; a larger file is kept until the next one."""
        self._address, self._cache, self._limit = address, cache, limit
        self.name = _name(address)
        self._home = (
            cache / cache_limit.DOWNLOADS / hashlib.sha256(address.encode()).hexdigest()[:32]
        )
        self._whole, self._part = self._home / self.name, self._home / "part"
        self._version = self._home / "version"

    async def fetch(self, connections: Connections, agree: Agree, progress: Progress) -> Path:
        """The path of the copy; downloads what of it is missing. Raises Problem."""
        try:
            make_private(self._home)
            with (self._home / cache_limit.LOCK).open("ab") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise Problem(f"Another oh-tui downloads {self.name}", "wait for it") from None
                return await self._fetch(connections, agree, progress)
        except OSError as error:
            told = os.strerror(error.errno or 0)
            raise Problem(f"{self.name} cannot be written to the cache: {told}") from error

    async def _fetch(self, connections: Connections, agree: Agree, progress: Progress) -> Path:
        has_agreed, left = False, ATTEMPTS
        while True:
            version, kept = self._kept_version(), _size(self._part)
            start = kept if version else 0
            try:
                async with open_web_file(connections, self._address, start, version) as file:
                    is_same = not kept and file.version == version != ""
                    if is_same and file.total == _size(self._whole):
                        os.utime(self._whole)  # what was used last is dropped last
                        self._whole.chmod(WHOLE)  # former versions left it writable
                        return self._whole
                    self._refuse(file)
                    if not has_agreed:
                        agree(self.name, file.total, file.start)
                        has_agreed = True
                    await self._save(file, progress)
                self._part.chmod(WHOLE)
                self._part.replace(self._whole)
                self._make_room(_size(self._whole))
                return self._whole
            except Unreachable:
                left -= 1
                if not (has_agreed and left):
                    raise
                await asyncio.sleep(WAIT)
            except (BadAnswer, InvalidRequest, TooLarge) as error:  # what was kept is no good
                self._part.unlink(missing_ok=True)
                self._version.unlink(missing_ok=True)
                if not (start and error.status == _NO_SUCH_RANGE):
                    raise

    async def _save(self, file: WebFile, progress: Progress) -> None:
        if not file.start:
            self._part.unlink(missing_ok=True)
            replace_private(self._version, file.version.encode())
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        with os.fdopen(os.open(self._part, flags, 0o600), "ab") as out:
            place = roomy = file.start
            async for piece in file.pieces:
                out.write(piece)
                place += len(piece)
                if place > LARGEST:
                    raise TooLarge(
                        f"{self.name} is longer than {size(LARGEST)}", "it may have no end"
                    )
                if place - roomy >= ROOM:
                    self._make_room(place)
                    roomy = place
                if file.total is None:
                    self._refuse_full(SPARE)
                progress(place, file.total)

    def _make_room(self, size: int) -> None:
        cache_limit.make_room(self._cache, size, self._limit, keep=self._home)

    def _refuse(self, file: WebFile) -> None:
        if file.total is not None and file.total > LARGEST:
            raise TooLarge(f"{self.name} has {size(file.total)}, more than oh-tui fetches")
        self._refuse_full((file.total or 0) - file.start + SPARE)

    def _refuse_full(self, needed: int) -> None:
        free = shutil.disk_usage(self._home).free
        if free < needed:
            raise Problem(f"{size(free)} are free for {self.name}", "free some of the disk")

    def _kept_version(self) -> str:
        try:
            return read_small(self._version).decode("utf-8", "replace")
        except OSError:
            return ""


def _size(path: Path) -> int:
    """0 for a file that is not there."""
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _name(address: str) -> str:
    """The last part of the address as a file name that is safe on any file system."""
    last = unquote(urlsplit(address).path).rstrip("/").rpartition("/")[2]
    return re.sub(r"[^A-Za-z0-9._-]", "_", last)[-80:].lstrip(".-") or "file"
