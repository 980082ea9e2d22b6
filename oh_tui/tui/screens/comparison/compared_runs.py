"""The compared runs as rows of a table: two above their steps, or up to eight to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from oh_tui.text.display import cached_line
from oh_tui.text.human import duration, plural
from oh_tui.trajectory.looks import label_mark, verdict_mark
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.widgets.conversation_list import title_of
from oh_tui.tui.widgets.drawing import Piece, fit
from oh_tui.tui.widgets.row_list import HeadCell, RowList

if TYPE_CHECKING:
    from oh_tui.sources.compared import Compared
    from oh_tui.trajectory.comparison.statistics import Figures

_TITLE, _MODEL, _STEPS, _TIME, _COST, _FILES, _LAST = range(2, 9)
"""The numbers of the columns; the run's letter and how it ended are 0 and 1."""

TITLE = 12
"""Cells that are left to a title at least."""


class ComparedRuns(RowList):
    def __init__(self, *, id: str, names: Sequence[str] = ()) -> None:
        """Without `names` of the columns there is no head, and each row says what its numbers are.
        Where room is short the model goes first, then the files, then, without names, the last
        column."""
        super().__init__(id=id)
        self._names = names
        self._first_to_go = (_MODEL, _FILES) if names else (_MODEL, _FILES, _LAST)
        self._runs: list[tuple[Compared, Piece]] = []

    def show(self, runs: list[tuple[Compared, Piece]], cursor: int) -> None:
        """The runs, each with its last column."""
        self._runs = runs
        self.rows_changed(cursor)

    def row_count(self) -> int:
        return len(self._runs)

    def head(self) -> list[HeadCell]:
        if not self._runs:
            return []
        cells = self._laid_out([(name, "") for name in self._names], self.row_width)
        return [HeadCell(" "), *(HeadCell(text) for text, _ in cells)]

    def pieces(self, row: int, width: int) -> list[Piece]:
        return self._laid_out(self._cells(row), width)

    def _laid_out(self, cells: list[Piece], width: int) -> list[Piece]:
        return [
            (f"{text:>{room}}  " if n in (_STEPS, _TIME, _COST) else
             f"{fit(text, room, self.glyphs.more)}  ", hue)
            for n, ((text, hue), room) in enumerate(zip(cells, self._widths(width), strict=True))
            if room
        ]  # fmt: skip

    def _widths(self, width: int) -> list[int]:
        rows = [[text for text, _ in self._cells(row)] for row in range(len(self._runs))]
        columns = zip(*rows, *filter(None, [self._names]), strict=True)
        widths = [max(map(width_of, column)) for column in columns]
        for place in self._first_to_go:
            if _taken(widths) + TITLE > width:
                widths[place] = 0
        widths[_TITLE] = max(TITLE, min(widths[_TITLE], width - _taken(widths)))
        return widths

    def _cells(self, row: int) -> list[Piece]:
        run, last = self._runs[row]
        found = run.figures
        steps = f"{found.steps:,}" if self._names else plural(found.steps, "step")
        return [
            ("ABCDEFGH"[row], "title"),
            self._ended(found),
            (title_of(run.conversation), ""),
            (cached_line(run.conversation.llm_model).rpartition("/")[2], "dim"),
            (steps, ""),
            ("" if found.work is None else duration(found.work), ""),
            (found.told_cost.words or ("price unknown" if found.tokens else ""), ""),
            (found.changes, "dim"),
            last,
        ]

    def _ended(self, found: Figures) -> Piece:
        """How a run ended, with its sign; and what an evaluation says of it."""
        glyph, hue = verdict_mark(self.glyphs, found.verdict.word)
        if found.verdict.cut_off:
            glyph, hue = self.glyphs.failed, "warn"
        text, label = f"{glyph} {found.ended or 'not known'}", found.label
        marked = label_mark(self.glyphs, label)
        return (f"{text}, {label.words}", marked[1]) if marked and label else (text, hue)


class ComparedHeads(ComparedRuns, can_focus=False):
    """The two runs above their steps: a row each, without a cursor."""

    keeps_cursor = False


def _taken(widths: list[int]) -> int:
    """Cells of all columns but the title, with the gaps behind them; that of the last makes room
    for the title's."""
    return sum(cells + 2 for n, cells in enumerate(widths) if cells and n != _TITLE)
