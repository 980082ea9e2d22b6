"""Folders shared by several oh-tui processes. One at a time makes something in a folder, none
removes what another uses, and the next one removes what a killed one left.

All folders of a place have their locks in one file: two bytes of it each, one held while something
is made there, one by each process that uses it. The system frees them when a process ends.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from oh_tui.text.redact import safe_line
from oh_tui.trajectory.formats.run_file import FormatProblem

LOCK, PART = "lock", "part"
"""Names of the lock file of a place, and of the folder under construction."""

GONE = "gone-"
"""Prefix of a folder that is being removed."""

_MAKING, _USING = 0, 1
"""The two bytes of a folder."""

_ALONE, _SHARED = fcntl.LOCK_EX | fcntl.LOCK_NB, fcntl.LOCK_SH | fcntl.LOCK_NB

_guard = threading.RLock()
"""Held for what follows: the locks of a file are those of the process, not of a thread."""
_files: dict[Path, int] = {}
"""Place -> its lock file. Closing one would free all its locks."""
_making: set[Path] = set()
_used: set[Path] = set()


@contextlib.contextmanager
def locked(folder: Path, wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Creates a folder and locks it for this thread. Calls `wait` while another has the lock;
    without `wait` raises BlockingIOError. Raises OSError, and FormatProblem if the place is not
    ours."""
    require_private(folder.parent)
    while not _begin(folder):
        if wait is None:
            raise BlockingIOError
        wait()
        time.sleep(0.05)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        yield
    finally:
        with contextlib.suppress(OSError):
            folder.rmdir()  # an error left nothing in it
        _end(folder)


@contextlib.contextmanager
def making(folder: Path) -> Iterator[Path]:
    """A new folder that gets its name at the end. An error or a stop leaves nothing."""
    part = folder.with_name(PART)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(0o700)
    remove = partial(shutil.rmtree, part, ignore_errors=True)
    atexit.register(remove)  # ctrl+c does not wait for a thread that unpacks
    try:
        yield part
        shutil.rmtree(folder, ignore_errors=True)  # a damaged older one
        part.rename(folder)
    except BaseException:
        remove()
        raise
    finally:
        atexit.unregister(remove)


def use(folder: Path) -> None:
    """Marks a locked folder as in use until this process ends."""
    with _guard:
        if all(one.parent != folder.parent for one in _used):
            unused(folder.parent)  # removes what killed processes left
        if folder not in _used:
            _lock(folder, _SHARED, _USING)
            _used.add(folder)
    os.utime(folder)  # the least recently used is removed first


def release() -> None:
    """Gives back all that this process uses."""
    with _guard:
        for folder in list(_used):
            with contextlib.suppress(OSError):  # the place is gone
                _lock(folder, fcntl.LOCK_UN, _USING)
        _used.clear()


def unused(place: Path) -> list[Path]:
    """The folders that no process uses, without what killed processes left in them."""
    found: list[Path] = []
    for folder in place.iterdir() if place.is_dir() else ():
        with contextlib.suppress(OSError), _held(folder):
            if folder.name.startswith(GONE):
                shutil.rmtree(folder)
            else:
                shutil.rmtree(folder / PART, ignore_errors=True)
                found.append(folder)
    return found


def remove(folder: Path) -> bool:
    """Removes a folder unless a process uses it; False if it stays."""
    gone = folder.with_name(f"{GONE}{folder.name}")
    try:
        with _held(folder):
            folder.rename(gone)
    except OSError:
        return False
    shutil.rmtree(gone, ignore_errors=True)  # may take long, and nobody need wait for it
    return True


def require_private(place: Path) -> None:
    """Makes a folder that is this user's alone. Raises OSError, and FormatProblem if others may
    write to it."""
    for missing in [*reversed(place.parents), place]:
        if not missing.is_dir():
            missing.mkdir(mode=0o700, exist_ok=True)
    found = place.lstat()
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise FormatProblem(
            f"Others may write to {safe_line(str(place))}, where files are unpacked",
            "name a folder that is yours alone in OH_TUI_UNPACK",
        )


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Keeps others from a folder. Raises BlockingIOError if a process uses it, or makes something
    in it."""
    with _guard:
        is_folder = folder.is_dir() and not folder.is_symlink()
        if not is_folder or folder in _used or not _begin(folder):
            raise BlockingIOError
        try:
            if not _lock(folder, _ALONE, _USING):
                raise BlockingIOError
            yield
        finally:
            _lock(folder, fcntl.LOCK_UN, _USING)
            _end(folder)


def _begin(folder: Path) -> bool:
    with _guard:
        if folder in _making or not _lock(folder, _ALONE, _MAKING):
            return False
        _making.add(folder)
        return True


def _end(folder: Path) -> None:
    with _guard:
        _making.discard(folder)
        _lock(folder, fcntl.LOCK_UN, _MAKING)


def _lock(folder: Path, how: int, which: int) -> bool:
    """Whether a lock was got, or given back. On a disk without locks each is."""
    place = folder.parent
    if place not in _files or not (place / LOCK).exists():
        _used.difference_update({one for one in _used if one.parent == place})
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        _files[place] = os.open(place / LOCK, flags, 0o600)
    byte = 2 * int.from_bytes(hashlib.sha256(os.fsencode(folder.name)).digest()[:6]) + which
    try:
        fcntl.lockf(_files[place], how, 1, byte)
    except OSError as error:
        return error.errno not in (errno.EACCES, errno.EAGAIN)
    return True
