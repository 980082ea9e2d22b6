"""The README's Python runs as it is written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from .conftest import Served

README = Path(__file__).parents[2] / "README.md"


def test_the_quick_start_lists_conversations(served: Served) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"OPENHANDS_BASE_URL": served.url, "OPENHANDS_API_KEY": "any", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 5
    assert all(re.match(r"[0-9a-f]{32} ", line) for line in lines)
