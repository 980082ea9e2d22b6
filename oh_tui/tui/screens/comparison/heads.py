"""The two runs above their steps: a line of numbers each, and their strips on one axis."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip as Line

from oh_tui.text.human import duration, plural
from oh_tui.trajectory.comparison.words import gap_words
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.theme import Glyphs, label_mark, verdict_mark
from oh_tui.tui.widgets.drawing import Drawn, Piece, fit
from oh_tui.tui.widgets.strip_view import REVERSE, axis_cells, llm_cell, tool_cell

if TYPE_CHECKING:
    from oh_tui.tui.state.compared import Compared

TITLE = 12
"""Cells that are left to a title at least."""

_TITLE, _MODEL, _STEPS, _TIME, _COST, _FILES, _GAP = range(2, 9)
"""The numbers of the columns; the run's name and how it ended are 0 and 1."""

_FIRST_TO_GO = (_MODEL, _FILES, _GAP)
"""Columns that are left out where there is no room, in this order."""


def ended(run: Compared, glyphs: Glyphs) -> Piece:
    """How a run ended, with its sign; and what an evaluation says of it."""
    verdict = run.figures.verdict
    if verdict.cut_off:
        text, hue = f"{glyphs.failed} cut off", "warn"
    else:
        glyph, hue = verdict_mark(glyphs, verdict.word)
        text = f"{glyph} {verdict.word or 'not known'}"
    marked = label_mark(glyphs, run.label)
    return (f"{text}, {run.label.words}", marked[1]) if marked and run.label else (text, hue)


def numbers(run: Compared) -> tuple[str, str, str, str]:
    """Steps, time, cost and changed files; "" for what is not known."""
    found = run.figures
    unknown = "price unknown" if found.tokens else ""
    return (
        plural(found.steps, "step"),
        "" if found.work is None else duration(found.work),
        found.told_cost.words or unknown,
        found.changes,
    )


class ComparedHeads(Drawn):
    """A line for each run; the second has what it took more or less than the first."""

    def __init__(self) -> None:
        super().__init__()
        self._runs: tuple[Compared, Compared] | None = None

    def show(self, a: Compared, b: Compared) -> None:
        self._runs = a, b
        self.refresh()

    def render_line(self, y: int) -> Line:
        width = self.size.width
        if self._runs is None or y > 1:
            return self.strip([], width)
        return self.strip(_lines(self._runs, width, self.glyphs)[y], width)


def _lines(runs: tuple[Compared, Compared], width: int, glyphs: Glyphs) -> list[list[Piece]]:
    a, b = runs
    gap = "  ".join(filter(None, gap_words(b.figures.less(a.figures))))
    rows = [_cells("A", a, glyphs, ""), _cells("B", b, glyphs, gap)]
    widths = [max(width_of(row[n][0]) for row in rows) for n in range(len(rows[0]))]
    for place in _FIRST_TO_GO:
        if _taken(widths) + TITLE > width:
            widths[place] = 0
    widths[_TITLE] = max(TITLE, min(widths[_TITLE], width - _taken(widths)))
    return [
        [
            piece
            for n, ((text, hue), cells) in enumerate(zip(row, widths, strict=True))
            if cells
            for piece in (_cell(n, text, hue, cells, glyphs), ("  ", ""))
        ]
        for row in rows
    ]


def _taken(widths: list[int]) -> int:
    """Cells of all columns but the title, with the gaps between them."""
    shown = [cells + 2 for n, cells in enumerate(widths) if cells and n != _TITLE]
    return sum(shown) + 1


def _cell(place: int, text: str, hue: str, cells: int, glyphs: Glyphs) -> Piece:
    if place in (_STEPS, _TIME, _COST):
        return f"{text:>{cells}}", hue
    return fit(text, cells, glyphs.more), hue


def _cells(name: str, run: Compared, glyphs: Glyphs, gap: str) -> list[Piece]:
    steps, time, cost, files = numbers(run)
    return [
        (f" {name}", "title"),
        ended(run, glyphs),
        (run.title, ""),
        (run.model, "dim"),
        (steps, ""),
        (time, ""),
        (cost, ""),
        (files, "dim"),
        (gap, "mark"),
    ]


LABEL = 8
"""Cells before the lanes."""

_LANES = ("", " A llm", "   tool", " B llm", "   tool")


class ComparedStrips(Drawn):
    """Both runs on one axis, that of the longer one: a shorter run is a shorter strip. A click goes
    to a step."""

    class Picked(Message):
        """A click on a column of A (`side` 0) or B (1), whose main step this is."""

        def __init__(self, side: int, number: int) -> None:
            super().__init__()
            self.side = side
            self.number = number

    def __init__(self) -> None:
        super().__init__()
        self._runs: tuple[Compared, ...] = ()
        self._selected: tuple[int | None, ...] = (None, None)

    def show(self, a: Compared, b: Compared) -> None:
        self._runs = a, b
        self.refresh()

    def select(self, a: int | None, b: int | None) -> None:
        """The steps under the cursor."""
        self._selected = a, b
        self.refresh()

    def _widths(self) -> list[int]:
        """Cells of each strip, in proportion to the time it shows."""
        room = max(0, self.size.width - LABEL - 1)
        spans = [run.study.accounts.active for run in self._runs]
        longest = max(spans, default=0.0)
        if longest <= 0:
            return [room] * len(spans)
        return [max(1, round(room * span / longest)) if room else 0 for span in spans]

    def on_click(self, event: events.Click) -> None:
        side, column = max(0, event.y - 1) // 2, event.x - LABEL
        if side < len(self._runs) and 0 <= column < self._widths()[side]:
            number = self._runs[side].study.strip.step_at(column, self._widths()[side])
            if number:
                self.post_message(self.Picked(side, number))

    def render_line(self, y: int) -> Line:
        full = self.size.width
        widths = self._widths()
        if not self._runs or not 0 <= y < len(_LANES) or full <= LABEL:
            return self.strip([], full)
        side = (y - 1) // 2 if y else widths.index(max(widths))
        strip, width = self._runs[side].study.strip, widths[side]
        picture = strip.picture(width)
        segments = [Segment(f"{_LANES[y]:<{LABEL}}", self.base + self.hue("dim"))]
        if y and not strip.has_times:
            segments.append(Segment("no times are known" if y % 2 else "", self.base))
            return Line(segments).adjust_cell_length(full, self.base)
        number = self._selected[side]
        selected = None if number is None else strip.column_of(number, width)
        if y == 0:
            cells = axis_cells(len(picture.columns), picture.axis, self.glyphs, None)
        else:
            draw = tool_cell if y % 2 == 0 else llm_cell
            cells = [draw(column, self.glyphs) for column in picture.columns]
        parts = groupby(enumerate(cells), lambda at: (at[1][1], y > 0 and at[0] == selected))
        for (hue, is_inverted), group in parts:
            text = "".join(cell for _, (cell, _) in group)
            style = self.base + self.hue(hue) if hue and not is_inverted else self.base
            segments.append(Segment(text, style + REVERSE if is_inverted else style))
        return Line(segments).adjust_cell_length(full, self.base)
