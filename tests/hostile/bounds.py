"""Runs hostile input in its own process and reports its memory and time."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ADDRESS_SPACE = 3 << 30
"""Bytes the process may ask for: a bound that does not hold must not take the machine along."""

_AROUND = """
import json, os, resource, sys, time
resource.setrlimit(resource.RLIMIT_AS, ({space}, {space}))

def peak():
    # Linux hands ru_maxrss on from the process that started this one
    try:
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) * 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
{code}
began = time.process_time()
try:
    told = act()
except Exception as error:
    told = f"{{type(error).__name__}}: {{error}}"
print(json.dumps([told, peak(), time.process_time() - began]))
"""


@dataclass
class Used:
    told: Any
    """What `act` gave back as JSON, or its error as text."""
    memory: int
    """The peak of memory, in bytes."""
    seconds: float
    """The time on the processor, which other processes do not lengthen."""

    @property
    def mib(self) -> float:
        return self.memory / 2**20


def used_by(code: str, folder: Path, timeout: float = 100.0) -> Used:
    """What the function `act` that `code` defines uses; the process runs in `folder`."""
    script = _AROUND.format(space=ADDRESS_SPACE, code=textwrap.dedent(code))
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(root)!r})\n{script}"],
        cwd=folder, capture_output=True, text=True, timeout=timeout,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return Used(*json.loads(done.stdout.splitlines()[-1]))
