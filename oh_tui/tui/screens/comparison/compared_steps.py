"""The steps of two runs side by side, with what lies between them."""

from __future__ import annotations

from functools import partial

from textual.cache import LRUCache

from oh_tui.tables.column import FILL, Cell, Column
from oh_tui.trajectory.comparison.compare import SIGNS, Comparison, Kind, StepPair
from oh_tui.trajectory.glyphs import FAMILY_HUES, Glyphs, outcome_mark
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.describe import Description, describe
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.widgets.drawing import Piece, fit, shorten
from oh_tui.tui.widgets.table_list import Columns, TableList

WITH_RESULT = 44
"""Cells of a step from which its result has a column of its own."""

SIGN_HUES = {Kind.SAME: "dim", Kind.CHANGED: "mark"}


def _sign(pair: StepPair, _glyphs: Glyphs) -> Cell:
    return Cell(f"  {SIGNS[pair.kind]}", SIGN_HUES.get(pair.kind, ""))


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
            Column("", _sign, gap=0, width=5),
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
        kind = self.rows[place].kind
        if kind in (Kind.SAME, Kind.CHANGED):
            return kind is Kind.CHANGED
        return place == 0 or self.rows[place - 1].kind is not kind

    def row_of(self, side: int, number: int) -> int | None:
        """The row of a step of A (0) or B (1)."""
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
        digits = max(4, len(str(len(run))) + 1)
        mark, mark_hue = outcome_mark(self.glyphs, outcome)
        room = width - digits - 2
        result = int((room - 4) * 0.38) if room >= WITH_RESULT else 0
        what = room - result - 4 if result else room - 2
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
