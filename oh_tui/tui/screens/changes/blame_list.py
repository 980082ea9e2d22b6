"""The lines of a file, each with the step that wrote it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from textual.reactive import reactive

from oh_tui.text.redact import safe_lines
from oh_tui.trajectory.files.blame import Histories, blame
from oh_tui.trajectory.files.history import FileHistory, FileState
from oh_tui.trajectory.files.order_in_time import Label
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
    """A row for each line."""

    rows: reactive[tuple[BlameRow, ...]] = reactive((), always_update=True)

    @property
    def current(self) -> BlameRow | None:
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def show(self, rows: tuple[BlameRow, ...], *, keep: bool = False) -> None:
        """Show other lines, from the top, or with `keep` with the cursor on the same line."""
        self.rows = rows
        self._steps = max((len(_origin(row)) for row in rows), default=0)
        self.rows_changed(self.cursor if keep else 0, keep_line=keep)

    _steps = 0
    """Cells of the longest number of a step."""

    def row_count(self) -> int:
        return len(self.rows)

    def row_text(self, row: int) -> str:
        return self.rows[row].text

    def head(self) -> list[HeadCell]:
        return []

    def pieces(self, row: int, width: int) -> list[Piece]:
        shown = self.rows[row]
        digits = len(str(len(self.rows)))
        hue = "dim" if shown.is_before else ""
        step = f"{_origin(shown):>{self._steps}}  "
        number = f"{row + 1:>{digits}}  "
        room = max(0, width - len(step) - len(number))
        return [(step, hue), (number, "number"), (fit(shown.text, room, self.glyphs.more), hue)]


def _origin(row: BlameRow) -> str:
    """The step of a line, "?" from elsewhere, "" for before the run."""
    if row.step is not None:
        return str(row.step)
    return "" if row.is_before else ELSEWHERE
