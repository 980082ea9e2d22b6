"""The whole text of a message, below a rule."""

from __future__ import annotations

import asyncio

from textual import on, work
from textual.app import ComposeResult

from oh_tui.text.human import plural, size
from oh_tui.trajectory.presentation.block import Block, Note
from oh_tui.trajectory.presentation.sent_messages import message_blocks, steps_words
from oh_tui.tui.state.context_rows import ContextRow
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.drawing import Piece, Stack
from oh_tui.tui.widgets.rule import Rule, joined

LARGE = 50_000
"""Characters of a message from which its blocks are made in a thread."""


class MessageText(Stack):
    """Shows the row that it is given: a message, tools, or what is not known."""

    def __init__(self) -> None:
        super().__init__()
        self._row: ContextRow | None = None
        self.needle = ""
        self.rule, self.body = Rule(id="message-rule"), BodyView(id="message")

    def compose(self) -> ComposeResult:
        yield from (self.rule, self.body)

    def show(self, row: ContextRow | None) -> None:
        before, self._row = self._row, row
        if before is not None and row is not None and before.key == row.key:
            return
        self.workers.cancel_group(self, "message")
        if row is None or row.chars < LARGE:
            self._show_blocks(_blocks(row))
        else:
            self._show_blocks([Note(f"reading {size(row.chars)} …")])
            self._read(row)

    @work(group="message", exclusive=True)
    async def _read(self, row: ContextRow) -> None:
        self._show_blocks(await asyncio.to_thread(_blocks, row))

    def _show_blocks(self, blocks: list[Block]) -> None:
        self.body.show(blocks)
        self.mark(self.needle)
        self.show_position()

    def mark(self, needle: str) -> None:
        """Mark all hits of a text, and bring the first into sight."""
        self.needle = needle
        self.body.mark(needle, go=bool(needle))

    @on(BodyView.Scrolled)
    def show_position(self) -> None:
        row = self._row
        if row is None:
            self.rule.title = self.rule.facts = ()
            return
        facts: list[Piece] = []
        if row.message is not None:
            facts.append((plural(row.chars, "character"), ""))
        facts += self.body.position_facts()
        if words := steps_words(row.steps):
            facts.append((words, "dim"))
        self.rule.title = ((row.role.capitalize(), "title"),)
        self.rule.facts = joined(facts, self.rule.glyphs.dot)


def _blocks(row: ContextRow | None) -> list[Block]:
    if row is None:
        return []
    if row.message is not None:
        return message_blocks(row.message.dump())
    return [Note(part) for part in (row.text, row.about) if part]
