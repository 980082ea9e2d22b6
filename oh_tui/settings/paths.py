"""Paths of our files on this machine: settings, remembered states, cached runs."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from oh_tui.text.clean import clean_line
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line

MAX_SMALL = 1 << 20
"""Bytes that a settings file or a key file may have."""

PATIENCE = 1.0
"""Seconds to wait for another oh-tui that is writing."""


def read_small(file: Path, most: int = MAX_SMALL, *, own: bool = False) -> bytes:
    """The content of a file. Raises OSError, also for more than `most` bytes, and for a pipe or a
    device, which would block. With `own`, also for a link, and for a file of another user than
    this one and root."""
    link = os.O_NOFOLLOW if own else 0
    handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | link)
    try:
        found = os.fstat(handle)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(found.st_mode):
            raise OSError(0, "it is not a regular file")
        if own and found.st_uid not in (os.getuid(), 0):
            raise OSError(0, "it belongs to another user")
    except OSError:
        os.close(handle)
        raise
    with os.fdopen(handle, "rb") as opened:
        data = opened.read(most + 1)
    if len(data) > most:
        raise OSError(0, f"it is too large, more than {most // 1024} KiB")
    return data


def read_text(file: Path, what: str, hint: str = "", most: int = MAX_SMALL) -> str:
    """The text of a small file, which a Problem calls `what`."""
    try:
        return read_small(file, most).decode()
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise Problem(f"{what} is not UTF-8", f"line {line}") from error
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise Problem(f"{what} cannot be read: {why}", hint) from error


def make_private(folder: Path) -> None:
    """Create a folder and its missing parents, accessible to the owner only. Raises OSError."""
    for missing in [*reversed(folder.parents), folder]:
        if not missing.is_dir():
            try:
                missing.mkdir(mode=0o700, exist_ok=True)
            except FileExistsError:
                raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(missing)) from None


def replace_private(file: Path, data: bytes) -> None:
    """Replaces the file atomically; only the owner may read it. Raises OSError."""
    descriptor, name = tempfile.mkstemp(prefix=f".{file.stem}-", dir=file.parent)  # 0600
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(data)
        part.replace(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Locks the folder for the one process that writes into it. Gives up on a file system without
    locks, and on a process that holds the lock too long."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.01)
            except OSError:
                break
        yield
    finally:
        os.close(descriptor)


def config_file(environment: Mapping[str, str]) -> tuple[Path | None, bool]:
    """The path of the settings file, existing or not, and whether OH_TUI_CONFIG requires it.

    A relative path in XDG_CONFIG_HOME is ignored (XDG Base Directory Specification).
    """
    if named := environment.get("OH_TUI_CONFIG"):
        return expanded(named, environment), True
    folders = [Path(environment.get("XDG_CONFIG_HOME", ""))]
    if home := environment.get("HOME"):
        folders.append(Path(home, ".config"))
        if sys.platform == "darwin":
            folders.append(Path(home, "Library", "Application Support"))
    files = [folder / "oh-tui" / "config.toml" for folder in folders if folder.is_absolute()]
    return next((file for file in files if file.exists()), files[0] if files else None), False


def under_home(environment: Mapping[str, str], path: Path) -> Path | None:
    """A path below the home folder; None where there is no home."""
    home = environment.get("HOME")
    return Path(home) / path if home else None


def expanded(written: str, environment: Mapping[str, str]) -> Path:
    """The path with ~ replaced by the home folder. Raises Problem for an unknown home."""
    home = environment.get("HOME")
    if home and (written == "~" or written.startswith("~/")):
        return Path(home) / written[2:]
    try:
        return Path(written).expanduser()
    except RuntimeError as error:
        raise Problem(
            f"{clean_line(written)} is in a home folder that is not known", "check the path"
        ) from error


def exists(written: str, environment: Mapping[str, str]) -> bool:
    try:
        return bool(written) and expanded(written, environment).exists()
    except (OSError, ValueError, Problem):  # too long, a null byte, the home of nobody
        return False


def split_run(written: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """The path and the run in `PATH#ID`; "" for the run where none is named. A file that has the
    whole text as its name wins, then the longest one."""
    place = len(written)
    while not exists(written[:place], environment):
        place = written.rfind("#", 0, place)
        if place <= 0:
            return written, ""
    return written[:place], written[place + 1 :]


def tilde(path: Path, environment: Mapping[str, str]) -> str:
    """A path with ~ for the home folder, safe to show even if it contains a key."""
    home = environment.get("HOME")
    if home and path.is_relative_to(home):
        return safe_line(f"~/{path.relative_to(home)}")
    return safe_line(str(path))


def state_file(
    environment: Mapping[str, str], name: Literal["seen", "preferences", "annotations", "agreed"]
) -> Path | None:
    """The file that remembers the states of conversations, how the explorer was set, bookmarks,
    notes and tags, or the rules that were agreed to; None where there is no home."""
    folder = _own_folder(environment, "XDG_STATE_HOME", ".local/state", "Application Support")
    return folder and folder / f"{name}.json"


def cache_folder(environment: Mapping[str, str]) -> Path | None:
    """The folder for files that can be fetched again; None where there is no home."""
    return _own_folder(environment, "XDG_CACHE_HOME", ".cache", "Caches")


def _own_folder(
    environment: Mapping[str, str], variable: str, usual: str, on_mac: str
) -> Path | None:
    """oh-tui's folder below the one of a variable, whose relative path is ignored as the XDG Base
    Directory Specification demands, or below the usual one of the home."""
    folder = Path(environment.get(variable, ""))
    if not folder.is_absolute():
        below_home = Path("Library", on_mac) if sys.platform == "darwin" else Path(usual)
        folder = Path(environment.get("HOME", "")) / below_home
    return folder / "oh-tui" if folder.is_absolute() else None
