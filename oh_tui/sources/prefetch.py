"""Lists a large zip in a process of its own, while this one loads the explorer."""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import select
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

from oh_tui.trajectory.formats.file_pool import PooledFile
from oh_tui.trajectory.formats.zip.archive import Archive, open_archive

WORTH_IT = 1_000_000
"""Bytes of a zip from which listing it takes longer than starting a process."""

PATIENCE = 30.0
"""Seconds that the other process may take; 100,000 events need half a second."""


def begin(path: Path) -> Callable[[], Archive]:
    """Starts to open an archive and returns a function that waits for it, to be called once. It
    raises the errors of `open_archive`, which it calls itself wherever anything is unusual."""

    def here() -> Archive:
        return open_archive(path)

    # libraries of macOS do not survive a fork
    if not hasattr(os, "fork") or sys.platform == "darwin":
        return here
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
            reading, writing = os.pipe()
            stack.callback(os.close, reading)
            with contextlib.closing(os.fdopen(writing, "wb")) as out:
                child = _list(file, path, reading, out)
        except OSError:
            return here
        stack.pop_all()

    def listed() -> Archive:
        patience = select.poll()
        patience.register(reading, select.POLLIN)
        if not patience.poll(PATIENCE * 1000):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        with os.fdopen(reading, "rb") as pipe:
            listing = pipe.read()
        with contextlib.suppress(
            ChildProcessError
        ):  # our parent may have told the system to reap children
            os.waitpid(child, 0)
        try:
            archive: Archive = pickle.loads(listing)  # written by this program
        except (EOFError, pickle.UnpicklingError):
            file.close()
            return here()
        archive.take(PooledFile(path, file))
        return archive

    return listed


def _list(file: IO[bytes], path: Path, reading: int, out: IO[bytes]) -> int:
    """Starts the other process and returns its id. It writes the listing, or nothing on failure.

    Both processes share the position in the file, and read it one after the other. The child closes
    `reading`, so that it fails to write and ends when this process is gone.
    """
    child = -1
    try:
        child = os.fork()
        if not child:
            os.close(reading)
            gc.disable()
            out.write(pickle.dumps(open_archive(file, path.name), protocol=5))
            out.flush()
        return child
    finally:
        if not child:
            os._exit(0)
