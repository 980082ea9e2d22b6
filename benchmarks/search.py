"""Looking for a text in 100,000 bodies, in a pty: the first hits against an arrow key in a
DataTable, all bodies against `grep -r` over the unpacked files."""

from __future__ import annotations

import os
import re
import subprocess
import time
import zipfile
from pathlib import Path

from benchmarks import made
from benchmarks.keys import ROWS, STUDIED, TIMELINE, PlainTable, cursor_at, opened
from benchmarks.result import Result, middle, p95, result
from benchmarks.terminal import Terminal

ROUNDS, SCANS = 5, 2
"""How often the first hits are waited for, and how often those at the other end."""

FOUND = re.compile(r"\d of [\d,]+\+|\d\+ hits")
"""In the rule above the timeline, as soon as find has jumped."""

HITS = re.compile(r"filter \S+ · [\d,]+ of")
"""In the rule above the timeline, as soon as there are hits to show."""


def measure(zips: dict[int, Path], home: Path) -> list[Result]:
    path, count = zips[100_000], made.steps_of(100_000)
    unpacked = home / "unpacked"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(unpacked)
    _grep(unpacked)  # it finds the files in memory from now on, as oh-tui does
    first: list[float] = []
    whole: list[float] = []
    jumps: list[float] = []
    grep: list[float] = []
    key: list[float] = []
    with PlainTable(home) as table, opened(path, home) as terminal:
        terminal.until_text(STUDIED)
        terminal.press(TIMELINE)
        for number in range(ROUNDS):
            if number < SCANS:
                whole.append(_scan(terminal, count))
                grep.append(_grep(unpacked))
            first.append(_first_hits(terminal))
            jumps.append(_first_jump(terminal))
            key += table.ups(ROWS)
    return [
        result("first hits of a filter by text, p95", "ms", p95(first), p95(key), ratio=2.5),
        result("first jump of find, while typing, p95", "ms", p95(jumps), p95(key), ratio=2.5),
        result(
            "text found at the other end of 100,000", "ms", middle(whole), middle(grep), ratio=4
        ),
    ]


def _first_hits(terminal: Terminal) -> float:
    """Milliseconds from enter to a frame with hits; of 50 steps one holds the text."""
    _type(terminal, b"&" + made.SPARSE.encode())
    pressed = terminal.press(b"\r")
    took = terminal.until(lambda drawn: HITS.search(drawn) is not None) - pressed
    for key in (b"\x1b", b"\x1b", TIMELINE):  # out of the scan, out of the filter, to the rows
        terminal.settle(0.5)
        terminal.press(key)
    terminal.settle(0.5)
    return took * 1000


def _first_jump(terminal: Terminal) -> float:
    """Milliseconds from a text typed at once, the cursor on the first step, to a frame that counts
    hits."""
    terminal.press(b"g")
    _type(terminal, b"/")
    pressed = terminal.press(made.SPARSE.encode())
    took = terminal.until(lambda drawn: FOUND.search(drawn) is not None) - pressed
    for key in (b"\x1b", b"\x1b", TIMELINE):
        terminal.settle(0.5)
        terminal.press(key)
    terminal.settle(0.5)
    return took * 1000


def _scan(terminal: Terminal, count: int) -> float:
    """Milliseconds from a text typed at once, the cursor on the first step, to the cursor on the
    last."""
    terminal.press(b"g")
    _type(terminal, b"/")
    pressed = terminal.press(made.LAST.encode())
    last, before = cursor_at(count), cursor_at(count - 1)
    took = terminal.until(lambda drawn: last(drawn) or before(drawn)) - pressed
    terminal.press(b"\r")
    terminal.settle(0.5)
    return took * 1000


def _type(terminal: Terminal, text: bytes) -> None:
    terminal.settle(0.5)
    terminal.press(text[:1])
    terminal.settle(0.3)
    # the line may still hold what was looked for before
    terminal.press(b"\x15" + text[1:])
    terminal.settle(0.3)
    terminal.mark()


def _grep(folder: Path) -> float:
    began = time.perf_counter()
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    command = ["grep", "-rF", made.LAST, str(folder)]
    subprocess.run(command, stdout=subprocess.DEVNULL, env=environment, check=True)
    return (time.perf_counter() - began) * 1000
