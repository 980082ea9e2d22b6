"""Keeps what is in the cache folder within its limit: the runs and downloads used last stay."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

RUNS, DOWNLOADS = "runs", "downloads"

LOCK = "lock"
"""The file in the folder of a download that its oh-tui locks while it fetches."""


class _Kept(NamedTuple):
    used: float
    size: int
    path: Path
    """A run, or the folder of a download."""


def make_room(cache: Path, size: int, limit: int, keep: Path | None = None) -> None:
    """Removes what was used longest ago until `size` more bytes fit, but not `keep` and what is
    being fetched; nothing for more than the limit, which never fits. Never raises."""
    if size > limit:
        return
    found = [*_runs(cache / RUNS), *_downloads(cache / DOWNLOADS)]
    room = limit - size - sum(one.size for one in found if one.path != keep)
    # what is above the limit by itself makes others go, so it goes first
    for one in sorted(found, key=lambda one: (one.size <= limit, one)):
        if room >= 0:
            return
        if one.path != keep and _remove(one.path):
            room += one.size


def _runs(folder: Path) -> Iterator[_Kept]:
    for server in _inside(folder):
        for run in _inside(server):
            if run.suffix == ".zip" and (found := _stat(run)):
                yield _Kept(found.st_mtime, found.st_size, run)


def _downloads(folder: Path) -> Iterator[_Kept]:
    for home in _inside(folder):
        found = [one for file in _inside(home) if (one := _stat(file))]
        if found:
            used = max(one.st_mtime for one in found)
            yield _Kept(used, sum(one.st_size for one in found), home)


def _inside(folder: Path) -> list[Path]:
    """Nothing for what is no folder of its own, such as a link."""
    found = _stat(folder)
    if found is None or not stat.S_ISDIR(found.st_mode):
        return []
    with contextlib.suppress(OSError):
        return list(folder.iterdir())
    return []


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except OSError:
        return None


def _remove(path: Path) -> bool:
    with contextlib.suppress(OSError):
        if path.suffix == ".zip" and path.parent.parent.name == RUNS:
            path.unlink()
            return True
        with (path / LOCK).open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
            return True
    return False
