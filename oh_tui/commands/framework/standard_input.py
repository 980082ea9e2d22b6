"""Runs from standard input, which is copied to a file of its own until oh-tui ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from pathlib import Path

from oh_tui.commands.framework.printing import interruptible
from oh_tui.text.human import size
from oh_tui.text.problem import Problem
from oh_tui.trajectory.formats import copies
from oh_tui.trajectory.formats.unpack import SPARE


def copy_of_stdin() -> Path:
    """The path of the copy. The explorer then reads its keys from the terminal. Raises Problem."""
    if sys.stdin is None or sys.stdin.isatty():
        raise Problem("Nothing is piped into standard input", "cat FILE | oh-tui open -")
    path = copies.temporary() / os.urandom(8).hex() / copies.FILES / "standard-input"
    try:
        path.parent.mkdir(0o700, parents=True)
        with interruptible(), path.open("xb") as out:
            while piece := sys.stdin.buffer.read(2**20):
                out.write(piece)
                free = shutil.disk_usage(path.parent).free
                if free < SPARE:
                    raise Problem(
                        f"{size(free)} are free to keep standard input", "free some of it"
                    )
    except OSError as error:
        raise Problem(f"Standard input cannot be kept: {os.strerror(error.errno or 0)}") from error
    path.chmod(0o400)  # what lacks its end is cut off, and not still being written
    if not path.stat().st_size:
        raise Problem("Standard input is empty", "cat FILE | oh-tui open -")
    _take_terminal()
    return path


def _take_terminal() -> None:
    """Makes the terminal the standard input, where there is one."""
    with contextlib.suppress(OSError):
        handle = os.open("/dev/tty", os.O_RDWR)
        os.dup2(handle, sys.stdin.fileno())
        os.close(handle)
