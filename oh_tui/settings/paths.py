"""Where things of ours are on this machine: settings, what was seen, what only saves time."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from oh_tui.text.clean import clean_line, safe_line
from oh_tui.text.problem import Problem

LARGEST = 1 << 20
"""Bytes up to which a file can be one of settings, or hold a key."""


def read_small(file: Path, most: int = LARGEST) -> bytes:
    """A file whole. Raises OSError, also for one of more than `most` bytes, and for a pipe or a
    device, which would be waited for."""
    handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode):
            raise OSError(0, "it is no regular file")
    except OSError:
        os.close(handle)
        raise
    with os.fdopen(handle, "rb") as opened:
        data = opened.read(most + 1)
    if len(data) > most:
        raise OSError(0, "it is too large")
    return data


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for the owner alone. Raises OSError."""
    for missing in [*reversed(folder.parents), folder]:
        if not missing.is_dir():
            missing.mkdir(mode=0o700, exist_ok=True)


def config_file(environment: Mapping[str, str]) -> tuple[Path | None, bool]:
    """Where the settings file is or would be, and whether it was named, so that it must be there.
    A relative path in XDG_CONFIG_HOME does not count (XDG Base Directory Specification)."""
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
    home = environment.get("HOME")
    return Path(home) / path if home else None


def expanded(written: str, environment: Mapping[str, str]) -> Path:
    """~ is the home of the environment given."""
    home = environment.get("HOME")
    if home and (written == "~" or written.startswith("~/")):
        return Path(home) / written[2:]
    try:
        return Path(written).expanduser()
    except RuntimeError as error:
        raise Problem(
            f"{clean_line(written)} is under a home folder that is not known", "check the path"
        ) from error


def tilde(path: Path, environment: Mapping[str, str]) -> str:
    """A path as people write it, clean; without a key, should one stand there by mistake."""
    home = environment.get("HOME")
    if home and path.is_relative_to(home):
        return safe_line(f"~/{path.relative_to(home)}")
    return safe_line(str(path))


def seen_file(environment: Mapping[str, str]) -> Path | None:
    """In the folder for what programs remember; None where there is no home. A relative path in
    the variable does not count (XDG Base Directory Specification)."""
    state = Path(environment.get("XDG_STATE_HOME", ""))
    if not state.is_absolute():
        home = Path(environment.get("HOME", ""))
        mac = Path("Library", "Application Support")
        state = home / (mac if sys.platform == "darwin" else Path(".local", "state"))
    return state / "oh-tui" / "seen.json" if state.is_absolute() else None


def cache_folder(environment: Mapping[str, str]) -> Path | None:
    """As for what is seen, in the folder for what can be made anew."""
    cache = Path(environment.get("XDG_CACHE_HOME", ""))
    if not cache.is_absolute():
        mac = Path("Library", "Caches")
        cache = Path(environment.get("HOME", "")) / (mac if sys.platform == "darwin" else ".cache")
    return cache / "oh-tui" if cache.is_absolute() else None
