"""Runs oh-tui as its own process, as a shell would, with nothing on standard input."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def oh_tui(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`oh-tui` with these words; the environment is the test's own, changed by `environment`."""
    return subprocess.run(
        [sys.executable, "-m", "oh_tui", *map(str, words)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, **environment},
        timeout=60,
        check=False,
    )
