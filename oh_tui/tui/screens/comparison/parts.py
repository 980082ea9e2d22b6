"""The parts of the view: runs as rows, their strips on one axis, the steps of two side by side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import NamedTuple

from msgspec.structs import replace
from rich.segment import Segment
from textual import events
from textual.cache import LRUCache
from textual.message import Message
from textual.strip import Strip as Line

from oh_tui.sources.compared import Compared
from oh_tui.tables.column import FILL, Cell, Column
from oh_tui.text.clean import clean_line
from oh_tui.text.display import cached_line
from oh_tui.text.human import plural
from oh_tui.trajectory.comparison.compare import SIGNS, Comparison, Kind, StepPair
from oh_tui.trajectory.comparison.parted import name_of, quoted
from oh_tui.trajectory.comparison.plain import How
from oh_tui.trajectory.comparison.seen import Differing
from oh_tui.trajectory.glyphs import FAMILY_HUES, Glyphs, label_mark, outcome_mark, verdict_mark
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.describe import Description, describe
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.widgets.conversation_list import title_of
from oh_tui.tui.widgets.drawing import Drawn, Piece, fit, shorten
from oh_tui.tui.widgets.strip_view import REVERSE, AxisText, axis_cells, llm_cell, tool_cell
from oh_tui.tui.widgets.table_list import Columns, TableList

LABEL = 8
"""Cells before the lanes."""

_LANES = ("", " A llm", "   tool", " B llm", "   tool")


class RunRow(NamedTuple):
    letter: str
    run: Compared
    last: Cell = Cell("")
    """Where it parts from the first run, or what it took more."""


def _ended(row: RunRow, glyphs: Glyphs) -> Cell:
    found = row.run.figures
    glyph, hue = verdict_mark(glyphs, found.verdict.word)
    if found.verdict.cut_off:
        glyph, hue = glyphs.failed, "warn"
    text, label = f"{glyph} {found.ended or 'not known'}", found.label
    marked = label_mark(glyphs, label)
    return Cell(f"{text}, {label.words}", marked[1]) if marked and label else Cell(text, hue)


def _model(row: RunRow, _glyphs: Glyphs) -> str:
    return cached_line(row.run.conversation.llm_model).rpartition("/")[2]


def _cost(row: RunRow, _glyphs: Glyphs) -> str:
    found = row.run.figures
    return found.price.words or ("price unknown" if found.tokens else "")


class ComparedRuns(TableList[RunRow]):
    has_head = True
    """Without the heads of a table each row says what its numbers are."""

    def columns(self) -> Columns[RunRow]:
        found: Columns[RunRow] = (
            Column("", lambda row, _: row.letter, hue="title"),
            Column("ended", _ended),
            Column("title", lambda row, _: title_of(row.run.conversation), share=1, least=12),
            Column("model", _model, hue="dim", goes=3),
            Column("steps", self._steps, right=True),
            Column("time", lambda row, _: row.run.figures.took, right=True),
            Column("cost", _cost, right=True),
            Column("files", lambda row, _: row.run.figures.changes, hue="dim", goes=1),
            Column("parts from A", lambda row, _: row.last, goes=0 if self.has_head else 2),
        )
        return found if self.has_head else [replace(one, head="") for one in found]

    def _steps(self, row: RunRow, _glyphs: Glyphs) -> str:
        count = row.run.figures.steps
        return f"{count:,}" if self.has_head else plural(count, "step")


class ComparedHeads(ComparedRuns, can_focus=False):
    """The two runs above their steps: a row each, without a cursor."""

    has_head = keeps_cursor = False


class ComparedStrips(Drawn):
    """Both runs on the axis of the longer one. A click goes to a step."""

    @dataclass
    class Picked(Message):
        """A click on a column of A (`side` 0) or B (1), whose main step this is."""

        side: int
        number: int

    def __init__(self) -> None:
        super().__init__()
        self._runs: tuple[Compared, ...] = ()
        self._selected: tuple[int | None, ...] = (None, None)

    def show(self, a: Compared, b: Compared) -> None:
        self._runs = a, b
        self.refresh()

    def select(self, a: int | None, b: int | None) -> None:
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
            cells = axis_cells(width, (AxisText(*label) for label in picture.axis))
        else:
            draw = tool_cell if y % 2 == 0 else llm_cell
            cells = [draw(column, self.glyphs) for column in picture.columns]
        parts = groupby(enumerate(cells), lambda at: (at[1][1], y > 0 and at[0] == selected))
        for (hue, is_inverted), group in parts:
            text = "".join(cell for _, (cell, _) in group)
            style = self.base + self.hue(hue) if hue and not is_inverted else self.base
            segments.append(Segment(text, style + REVERSE if is_inverted else style))
        return Line(segments).adjust_cell_length(full, self.base)


WITH_RESULT = 44
"""Cells of a step from which its result has a column of its own."""

SIGN_HUES = {Kind.SAME: "dim", Kind.CHANGED: "mark"}


def _sign(pair: StepPair, _glyphs: Glyphs) -> Cell:
    return Cell(f" {SIGNS[pair.kind]}", SIGN_HUES.get(pair.kind, ""))


class SeenMessages(TableList[Differing]):
    """What the model saw where the runs part: a row for each message that differs."""

    def columns(self) -> Columns[Differing]:
        return (
            Column("", self._of, share=1, least=30),
            Column("", partial(self._quote, 0), width=FILL, share=2),
            Column("", partial(self._quote, 1), width=FILL, share=2),
        )

    def _of(self, row: Differing, _glyphs: Glyphs) -> Cell:
        if row.told.how is How.PLAIN:
            return Cell(f"{name_of(row)}: {', '.join(sorted(row.told.names))}", "dim")
        return Cell(name_of(row), "mark")

    def _quote(self, side: int, row: Differing, _glyphs: Glyphs) -> Cell:
        text = quoted(row)[side]
        if text is None:
            return Cell(f"{'AB'[side]} has no such message", "dim")
        first = next(filter(str.strip, text.split("\n")), "")
        return Cell(clean_line(first.strip()), "dim" * (row.told.how is How.PLAIN))


class ComparedSteps(TableList[StepPair]):
    """A row for each step of both runs. `e` and `E` go from difference to difference: a row that
    was changed, or the first of several that only one run has."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.comparison: Comparison | None = None
        self._described: LRUCache[tuple[int, int], Description] = LRUCache(1024)

    def columns(self) -> Columns[StepPair]:
        return (
            Column("", draw=partial(self._step, 0), width=FILL, share=1),
            Column("", _sign, gap=0, width=3),
            Column("", draw=partial(self._step, 1), gap=0, width=FILL, share=1),
        )

    def compare(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self._described.clear()
        self.empty = ("neither run has any steps",)
        first = comparison.differences[0] if comparison.differences else 0
        self.show(comparison.rows, first, keep_line=False)
        self.show_around()

    def next_difference(self, by: int) -> int | None:
        """The row of the next difference, or of the one before; None where there is none."""
        places = range(self.cursor + by, len(self.rows) if by > 0 else -1, by)
        return next(filter(self._begins, places), None)

    def _begins(self, place: int) -> bool:
        row = self.rows[place]
        if row.a and row.b:
            return row.kind is Kind.CHANGED
        return place == 0 or self.rows[place - 1].kind is not row.kind

    def row_of(self, side: int, number: int) -> int | None:
        steps = ((row.a, row.b)[side] for row in self.rows)
        return next((n for n, step in enumerate(steps) if step and step.number == number), None)

    def _step(self, side: int, pair: StepPair, width: int) -> list[Piece]:
        """A step in `width` cells. What both did is dim: differences stand out."""
        step, comparison = (pair.a, pair.b)[side], self.comparison
        if step is None or comparison is None:
            return [(" " * width, "")]
        run, is_same = (comparison.a, comparison.b)[side], pair.kind is Kind.SAME
        outcome = run.outcome(step)
        described = self._describe(side, run, step)
        digits = len(str(max(len(comparison.a), len(comparison.b)))) + 1
        mark, mark_hue = outcome_mark(self.glyphs, outcome)
        room = width - digits - 2
        result = int((room - 4) * 0.38) if room >= WITH_RESULT else 0
        what = room - result - 4 if result else room - (2 if mark else 0)
        verb, _, rest = described.what.removesuffix(" wrote").partition(" ")
        telling = described.result
        if not rest and not mark:  # a message: its text takes the room
            rest, telling, what, result = telling, "", room, 0
        more = self.glyphs.more
        hue = "dim" if is_same else FAMILY_HUES.get(described.family, "")
        pieces: list[Piece] = [
            (f"{step.number:>{digits}}  ", "dim"),
            (shorten(verb, what, more), hue),
            (fit(f" {rest}", what - min(what, width_of(verb)), more), "dim" if is_same else ""),
        ]
        if what == room:
            return pieces
        pieces.append((f" {mark or ' '}", mark_hue))
        if result:
            pieces.append((fit(f" {telling} ", result + 2, more), mark_hue or "dim"))
        return pieces

    def _describe(self, side: int, run: Trajectory, step: Step) -> Description:
        key = (side, step.number)
        found = self._described.get(key)
        if found is None:
            found = self._described[key] = describe(step, run.outcome(step))
        return found
