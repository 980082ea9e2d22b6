"""Programs of the desktop, which live on without us."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from oh_tui.settings.credentials import without_keys


def open_file(path: Path) -> bool:
    """Show a file with the program that the desktop has for it; False without a desktop."""
    if sys.platform == "darwin":
        opener = "open"
    elif os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        opener = "xdg-open"
    else:
        return False
    if not shutil.which(opener):
        return False
    return start_detached([opener, str(path)])


def start_detached(command: Sequence[str]) -> bool:
    """Start a program in a session of its own; False when it cannot be started."""
    with contextlib.suppress(OSError):
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=without_keys(os.environ),
            start_new_session=True,
        )
        return True
    return False
