"""Three to eight runs as rows of a table; enter compares one of them with the first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from oh_tui.trajectory.comparison.compare import Parting
from oh_tui.tui.keys import HELP, Hint
from oh_tui.tui.platform.base_screen import ClosesOnce
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.screens.comparison.heads import ended, numbers
from oh_tui.tui.widgets.bars import Footer
from oh_tui.tui.widgets.drawing import Piece, fit
from oh_tui.tui.widgets.row_list import ColumnHead, HeadCell, RowList
from oh_tui.tui.widgets.rule import Rule

if TYPE_CHECKING:
    from oh_tui.tui.state.compared import Compared

COLUMNS = ("", "ended", "title", "model", "steps", "time", "cost", "files", "parts from A")

_TITLE, _RIGHT = 2, (4, 5, 6)
_FIRST_TO_GO = (3, 7)
"""The model, then the files, where there is no room."""

LEAST = 12
"""Cells of a title at least."""


class Compare(NamedTuple):
    """A run of the table, and where it parts from the first; None if it does not."""

    run: Compared
    first: Parting | None


class CompareManyScreen(ModalScreen[None], ClosesOnce[None]):
    """Stays below the pair that is opened from it."""

    DEFAULT_CSS = """
    CompareManyScreen { background: $background; }
    CompareManyScreen ColumnHead { height: 1; width: 1fr; }
    CompareManyScreen ComparedRuns { height: 1fr; }
    """
    HELP_TITLE = "In the comparison"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,equals_sign,q", "dismiss", "close", show=False),
    ]

    def __init__(self, pick: Callable[[int], None]) -> None:
        """`pick` is called with the place of the run to compare with the first."""
        super().__init__()
        self._pick = pick
        self.table = ComparedRuns(id="compared-runs")
        self.table.empty = ("reading the runs …",)
        self.head = ColumnHead(self.table)
        self.rule = Rule("Compare")
        self.footer = Footer()

    def compose(self) -> ComposeResult:
        yield from (self.rule, self.head, self.table, self.footer)

    def on_mount(self) -> None:
        self.footer.always = (HELP, Hint("esc", "close", "dismiss"))

    def show_rows(self, rows: list[Compare]) -> None:
        self.table.show(rows)
        self.head.refresh()
        self.rule.facts = ((f"{len(rows)} runs", ""),)
        self.footer.hints = (Hint("enter", "compare it with A", "open"),)

    def tell_progress(self, *lines: str) -> None:
        """What is being read, or why nothing can be compared."""
        self.table.empty = lines

    def action_open(self) -> None:
        self.table.action_open()

    @on(RowList.Opened)
    def _open(self) -> None:
        if self.table.cursor:
            self._pick(self.table.cursor)
        else:
            self.footer.tell("this is A: choose another row to compare with it", remark=True)


class ComparedRuns(RowList):
    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._rows: list[Compare] = []

    def show(self, rows: list[Compare]) -> None:
        self._rows = rows
        self.rows_changed(1)

    def row_count(self) -> int:
        return len(self._rows)

    def head(self) -> list[HeadCell]:
        if not self._rows:
            return []
        named = [(name, "") for name in COLUMNS]
        return [
            HeadCell(" "),
            *(HeadCell(text) for text, _ in self._laid_out(named, self.row_width)),
        ]

    def pieces(self, row: int, width: int) -> list[Piece]:
        return self._laid_out(self._cells(row), width)

    def _laid_out(self, cells: list[Piece], width: int) -> list[Piece]:
        return [
            (f"{text:>{room}}  " if n in _RIGHT else f"{fit(text, room, self.glyphs.more)}  ", hue)
            for n, ((text, hue), room) in enumerate(zip(cells, self._widths(width), strict=True))
            if room
        ]

    def _widths(self, width: int) -> list[int]:
        rows = [self._cells(row) for row in range(len(self._rows))]
        widths = [
            max(len(name), 1, *(width_of(row[n][0]) for row in rows))
            for n, name in enumerate(COLUMNS)
        ]
        for place in _FIRST_TO_GO:
            if _taken(widths) + LEAST > width:
                widths[place] = 0
        widths[_TITLE] = max(LEAST, min(widths[_TITLE], width - _taken(widths) - 2))
        return widths

    def _cells(self, row: int) -> list[Piece]:
        run, first = self._rows[row]
        steps, time, cost, files = numbers(run)
        parts = _parts(first) if row else ""
        return [
            ("ABCDEFGH"[row], "title"),
            ended(run, self.glyphs),
            (run.title, ""),
            (run.model, "dim"),
            (steps.partition(" ")[0], ""),
            (time, ""),
            (cost, ""),
            (files, "dim"),
            (parts, ""),
        ]


def _taken(widths: list[int]) -> int:
    return sum(cells + 2 for n, cells in enumerate(widths) if cells and n != _TITLE)


def _parts(first: Parting | None) -> str:
    if first is None:
        return "nowhere"
    return f"step {first.b}" if first.b else "ends earlier"
