"""A large zip is listed by a process of its own, while this one loads what draws the screen."""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

from oh_tui.trajectory.archive import Archive, open_archive

WORTH_IT = 1_000_000
"""Bytes of a zip from which on listing it takes longer than to start a process."""


def begin(path: Path) -> Callable[[], Archive]:
    """Begin to open an archive; what is given waits for the end of that, and is called once. It
    raises what `open_archive` does, which it comes down to wherever anything is unusual."""

    def here() -> Archive:
        return open_archive(path)

    # macOS has libraries that do not stand a fork
    if not hasattr(os, "fork") or sys.platform == "darwin":
        return here
    try:
        file = path.open("rb")
        reading, writing = os.pipe()
        child = os.fork()
    except OSError:
        return here
    if not child:
        _list(file, path, writing)
    os.close(writing)

    def listed() -> Archive:
        with os.fdopen(reading, "rb") as pipe:
            told = pipe.read()
        with contextlib.suppress(ChildProcessError):  # whoever started us has it done for all
            os.waitpid(child, 0)
        try:
            archive: Archive = pickle.loads(told)  # of this very program
        except (EOFError, pickle.UnpicklingError):
            file.close()
            return here()
        archive.take(file)
        return archive

    return listed


def _list(file: IO[bytes], path: Path, writing: int) -> None:
    """The work of the other process, which ends with it and says nothing when it fails. The place
    in the file is common to both: the one reads it after the other."""
    try:
        gc.disable()
        told = pickle.dumps(open_archive(file, path.name), protocol=5)
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(told)
    finally:
        os._exit(0)
