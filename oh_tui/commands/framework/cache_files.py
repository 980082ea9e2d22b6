"""The files that oh-tui keeps in the cache folder: listed in `KEPT`, shown and removed by
`oh-tui cache`."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import NamedTuple

from oh_tui.trajectory.formats import locked_dirs


class Kept(NamedTuple):
    """`path` is a file in the cache folder, or a folder with many."""

    path: str
    about: str


KEPT = {
    "status": Kept("status.json", "the last answer to `oh-tui status`, by server"),
    "runs": Kept("runs", "runs that are over, as they were downloaded"),
    "indexes": Kept("indexes", "where the runs in large files begin"),
    "library": Kept("library", "the index of runs that `oh-tui index` makes"),
    "copies": Kept("copies", "what packed files and tars hold"),
}


class Held(NamedTuple):
    files: int
    size: int
    """Bytes."""
    changed: float
    """When the newest was written, in seconds since 1970."""


def held(folder: Path | None, name: str) -> Held:
    found = []
    for path in _files(folder / KEPT[name].path) if folder else ():
        with contextlib.suppress(OSError):
            found.append(path.lstat())
    newest = max((one.st_mtime for one in found), default=0.0)
    return Held(len(found), sum(one.st_size for one in found), newest)


def clear(folder: Path | None, name: str) -> Held:
    """Removes it, but for copies in use; what was removed. Raises OSError."""
    was = held(folder, name)
    if folder is not None and name == "copies":
        for one in locked_dirs.unused(folder / KEPT[name].path):
            locked_dirs.remove(one)
        left = held(folder, name)
        return Held(was.files - left.files, was.size - left.size, was.changed)
    if folder is not None and was.files:
        path = folder / KEPT[name].path
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return was


def _files(path: Path) -> list[Path]:
    if path.is_dir() and not path.is_symlink():
        return [one for one in path.rglob("*") if one.is_file() and one.name != locked_dirs.LOCK]
    return [path] if path.is_file() else []
