"""Keeps the cache folder within its limit. Unpacked files go first, then runs, each time the least
recently used."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from oh_tui.trajectory.formats import copies, locked_dirs
from oh_tui.trajectory.formats.copies import Kept

PART = ".part"
"""Ending of the name of a run that is being written."""

DAY = 86_400.0
"""Seconds without use after which a copy larger than the limit goes."""


def make_room(cache: Path, size: int, limit: int) -> None:
    """Removes the least recently used until `size` more bytes fit, but nothing that is in use.
    Removes nothing if `size` exceeds the limit: that never fits. Never raises."""
    if size > limit:
        return
    kept = []
    for one in sorted(copies.unused()):
        if one.size <= limit:
            kept.append(one)
        elif time.time() - one.used > DAY:
            locked_dirs.remove(one.path)
    runs = sorted(_runs(cache / "runs"))
    room = limit - size - sum(one.size for one in (*kept, *runs))
    for one in kept:
        if room < 0 and locked_dirs.remove(one.path):
            room += one.size
    for one in runs:
        if room < 0:
            with contextlib.suppress(OSError):
                one.path.unlink()
                room += one.size


def _runs(folder: Path) -> Iterator[Kept]:
    for server in _inside(folder):
        for run in _inside(server):
            if found := _stat(run):
                if run.suffix == ".zip":
                    yield Kept(found.st_mtime, found.st_size, run)
                # left by a killed oh-tui
                elif run.suffix == PART and time.time() - found.st_mtime > 3600:
                    with contextlib.suppress(OSError):
                        run.unlink()


def _inside(folder: Path) -> list[Path]:
    """The content of a folder; empty for a link or anything else that is not a folder."""
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
