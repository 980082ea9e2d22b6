"""The tests can be started in the background, where a shell ignores interrupts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

ASKS = """\
import subprocess, sys
import tests.conftest
told = "import signal as s; print(*(s.getsignal(n) is s.SIG_IGN for n in (1, 2, 3, 15)))"
subprocess.run([sys.executable, "-c", told])
"""


def test_what_a_test_starts_can_be_interrupted() -> None:
    script = 'trap "" HUP INT QUIT TERM; exec "$@"'
    words = ["sh", "-c", script, "sh", sys.executable, "-c", ASKS]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["False"] * 4, done.stderr
