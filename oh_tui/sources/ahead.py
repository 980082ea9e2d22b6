"""A large zip is listed by a process of its own, while this one loads what draws the screen."""

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

from oh_tui.trajectory.formats.archive import Archive, open_archive

WORTH_IT = 1_000_000
"""Bytes of a zip from which on listing it takes longer than to start a process."""

PATIENCE = 30.0
"""Seconds that the other process may take: half a second is what 100,000 events need."""


def begin(path: Path) -> Callable[[], Archive]:
    """Begin to open an archive; what is given waits for the end of that, and is called once. It
    raises what `open_archive` does, which it comes down to wherever anything is unusual."""

    def here() -> Archive:
        return open_archive(path)

    # macOS has libraries that do not stand a fork
    if not hasattr(os, "fork") or sys.platform == "darwin":
        return here
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
            reading, writing = os.pipe()
            stack.callback(os.close, reading)
            with contextlib.closing(os.fdopen(writing, "wb")) as told_to:
                child = _list(file, path, reading, told_to)
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


def _list(file: IO[bytes], path: Path, reading: int, told_to: IO[bytes]) -> int:
    """Start the other process, which ends with its work and says nothing when it fails; its id.
    The place in the file is common to both: the one reads it after the other. When this process
    has gone the other cannot write any more, and ends too: so it may not keep `reading`."""
    child = -1
    try:
        child = os.fork()
        if not child:
            os.close(reading)
            gc.disable()
            told_to.write(pickle.dumps(open_archive(file, path.name), protocol=5))
            told_to.flush()
        return child
    finally:
        if not child:
            os._exit(0)
