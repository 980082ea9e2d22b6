"""The lines of a file, each with the step that wrote it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from textual.reactive import reactive

from oh_tui.tables.column import FILL, Cell, Column
from oh_tui.text.redact import safe_lines
from oh_tui.trajectory.changes.blame import Histories, blame
from oh_tui.trajectory.changes.history import FileHistory, FileState
from oh_tui.trajectory.changes.touched_files import Label
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.rendering.lines import in_sight
from oh_tui.tui.rendering.sections import Line
from oh_tui.tui.widgets.drawing import Piece, fit
from oh_tui.tui.widgets.table_list import Columns, TableList

LONGEST = 2_000
"""Characters of a line that are kept."""

ELSEWHERE = "?"


class BlameRow(NamedTuple):
    line: int
    text: str
    """Safe to show."""
    step: Label | None
    """The step that wrote it; None if it was there before the run, or came from elsewhere."""
    is_before: bool


def blame_rows(
    files: Histories, file: FileHistory, state: FileState, stop: Callable[[], bool]
) -> tuple[BlameRow, ...]:
    """Takes up to seconds, for a thread; raises Stopped if `stop` says so."""
    lines = blame(files, file, state, stop).lines
    texts = safe_lines([line.text for line in lines])
    return tuple(
        BlameRow(number, text[:LONGEST].expandtabs(4), line.step, line.origin == "before")
        for number, (text, line) in enumerate(zip(texts, lines, strict=True), 1)
    )


class BlameList(TableList[BlameRow]):
    """A row for each line; long ones are scrolled sideways."""

    left: reactive[int] = reactive(0)
    """Cells of the lines that are scrolled out at the left."""

    def columns(self) -> Columns[BlameRow]:
        steps = max((len(_origin(row)) for row in self.rows), default=0)
        digits = len(str(len(self.rows)))
        return (
            Column("", lambda row, _: Cell(_origin(row), _hue(row)), right=True, width=steps),
            Column("", lambda row, _: str(row.line), hue="number", right=True, width=digits),
            Column("", draw=self._in_sight, width=FILL, share=1),
        )

    _widest = 0
    """Cells of the longest line."""

    def show_lines(self, rows: tuple[BlameRow, ...], *, keep: bool = False) -> None:
        """Show other lines, from the top, or with `keep` with the cursor on the same line."""
        self._widest = max((width_of(row.text) for row in rows), default=0)
        self.left = self.left if keep else 0
        self.show(rows, self.cursor if keep else 0, keep_line=keep)

    def row_text(self, row: int) -> str:
        return self.rows[row].text

    def first_with(self, order: Sequence[int], text: str) -> int | None:
        """The first of some rows that holds a text, which is in lower case."""
        rows = self.rows
        return next((number for number in order if text in rows[number].text.lower()), None)

    def _in_sight(self, row: BlameRow, room: int) -> list[Piece]:
        start, _, lead = in_sight(Line("", ((row.text, ""),)), self.left, room)
        return [(fit(" " * lead + row.text[start:], room, self.glyphs.more), _hue(row))]

    @property
    def _room(self) -> int:
        """Cells for the text of a line."""
        return next((cells for one, cells in self.fitted(self.row_width).shown if one.draw), 0)

    # Sideways

    @property
    def is_wide(self) -> bool:
        """Some line does not fit."""
        return self._widest > self._room

    def validate_left(self, left: int) -> int:
        return max(0, min(left, self._widest - self._room))

    def show_text(self, text: str) -> None:
        """Bring the first place of a text in the row of the cursor into sight."""
        shown = self.current.text if self.current else ""
        place, room = shown.lower().find(text.lower()), self._room
        first = width_of(shown[: max(0, place)])
        if place >= 0 and not self.left <= first <= self.left + room - width_of(text):
            self.left = first - room // 3

    def action_scroll_left(self) -> None:
        self.left -= 8

    def action_scroll_right(self) -> None:
        self.left += 8

    def action_page_left(self) -> None:
        self.left -= max(1, self._room - 8)

    def action_page_right(self) -> None:
        self.left += max(1, self._room - 8)


def _hue(row: BlameRow) -> str:
    return "dim" if row.is_before else ""


def _origin(row: BlameRow) -> str:
    """The step of a line, "?" from elsewhere, "" for before the run."""
    if row.step is not None:
        return str(row.step)
    return "" if row.is_before else ELSEWHERE
