"""Copies of packed files and tars. Each is unpacked once for all processes of oh-tui, into a
private folder, and read there as plain files.

    PLACE/lock            see locked_dirs
    PLACE/KEY/            a file of the user
        room              bytes its archives may unpack to, how many of these are left, bytes taken
        KEY/about         what unpacking the file, or an archive in it, gave
        KEY/files/...
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from oh_tui.text.human import size
from oh_tui.text.redact import holds_key
from oh_tui.trajectory.formats import locked_dirs, unpack
from oh_tui.trajectory.formats.endings import is_wanted, unpacked_name
from oh_tui.trajectory.formats.plain_file import stamp_of
from oh_tui.trajectory.formats.run_file import (
    PLAIN,
    FormatProblem,
    Indexes,
    Source,
    Unpacked,
    short_name,
)
from oh_tui.trajectory.formats.unpack import Stream, Unpacking
from oh_tui.trajectory.formats.zip.zip_table import RATIO_FREE, RATIO_LIMIT

PLACE = "OH_TUI_UNPACK"
"""The environment variable that names the folder, also for child processes."""

UNUSABLE = (
    errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR, errno.ENOENT,
)  # fmt: skip
"""Errors of a cache that is no folder or cannot be written to; a temporary folder does instead."""

FILES, ABOUT, ROOM = "files", "about", "room"

TEMPORARY = "oh-tui-unpacked-"

LEFT_OVER = 60.0
"""Seconds after which a temporary folder that no process holds counts as left over."""


class Work:
    """A file that this process unpacks, or waits for while another process unpacks it."""

    def __init__(self, name: str) -> None:
        self.name = short_name(name)
        self.read = self.whole = self.written = 0
        """Bytes read of the file, its size, and bytes written."""
        self.is_stopped = self.is_over = False
        self._began = time.monotonic()

    @property
    def expected(self) -> int:
        """Approximate bytes that it unpacks to."""
        return self.written * self.whole // max(1, self.read)

    @property
    def elapsed(self) -> float:
        """Seconds."""
        return time.monotonic() - self._began

    @property
    def left(self) -> float:
        """Approximate seconds that remain."""
        return self.elapsed * (self.whole / max(1, self.read) - 1)

    def tell(self, read: int = 0, whole: int = 0, written: int = 0) -> None:
        """Sets the progress and calls the watchers. Raises Stopped."""
        self.read, self.whole, self.written = read, whole, written
        for watch in watching:
            watch(self)
        if self.is_stopped:
            raise Stopped(f"{self.name} was not unpacked", "open it again to unpack it")


at_work: list[Work] = []
watching: list[Callable[[Work], None]] = []
"""Called with the progress of everything that is unpacked, in the thread that unpacks."""


def stop() -> bool:
    """Ends all unpacking; False if nothing is being unpacked."""
    for work in at_work:
        work.is_stopped = True
    return bool(at_work)


class Stopped(FormatProblem):
    """The user stopped the unpacking."""


class UsedUp(FormatProblem):
    """The archives in a file together unpack to more than the limit."""

    def __init__(self, name: str, most: int) -> None:
        super().__init__(f"{name} unpacks from so little to more than {size(most)}, like a bomb")
        self.most = most


def place() -> Path:
    """The folder of copies that last while there is room; `temporary` if none is set."""
    named = os.environ.get(PLACE)
    return Path(named).absolute() if named else temporary()


_temporary: list[Path] = []


def temporary() -> Path:
    """The folder of copies that this process deletes when it ends. Deletes those that killed
    processes left."""
    if not _temporary:
        for other in Path(tempfile.gettempdir()).glob(f"{TEMPORARY}*"):
            with contextlib.suppress(OSError):
                handle = _hold(other)
                found = os.fstat(handle)
                # one that was just made has no lock yet
                if found.st_uid == os.geteuid() and time.time() - found.st_mtime > LEFT_OVER:
                    shutil.rmtree(other)
                os.close(handle)
        folder = Path(tempfile.mkdtemp(prefix=TEMPORARY))
        _hold(folder)
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        _temporary.append(folder)
    return _temporary[0]


def _hold(folder: Path) -> int:
    """Locks a temporary folder for this process while it lives. Raises OSError if another has."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return handle


