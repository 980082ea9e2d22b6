"""From a key to the frame that answers it, in a pty: with 100,000 events, while they load, and to
the palette. Against the same key in a DataTable of 1,000 rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks import made
from benchmarks.plain_apps import Table, row_mark
from benchmarks.result import OH_TUI, Result, p95, result
from benchmarks.start import EMPTY
from benchmarks.terminal import Shows, Terminal

UP, PAGE_UP, PAGE_DOWN = b"\x1b[A", b"\x1b[5~", b"\x1b[6~"
TIMELINE = b"3"
PALETTE = b"\x10"

STUDIED = "1d13h active"
"""Told of the run of 100,000 events when it is read whole."""

TURNS, ROWS, PAGES = 6, 10, 4
"""How often the two programs take turns, and how many keys each gets then."""

LOADS = 2
"""How often the run is opened to press keys while it loads."""

REST = 0.04
"""Seconds without a new frame after which the next key is pressed."""

PAUSE = 0.03
"""Seconds between two keys while a run loads: those of a key that is held down."""

FIRST_PALETTES = 5
"""Explorers in which the palette is opened once."""

AT_REST = 2.5
"""Seconds after which an explorer has loaded what it loads when its rows stand."""

SEARCH_LINE = "a command, another word for it, a title"
"""In the palette's first frame."""


class PlainTable(Terminal):
    """A Textual app with a DataTable of 1,000 rows, its cursor on the last one."""

    def __init__(self, home: Path) -> None:
        super().__init__([*EMPTY, "table"], home)
        self._row = Table.ROWS - 1
        # before another program starts: a question that it asks wants its answer
        self.until_text(row_mark(self._row))
        self.settle(0.5)

    def ups(self, count: int) -> list[float]:
        """Milliseconds of arrow keys, each to the frame with the row that it leads to."""
        times: list[float] = []
        for _ in range(count):
            self._row -= 1
            times += _key(self, UP, _drawn(row_mark(self._row)))
        return times


class Times(NamedTuple):
    """Milliseconds."""

    row: list[float]
    detail: list[float]
    page: list[float]


def cursor_at(step: int) -> Shows:
    """Whether the row of a step, counted from 1, is drawn as the one under the cursor."""
    row = re.compile(rf"▌ +{step} ")
    return lambda drawn: row.search(drawn) is not None


def opened(path: Path, home: Path) -> Terminal:
    return Terminal([OH_TUI, "open", path], home)


def measure(zips: dict[int, Path], home: Path) -> list[Result]:
    path, count = zips[100_000], made.steps_of(100_000)
    ours, theirs = Times([], [], []), Times([], [], [])
    with PlainTable(home) as table, opened(path, home) as explorer:
        explorer.until_text(STUDIED)
        explorer.press(TIMELINE)
        explorer.settle(0.5)
        step = count
        for _ in range(TURNS):
            for _ in range(ROWS):
                step -= 1
                detail = made.detail_mark(step - 1)
                first, then = _key(explorer, UP, cursor_at(step), _drawn(detail))
                ours.row.append(first)
                ours.detail.append(then)
            theirs.row.extend(table.ups(ROWS))
            pages = [PAGE_UP, PAGE_DOWN] * (PAGES // 2)
            for key in pages:
                ours.page.append(_key(explorer, key, _any_row(r"▌ +\d"))[0])
            for key in pages:
                theirs.page.append(_key(table, key, _any_row(r"row\d{6}"))[0])
    busy = list(_while_loading(path, home, count))
    palette = p95([_first_palette(zips[1_000], home) for _ in range(FIRST_PALETTES)])
    base, events = p95(theirs.row), "100,000 events, p95"
    return [
        result(f"arrow key to row, {events}", "ms", p95(ours.row), base, ratio=1),
        result(f"arrow key to detail, {events}", "ms", p95(ours.detail), base, ratio=1.5),
        result(f"page key, {events}", "ms", p95(ours.page), p95(theirs.page), ratio=0.7),
        # 2.5 to 3 on 29 November: a thread that reads events has half of the interpreter, so that
        # a median key takes twice its time (30 ms), and p95 is a key that meets a new part as well
        result("any key while loading, p95", "ms", p95(busy), base, ratio=1.5),
        result("the palette's first frame, p95", "ms", palette, base, ratio=4),
    ]


def _first_palette(path: Path, home: Path) -> float:
    """Milliseconds from its key to the first frame with the palette, the first time."""
    with opened(path, home) as explorer:
        explorer.until_text(made.row_mark(made.steps_of(1_000) - 1))
        explorer.rest(AT_REST)
        return _key(explorer, PALETTE, _drawn(SEARCH_LINE))[0]


def _drawn(text: str) -> Shows:
    return lambda drawn: text in drawn


def _any_row(pattern: str) -> Shows:
    row = re.compile(pattern)
    return lambda drawn: row.search(drawn) is not None


def _key(terminal: Terminal, key: bytes, *awaited: Callable[[str], bool]) -> list[float]:
    """Milliseconds from a key to each of the frames awaited, in their order."""
    terminal.settle(REST)
    terminal.mark()
    pressed = terminal.press(key)
    return [(terminal.until(shows) - pressed) * 1000 for shows in awaited]


def _while_loading(path: Path, home: Path, count: int) -> Iterator[float]:
    """Milliseconds of arrow keys from the first screen until the whole run is told of. Numbers of
    steps change on the way: the row is known by what it says."""
    for _ in range(LOADS):
        with opened(path, home) as terminal:
            terminal.until_text(made.row_mark(count - 1))
            terminal.press(TIMELINE)
            terminal.settle(REST)
            seen, step = terminal.text, count - 1
            while STUDIED not in seen:
                terminal.pump(PAUSE)
                seen += terminal.text
                terminal.mark()
                step -= 1
                pressed = terminal.press(UP)
                yield (terminal.until(_cursor_says(step)) - pressed) * 1000


def _cursor_says(step: int) -> Shows:
    """Whether the row of a step, counted from 0, is drawn as the one under the cursor. Until the
    first event is read, a row has no number, and its time is an estimate."""
    row = re.compile(rf"▌ +~?\d[^▌]{{0,70}}?({made.row_mark(step)}|edit a{step % 50}\.py)")
    return lambda drawn: row.search(drawn) is not None
