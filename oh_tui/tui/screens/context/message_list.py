"""The messages of a context as rows."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from textual.reactive import reactive

from oh_tui.text.human import compact
from oh_tui.text.redact import held
from oh_tui.trajectory.message_lines import message_line, steps_words
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.state.context_rows import GAP, Row, Sign
from oh_tui.tui.widgets.drawing import Piece, fit
from oh_tui.tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from oh_tui.trajectory.context.message import Message
    from oh_tui.trajectory.model.trajectory import Trajectory

ROLE, SIZE = 10, 8
"""Cells of these columns."""

WITH_SIZE = 60
"""Cells of a row from which sizes are shown."""

_ROLES = {"user": "you", "model": "llm", "summary": "llm", "system": "dim", GAP: "dim"}
"""Role -> hue; others are plain."""


class MessageList(RowList):
    rows: reactive[tuple[Row, ...]] = reactive((), always_update=True)

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.run: Trajectory | None = None
        self._line_of = lru_cache(maxsize=4096)(_line)
        self._steps = 0
        """Cells of the longest list of steps."""

    @property
    def current(self) -> Row | None:
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def show(self, rows: tuple[Row, ...], run: Trajectory) -> None:
        """Show other rows. The cursor stays with its message, or is on the last row."""
        if run is not self.run:
            self._line_of.cache_clear()
        self.run = run
        here, is_last = self.current, self.cursor >= len(self.rows) - 1
        under = here.key if here and not is_last else None
        last = max(0, len(rows) - 1)
        found = (n for n, row in enumerate(rows) if under is not None and row.key == under)
        cursor = next(found, last)
        self._steps = max((len(steps_words(row.steps)) for row in rows), default=0)
        self.rows = rows
        self.rows_changed(cursor, keep_line=cursor != last)

    def row_count(self) -> int:
        return len(self.rows)

    def row_text(self, row: int) -> str:
        return self._text(self.rows[row])

    def _text(self, row: Row) -> str:
        if row.message is None or self.run is None:
            return row.text
        return self._line_of(row.message, self.run, held())

    def pieces(self, row: int, width: int) -> list[Piece]:
        shown = self.rows[row]
        is_forgotten = shown.sign is Sign.FORGOTTEN
        sign, hue = self._sign(shown)
        role: Piece = (f"{shown.role:<{ROLE}}", _ROLES.get(shown.role, ""))
        size = ""
        if width >= WITH_SIZE and shown.message is not None:
            size = f"{compact(shown.chars)} ch"
        column = f"{size:>{SIZE}}  " if width >= WITH_SIZE else ""
        steps = f"  {steps_words(shown.steps):>{self._steps}} " if shown.message else " "
        room = max(0, width - 2 - ROLE - len(column) - len(steps))
        pieces: list[Piece] = [(f"{sign} ", hue), role, (column, "dim")]
        if is_forgotten:
            pieces[1] = role[0], "dim"
        pieces += self._said(shown, room)
        return [*pieces, (steps, "dim")]

    def _sign(self, row: Row) -> Piece:
        if row.sign is Sign.FORGOTTEN:
            return self.glyphs.forgotten, "dim"
        if row.sign is Sign.GONE:
            return "-", "bad"
        if row.replaces:
            return self.glyphs.condensed, "warn"
        return ("+", "good") if row.sign is Sign.NEW else (" ", "")

    def _said(self, row: Row, room: int) -> list[Piece]:
        """The text of a row in so many cells, and what is known of it."""
        more, about = self.glyphs.more, ""
        if row.replaces:
            about = f"in place of {steps_words(row.replaces)}"
        elif row.sign is Sign.FORGOTTEN and row.message:
            about = f"forgotten at {row.message.forgotten_by}"
        elif row.about:
            about = f"({row.about})"
        text = self._text(row)
        hue = "gone" if row.sign is Sign.FORGOTTEN else "dim" if row.sign is Sign.GONE else ""
        left = room - width_of(about) - 2 if about else room
        if about and left < (width_of(text) if row.about else min(width_of(text), 12)):
            about, left = "", room
        if row.role == GAP:  # the sentence tells more than the name
            return [(fit(f"{row.text}: {row.about}", room, more), "dim")]
        cells = min(width_of(text), left)
        said: list[Piece] = [(fit(text, cells, more), hue), (" " * (left - cells), "")]
        return [*said, (f"  {about}", "dim")] if about else said


def _line(message: Message, run: Trajectory, held: tuple[str, ...]) -> str:
    """`held` are the keys that are redacted."""
    return message_line(message, run)