def source_of(
    path: Path, name: str, *, given: bool = False, zipped: bool = False,
    indexes: Indexes | None = None,
) -> Source:  # fmt: skip
    """A file or folder as a format reads it. A packed file, a tar or, if `zipped`, a zip is read
    from its copy, which is made unless there is an up-to-date one. `given` marks a path of the
    user's. Raises OSError, and FormatProblem if it cannot be unpacked."""
    read, about = path, PLAIN
    if zipped or (stat.S_ISREG(path.stat().st_mode) and unpack.is_archive(path)):
        stamp = stamp_of(path).encode("utf-8", "surrogateescape")
        key = hashlib.sha256(stamp).hexdigest()[:32]
        try:
            read, about = _copy(_top_of(path) or place() / key, key, path)
        except (unpack.Refused, OSError) as error:
            if isinstance(error, OSError) and error.errno not in UNUSABLE:
                raise
            read, about = _copy(temporary() / key, key, path)
    return Source(read, name, path.parent, path if given else None, indexes, about)


def _top_of(path: Path) -> Path | None:
    """The top folder of the copy that contains the path."""
    for one in (place(), *_temporary):
        if path.is_relative_to(one):
            return one / path.relative_to(one).parts[0]
    return None


def _copy(top: Path, key: str, path: Path) -> tuple[Path, Unpacked]:
    """The unpacked file, or the folder with the files of a tar, and what is known about it."""
    home, work = top / key, Work(path.name)
    at_work.append(work)
    try:
        with locked_dirs.locked(top, work.tell):
            locked_dirs.use(top)
            about = _about(home) or _make(top, home, path, work)
    finally:
        at_work.remove(work)
        work.is_over = True
        for watch in watching:
            watch(work)
    return home / FILES / ("" if about.names is not None else unpacked_name(path.name)), about


def _about(home: Path) -> Unpacked | None:
    try:
        return msgspec.convert(json.loads((home / ABOUT).read_bytes()), Unpacked)
    except (OSError, ValueError, msgspec.MsgspecError):
        return None


def _make(top: Path, home: Path, path: Path, work: Work) -> Unpacked:
    room = _room(top)
    if room and room.left <= 0:
        raise UsedUp(work.name, room.all)
    with (
        contextlib.closing(Stream(path, room.left if room else None)) as stream,
        locked_dirs.making(home) as part,
    ):
        files = part / FILES
        files.mkdir(0o700)
        refuses = (lambda data: False) if top.parent in _temporary else holds_key
        unpacking = Unpacking(stream, files, work.tell, refuses, is_wanted)
        about = unpacking.run(unpacked_name(path.name))
        # names may have lone surrogates, which msgspec rejects
        (part / ABOUT).write_text(json.dumps(msgspec.structs.asdict(about)), "utf-8")
    if room is None:
        most = max(RATIO_FREE, RATIO_LIMIT * stream.size)
        room = Room(most, most, about.size)
    else:
        spent = max(stream.given, about.size)
        room = Room(room.all, room.left - spent, room.taken + about.size)
    (top / ROOM).write_text(" ".join(map(str, room)))
    return about


class Room(NamedTuple):
    """Limits of one file of the user, in bytes."""

    all: int
    """What all archives in it together may unpack to."""
    left: int
    taken: int
    """Disk space of its copies."""


def _room(top: Path) -> Room | None:
    try:
        return Room(*map(int, (top / ROOM).read_text().split()))
    except (OSError, ValueError, TypeError):
        return None


class Kept(NamedTuple):
    """A copy that no process uses."""

    used: float
    """Last use, in seconds since 1970."""
    size: int
    path: Path


def unused() -> list[Kept]:
    """The lasting copies that no process uses."""
    found = []
    for top in locked_dirs.unused(place()) if PLACE in os.environ else ():
        with contextlib.suppress(OSError):
            room = _room(top)
            found.append(Kept(top.stat().st_mtime, room.taken if room else 0, top))
    return found
