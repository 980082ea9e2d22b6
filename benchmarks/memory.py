"""Private memory of 100,000 events, and what the explorer costs while nobody does anything."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.keys import STUDIED, opened
from benchmarks.result import Result, child, result

REST = 10.0
"""Seconds over which a program at rest is watched."""

OPENED = 5.0
"""Seconds after which all is done that follows the opening of a run: the index takes it in two
seconds after it was read."""


def measure(zips: dict[int, Path], home: Path) -> list[Result]:
    with opened(zips[100_000], home) as terminal:
        terminal.until_text(STUDIED)
        terminal.settle(1.0)
        held = terminal.private_bytes()
    with opened(zips[1_000], home) as terminal:
        terminal.settle(2.0)
        bare = terminal.private_bytes()
        terminal.rest(OPENED)
        began, before = time.perf_counter(), terminal.cpu()
        while time.perf_counter() - began < REST:
            terminal.pump(0.5)
        share = (terminal.cpu() - before) / (time.perf_counter() - began) * 100
    dicts = child("files", "plain", zips[100_000])["bytes"]
    grown = (held - bare) / 1e6
    return [
        result("private memory of 100,000 events", "MB", grown, dicts / 1e6, ratio=0.5),
        result("CPU at rest, nothing live", "% of a core", share, most=1),
    ]
