"""The steps of two runs side by side, with what lies between them."""

from __future__ import annotations

from textual.cache import LRUCache

from oh_tui.trajectory.comparison.compare import SIGNS, Comparison, Kind, StepPair
from oh_tui.trajectory.looks import FAMILY_HUES, outcome_mark
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.describe import Description, describe
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.widgets.drawing import Piece, fit, shorten
from oh_tui.tui.widgets.row_list import RowList

SIGN = 5
"""Cells between the two steps."""

WITH_RESULT = 44
"""Cells of a step from which its result has a column of its own."""

SIGN_HUES = {Kind.SAME: "dim", Kind.CHANGED: "mark"}


class ComparedSteps(RowList):
    """A row for each step of both runs. `e` and `E` go from difference to difference: a row that
    was changed, or the first of several that only one run has."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.comparison: Comparison | None = None
        self._described: LRUCache[tuple[int, int], Description] = LRUCache(1024)

    def show(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self._described.clear()
        self.empty = ("neither run has any steps",)
        self.rows_changed(comparison.differences[0] if comparison.differences else 0)
        self.show_around()

    @property
    def current(self) -> StepPair | None:
        rows = self.comparison.rows if self.comparison else []
        return rows[self.cursor] if rows else None

    def row_count(self) -> int:
        return len(self.comparison.rows) if self.comparison else 0

    def next_difference(self, by: int) -> int | None:
        """The row of the next difference, or of the one before; None where there is none."""
        comparison = self.comparison
        if comparison is None:
            return None
        places = range(self.cursor + by, len(comparison.rows) if by > 0 else -1, by)
        return next((place for place in places if self._begins(comparison, place)), None)

    def _begins(self, comparison: Comparison, place: int) -> bool:
        kind = comparison.rows[place].kind
        if kind in (Kind.SAME, Kind.CHANGED):
            return kind is Kind.CHANGED
        return place == 0 or comparison.rows[place - 1].kind is not kind

    def row_of(self, side: int, number: int) -> int | None:
        """The row of a step of A (0) or B (1)."""
        rows = self.comparison.rows if self.comparison else []
        return next(
            (n for n, row in enumerate(rows) if (s := (row.a, row.b)[side]) and s.number == number),
            None,
        )

    def pieces(self, row: int, width: int) -> list[Piece]:
        comparison = self.comparison
        assert comparison is not None
        pair = comparison.rows[row]
        half = (width - SIGN) // 2
        sign = (f"{SIGNS[pair.kind]:^{SIGN}}", SIGN_HUES.get(pair.kind, ""))
        is_same = pair.kind is Kind.SAME
        return [
            *self._step(0, comparison.a, pair.a, half, is_same),
            sign,
            *self._step(1, comparison.b, pair.b, width - SIGN - half, is_same),
        ]

    def _step(
        self, side: int, run: Trajectory, step: Step | None, width: int, is_same: bool
    ) -> list[Piece]:
        """A step in `width` cells. What both did is dim: differences stand out."""
        if step is None:
            return [(" " * width, "")]
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
