"""The messages of a context as rows."""

from __future__ import annotations

from functools import lru_cache

from oh_tui.tables.column import FILL, Cell, Column
from oh_tui.text.human import compact
from oh_tui.text.redact import held
from oh_tui.trajectory.presentation.sent_messages import message_line, steps_words
from oh_tui.trajectory.context.message import Message
from oh_tui.trajectory.glyphs import Glyphs
from oh_tui.trajectory.message_lines import message_line, steps_words
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.state.context_rows import GAP, ContextRow, Sign
from oh_tui.tui.widgets.drawing import Piece, fit
from oh_tui.tui.widgets.table_list import Columns, TableList

_ROLES = {"user": "you", "model": "llm", "summary": "llm", "system": "dim", GAP: "dim"}
"""Role -> hue; others are plain."""


def _sign(row: ContextRow, glyphs: Glyphs) -> Cell:
    if row.sign is Sign.FORGOTTEN:
        return Cell(glyphs.forgotten, "dim")
    if row.sign is Sign.GONE:
        return Cell("-", "bad")
    if row.replaces:
        return Cell(glyphs.condensed, "warn")
    return Cell("+", "good") if row.sign is Sign.NEW else Cell(" ")


def _role(row: ContextRow, _glyphs: Glyphs) -> Cell:
    return Cell(row.role, "dim" if row.sign is Sign.FORGOTTEN else _ROLES.get(row.role, ""))


def _size(row: ContextRow, _glyphs: Glyphs) -> str:
    return f"{compact(row.chars)} ch" if row.message else ""


class MessageList(TableList[ContextRow]):
    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.run: Trajectory | None = None
        self._line_of = lru_cache(maxsize=4096)(_line)
        self._steps = 0
        """Cells of the longest list of steps."""

    def columns(self) -> Columns[ContextRow]:
        self._steps = max((len(steps_words(row.steps)) for row in self.rows), default=0)
        return (
            Column("", _sign, width=1),
            Column("", _role, gap=1, width=10),
            Column("", _size, gap=0, width=8, right=True, hue="dim", usual_from=60),
            Column("", draw=self._said, width=FILL, share=1),
        )

    def show_messages(self, rows: tuple[ContextRow, ...], run: Trajectory) -> None:
        """Show other rows. The cursor stays with its message, or is on the last row."""
        if run is not self.run:
            self._line_of.cache_clear()
        self.run = run
        here, last = self.current, max(0, len(rows) - 1)
        under = here.key if here and self.cursor < len(self.rows) - 1 else None
        found = (n for n, row in enumerate(rows) if under is not None and row.key == under)
        cursor = next(found, last)
        self.show(rows, cursor, keep_line=cursor != last)

    def row_text(self, row: int) -> str:
        return self._text(self.rows[row])

    def _text(self, row: ContextRow) -> str:
        if row.message is None or self.run is None:
            return row.text
        return self._line_of(row.message, self.run, held())

    def _said(self, row: ContextRow, room: int) -> list[Piece]:
        """The text of a row in so many cells, what is known of it, and the steps of a message."""
        more, about = self.glyphs.more, ""
        steps = f"  {steps_words(row.steps):>{self._steps}} " if row.message else " "
        room = max(0, room - len(steps))
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
        about = f"  {about}" if about else ""
        return [(fit(text, cells, more), hue), (" " * (left - cells), ""), (about + steps, "dim")]


def _line(message: Message, run: Trajectory, held: tuple[str, ...]) -> str:
    """`held` are the keys that are redacted."""
    return message_line(message, run)
