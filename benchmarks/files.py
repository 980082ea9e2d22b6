"""Reading files whole, without a screen. `python -m benchmarks.files ours|plain ZIP` reads one."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

from benchmarks.result import OH_TUI, PYTHON, Result, child, interleaved, result
from benchmarks.terminal import private_bytes

READ = """
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    for name in archive.namelist():
        json.loads(archive.read(name))
"""


def measure(zips: dict[int, Path], home: Path) -> list[Result]:
    large, small = zips[100_000], zips[3_000]
    ours, plain = interleaved(2, lambda: _seconds("ours", large), lambda: _seconds("plain", large))
    name = "100,000-event zip indexed, paired and priced"
    found = [result(name, "s", ours, plain, ratio=1.0)]
    ours, plain = interleaved(
        7,
        lambda: _process(home, OH_TUI, "steps", small),
        lambda: _process(home, PYTHON, "-c", READ, small),
    )
    found.append(result("oh-tui steps FILE, 3,000 events", "ms", ours, plain, ratio=2))
    return found


def _seconds(how: str, path: Path) -> float:
    return float(child("files", how, path)["seconds"])


def _process(home: Path, *words: str | Path) -> float:
    """Milliseconds from start to end."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}
    began = time.perf_counter()
    subprocess.run(list(map(str, words)), stdout=subprocess.DEVNULL, env=environment, check=True)
    return (time.perf_counter() - began) * 1000


def read_plain(path: Path) -> list[Any]:
    with zipfile.ZipFile(path) as archive:
        return [json.loads(archive.read(name)) for name in archive.namelist()]


def read_ours(path: Path) -> object:
    """As the explorer and the commands do: each event's head, calls joined with their results,
    then what each cost in time and money."""
    from oh_tui.trajectory.costs.accounting import Accounts
    from oh_tui.trajectory.formats.zip.archive import open_archive
    from oh_tui.trajectory.model.trajectory import build

    trajectory = build(open_archive(path).events())
    return trajectory, Accounts(trajectory)


def _main(how: str, path: Path) -> None:
    before = private_bytes(os.getpid())
    if how == "ours":
        gc.set_threshold(100_000, 50, 100)  # as oh_tui.cli has it for commands
    began = time.perf_counter()
    held = read_ours(path) if how == "ours" else read_plain(path)
    took = time.perf_counter() - began
    grown = private_bytes(os.getpid()) - before
    print(json.dumps({"seconds": took, "bytes": grown}))
    del held


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]))
