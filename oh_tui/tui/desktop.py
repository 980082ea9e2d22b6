"""Starts programs of the desktop, which outlive this one."""

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
    """Open a file with the program of the desktop for it; False without a desktop."""
    is_mac = sys.platform == "darwin"
    if not (is_mac or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    opener = "open" if is_mac else "xdg-open"
    return bool(shutil.which(opener)) and start_detached([opener, str(path)])


def start_detached(command: Sequence[str]) -> bool:
    """Start a program in a session of its own; False if it cannot be started."""
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
