"""The Conversations pane: one row each, glyph of the agent's state, title, age."""

from __future__ import annotations

from textual.reactive import reactive

from oh_tui.api.models import Conversation
from oh_tui.human import age
from oh_tui.text import clean_line
from oh_tui.trajectory.events import seconds
from oh_tui.tui.theme import status_mark
from oh_tui.tui.widgets.drawing import Piece, fit, width_of
from oh_tui.tui.widgets.row_list import RowList

UNTITLED = "untitled"

WIDE = 64
"""Cells from which a row tells repository and state too."""


class ConversationList(RowList):
    """Rows in the order given; the cursor stays with its conversation whatever that order is."""

    conversations: reactive[tuple[Conversation, ...]] = reactive(())
    now: reactive[float] = reactive(0.0)
    marked_sandbox: reactive[str] = reactive("")
    """Conversations in this sandbox are marked: those that pausing it would touch."""

    @property
    def current(self) -> Conversation | None:
        return self.conversations[self.cursor] if self.conversations else None

    def row_count(self) -> int:
        return len(self.conversations)

    def watch_conversations(
        self, old: tuple[Conversation, ...], new: tuple[Conversation, ...]
    ) -> None:
        under = old[self.cursor].id if self.cursor < len(old) else None
        place = next((n for n, c in enumerate(new) if c.id == under), self.cursor)
        self.rows_changed(place, keep_line=True)
        if self.current and self.current.id != under:
            self.post_message(self.Highlighted(self))

    def pieces(self, row: int, width: int) -> list[Piece]:
        conversation = self.conversations[row]
        glyph, hue = status_mark(
            self.glyphs, conversation.sandbox_status, conversation.execution_status
        )
        child = f"{self.glyphs.last} " if conversation.parent_conversation_id else ""
        title = title_of(conversation)
        then = seconds(conversation.updated_at or conversation.created_at or "")
        aged = age(then, self.now) if then is not None else ""
        extra = ""
        if width >= WIDE:
            where = clean_line(conversation.selected_repository or "")
            extra = f"{fit(where, 20, self.glyphs.more)}  {fit(status_words(conversation), 14)}"
        inside = self.marked_sandbox and conversation.sandbox_id == self.marked_sandbox
        return [
            (glyph, hue),
            (" " + child, "dim"),
            (
                fit(title, width - 7 - len(child) - width_of(extra), self.glyphs.more),
                "mark" if inside else "",
            ),
            (extra, "dim"),
            (f"{aged:>4} ", "dim"),
        ]

    def row_text(self, row: int) -> str:
        return title_of(self.conversations[row])


def status_words(conversation: Conversation) -> str:
    """How the agent stands, else how its sandbox does."""
    execution, sandbox = conversation.execution_status, conversation.sandbox_status
    if execution == "waiting_for_confirmation":
        return "waits for you"
    if execution:
        return clean_line(execution)
    return "sandbox gone" if sandbox == "MISSING" else clean_line(sandbox or "").lower()


def title_of(conversation: Conversation) -> str:
    return clean_line(conversation.title or "") or UNTITLED
