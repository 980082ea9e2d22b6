"""One line of the table, and the few statistics that it is made with."""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).parents[1]
PYTHON = Path(sys.executable)
OH_TUI = PYTHON.with_name("oh-tui")


class Result(msgspec.Struct):
    """`ours` and `baseline` are in `unit`; without a baseline there is no ratio. `goal` is told
    as people read it; `ok` says whether it is met. `ours` is None if it could not be measured, and
    `goal` says why."""

    name: str
    ours: float | None
    baseline: float | None
    ratio: float | None
    goal: str
    ok: bool
    unit: str


def result(
    name: str,
    unit: str,
    ours: float,
    baseline: float | None = None,
    *,
    ratio: float | None = None,
    most: float | None = None,
) -> Result:
    """`ratio` is the most that ours may be of the baseline. Without one `most` is the most that
    ours may be: of calls, of memory, of a core at rest. A time depends on the machine and has a
    baseline."""
    if baseline is None:
        assert most is not None and unit not in ("s", "ms")
        return Result(name, round(ours, 2), None, None, f"<= {most:g} {unit}", ours <= most, unit)
    assert ratio is not None
    share = ours / baseline
    goal, ok = f"<= {ratio:g} x", share <= ratio
    return Result(name, round(ours, 2), round(baseline, 2), round(share, 3), goal, ok, unit)


def skipped(name: str, unit: str, why: str) -> Result:
    return Result(name, None, None, None, why, ok=True, unit=unit)


def middle(times: Sequence[float]) -> float:
    return statistics.median(times)


def p95(times: Sequence[float]) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * 0.95))]


def interleaved(rounds: int, *runs: Callable[[], float]) -> list[float]:
    """The median of each of the runs, which take turns, so that a noise of the machine meets all
    of them. A round before is not counted: it fills the caches of the disk."""
    times: list[list[float]] = [[] for _ in runs]
    for number in range(rounds + 1):
        for kept, run in zip(times, runs, strict=True):
            gc.collect()
            took = run()
            if number:
                kept.append(took)
    return [middle(each) for each in times]


def child(module: str, *words: str | Path) -> Any:
    """What `python -m benchmarks.MODULE WORDS` prints as JSON, in a process of its own."""
    command = [str(PYTHON), "-m", f"benchmarks.{module}", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)
