"""The lines of a file, each with the step that wrote it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from textual.reactive import reactive

from oh_tui.text.redact import safe_lines
from oh_tui.trajectory.files.blame import Histories, blame
from oh_tui.trajectory.files.history import FileHistory, FileState
from oh_tui.trajectory.files.order_in_time import Label
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.rendering.lines import in_sight
from oh_tui.tui.rendering.sections import Line
from oh_tui.tui.widgets.drawing import Piece, fit
from oh_tui.tui.widgets.row_list import HeadCell, RowList

LONGEST = 2_000
"""Characters of a line that are kept."""

ELSEWHERE = "?"


class BlameRow(NamedTuple):
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
        BlameRow(text[:LONGEST].expandtabs(4), line.step, line.origin == "before")
        for text, line in zip(texts, lines, strict=True)
    )


class BlameList(RowList):
    """A row for each line; long ones are scrolled sideways."""

    rows: reactive[tuple[BlameRow, ...]] = reactive((), always_update=True)
    left: reactive[int] = reactive(0)
    """Cells of the lines that are scrolled out at the left."""

    @property
    def current(self) -> BlameRow | None:
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def show(self, rows: tuple[BlameRow, ...], *, keep: bool = False) -> None:
        """Show other lines, from the top, or with `keep` with the cursor on the same line."""
        self.rows = rows
        self._steps = max((len(_origin(row)) for row in rows), default=0)
        self._widest = max((width_of(row.text) for row in rows), default=0)
        self.left = self.left if keep else 0
        self.rows_changed(self.cursor if keep else 0, keep_line=keep)

    _steps = _widest = 0
    """Cells of the longest number of a step, and of the longest line."""

    def row_count(self) -> int:
        return len(self.rows)

    def row_text(self, row: int) -> str:
        return self.rows[row].text

    def first_with(self, order: Sequence[int], text: str) -> int | None:
        """The first of some rows that holds a text, which is in lower case."""
        rows = self.rows
        return next((number for number in order if text in rows[number].text.lower()), None)

    def head(self) -> list[HeadCell]:
        return []

    def pieces(self, row: int, width: int) -> list[Piece]:
        shown = self.rows[row]
        hue = "dim" if shown.is_before else ""
        step = f"{_origin(shown):>{self._steps}}  "
        number = f"{row + 1:>{len(str(len(self.rows)))}}  "
        room = self._room(width)
        start, _, lead = in_sight(Line("", ((shown.text, ""),)), self.left, room)
        text = " " * lead + shown.text[start:]
        return [(step, hue), (number, "number"), (fit(text, room, self.glyphs.more), hue)]

    def _room(self, width: int) -> int:
        """Cells for the text of a line."""
        return max(0, width - self._steps - len(str(len(self.rows))) - 4)

    # Sideways

    @property
    def is_wide(self) -> bool:
        """Some line does not fit."""
        return self._widest > self._room(self.row_width)

    def validate_left(self, left: int) -> int:
        return max(0, min(left, self._widest - self._room(self.row_width)))

    def show_text(self, text: str) -> None:
        """Bring the first place of a text in the row of the cursor into sight."""
        shown = self.current.text if self.current else ""
        place, room = shown.lower().find(text.lower()), self._room(self.row_width)
        first = width_of(shown[: max(0, place)])
        if place >= 0 and not self.left <= first <= self.left + room - width_of(text):
            self.left = first - room // 3

    def action_scroll_left(self) -> None:
        self.left -= 8

    def action_scroll_right(self) -> None:
        self.left += 8

    def action_page_left(self) -> None:
        self.left -= max(1, self._room(self.row_width) - 8)

    def action_page_right(self) -> None:
        self.left += max(1, self._room(self.row_width) - 8)


def _origin(row: BlameRow) -> str:
    """The step of a line, "?" from elsewhere, "" for before the run."""
    if row.step is not None:
        return str(row.step)
    return "" if row.is_before else ELSEWHERE
