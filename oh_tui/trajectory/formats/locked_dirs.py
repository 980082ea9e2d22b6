"""Folders shared by several oh-tui processes. One at a time makes something in a folder, none
removes what another uses, and the next one removes what a killed one left."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from oh_tui.text.redact import safe_line
from oh_tui.trajectory.formats.run_file import FormatProblem

LOCK, PART = "lock", "part"
"""Names in a shared folder: its lock, and the folder under construction."""

MARK, GONE = "open-", "gone-"
"""Prefixes of other names there: marks of what a process uses, and folders being removed."""

LEFT_OVER = 60.0
"""Seconds after which a file that no process holds counts as left over."""


@contextlib.contextmanager
def locked(folder: Path, wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Creates a folder and locks it for this process. Calls `wait` while another process has the
    lock; without `wait` raises BlockingIOError. Raises OSError, and FormatProblem if the place is
    not ours."""
    require_private(folder.parent)
    while (lock := _lock(folder)) is None:
        if wait is None:
            raise BlockingIOError
        wait()
        time.sleep(0.05)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if _is_empty(folder):
                shutil.rmtree(folder)
        os.close(lock)


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


def hold(path: Path) -> int:
    """Creates a file and holds it while this process lives. Returns its descriptor."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    _takes(handle)
    atexit.register(path.unlink, missing_ok=True)
    return handle


def is_held(path: Path) -> bool:
    """Whether a process holds this file or may be about to. Raises OSError."""
    handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        return not _takes(handle) or time.time() - os.fstat(handle).st_mtime < LEFT_OVER
    finally:
        os.close(handle)


def is_left(folder: Path) -> bool:
    """Whether a process of this user made this folder, with a lock in it, and was killed. Raises
    OSError."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        return False
    if os.path.lexists(folder / LOCK):
        return not is_held(folder / LOCK)
    return time.time() - found.st_mtime >= LEFT_OVER  # killed before it had a lock


_marks: dict[Path, tuple[Path, int]] = {}
"""Place -> the mark file that names what this process uses there, and its descriptor."""
_used: set[Path] = set()


def use(folder: Path) -> None:
    """Marks a folder as in use until this process ends."""
    place = folder.parent
    if place not in _marks or not _marks[place][0].exists():
        clear(place)
        mark = place / f"{MARK}{os.urandom(8).hex()}"
        _marks[place] = mark, hold(mark)
        _used.difference_update({one for one in _used if one.parent == place})
    if folder not in _used:
        os.write(_marks[place][1], f"{folder.name}\n".encode())
        _used.add(folder)
    os.utime(folder)  # the least recently used is removed first


def release() -> None:
    """Withdraws all marks of this process."""
    for mark, handle in _marks.values():
        mark.unlink(missing_ok=True)
        os.close(handle)
    _marks.clear()
    _used.clear()


def clear(place: Path) -> None:
    """Removes what killed processes left."""
    for one in [*place.glob(f"{MARK}*"), *place.glob(f"{GONE}*"), *place.glob(f"*/{PART}")]:
        with contextlib.suppress(OSError):
            if one.name == PART:
                with locked(one.parent):
                    shutil.rmtree(one)
            elif one.name.startswith(GONE):
                shutil.rmtree(one)
            elif not is_held(one):
                one.unlink()


def unused(place: Path) -> list[Path]:
    """The folders that no process uses."""
    clear(place)
    in_use = set[str]()
    for mark in place.glob(f"{MARK}*"):
        with contextlib.suppress(OSError):
            in_use.update(mark.read_text().split())
    return [one.parent for one in place.glob(f"*/{LOCK}") if one.parent.name not in in_use]


def remove(folder: Path) -> bool:
    """Removes a folder unless one is being made in it; False if it stays."""
    with contextlib.suppress(OSError), locked(folder):
        gone = folder.with_name(f"{GONE}{os.urandom(8).hex()}")
        folder.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)
        return True
    return False


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


def _is_empty(folder: Path) -> bool:
    """Whether it contains only its lock. Stops early: there may be thousands of files."""
    with os.scandir(folder) as entries:
        return [one.name for one in islice(entries, 2)] == [LOCK]


def _lock(folder: Path) -> int | None:
    """A descriptor that holds the lock of a folder; None while another process has it."""
    with contextlib.suppress(FileNotFoundError):  # just removed by another process
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / LOCK
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        if _takes(handle) and os.path.samestat(os.fstat(handle), path.stat()):
            return handle
        os.close(handle)
    return None


def _takes(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # this disk has no locks
    return True
