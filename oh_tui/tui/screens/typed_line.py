"""Lines to type in at the bottom of a view above the main screen: a text, or what to find."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from oh_tui.tui.widgets.bars import Footer
from oh_tui.tui.widgets.drawing import Label
from oh_tui.tui.widgets.prompt import Prompt
from oh_tui.tui.widgets.row_list import RowList


class TypedLine(Horizontal):
    """Hidden but while a text is typed."""

    DEFAULT_CSS = """
    TypedLine { height: 1; width: 1fr; display: none; }
    TypedLine Label { width: 3; height: 1; }
    TypedLine Prompt { width: 1fr; background: $background; }
    """

    class Changed(Message):
        """The line came or went."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab,shift+tab", "stay")]

    def __init__(self, sign: str, take: Callable[[str], Awaitable[None]], label: str) -> None:
        """`take` gets the text when enter is pressed; the label says what that does."""
        super().__init__()
        self._sign, self._take, self.label = sign, take, label
        self.words = Prompt(compact=True)
        self._left: Widget | None = None
        """What had the focus before."""

    def compose(self) -> ComposeResult:
        yield Label((f" {self._sign} ", "prompt"))
        yield self.words

    @property
    def is_open(self) -> bool:
        return bool(self.display)

    def begin(self, text: str) -> None:
        """Show the line with a text to change."""
        self._left = self.screen.focused
        self.display = True
        self.words.value = text
        self.words.focus()
        self.post_message(self.Changed())

    def close(self) -> None:
        self.display = False
        if self._left is not None:
            self._left.focus()
        self.post_message(self.Changed())

    def action_stay(self) -> None:
        """Enter and esc end the line, not tab."""

    async def submit(self) -> None:
        await self.words.action_submit()

    @on(Input.Submitted)
    async def _typed(self, message: Input.Submitted) -> None:
        message.stop()
        await self._take(self.words.value.strip())


FirstWith = Callable[[Sequence[int], str], int | None]
"""The first of some rows that holds a text, which is in lower case; called in a thread."""


class FindLine(TypedLine):
    """The cursor of the list goes to the hits."""

    class Changed(TypedLine.Changed):
        """Another text is looked for, or the line came or went."""

    class Found(Message):
        """The cursor is on a row with the text."""

    def __init__(self, rows: RowList, first_with: FirstWith, missing: str, *, at_once: int) -> None:
        """Searches `at_once` rows at a time; between them another key can end the search. `missing`
        is said where no row has the text, which may stand in it."""
        super().__init__("/", self._look_here, "find")
        self._rows, self._first_with, self._at_once = rows, first_with, at_once
        self._missing = missing
        self.needle = ""

    def ask(self) -> None:
        self.begin(self.needle)

    async def _look_here(self, text: str) -> None:
        self.close()
        self.look_for(text)
        if self.needle:
            self._seek(1, here=True)

    def look_for(self, text: str) -> None:
        """Mark another text, "" for none."""
        self.workers.cancel_group(self, "seek")
        self.needle = self._rows.find_text = text
        self._rows.refresh()
        self.post_message(self.Changed())

    def next_hit(self, by: int) -> None:
        if self.needle:
            self._seek(by)
        else:
            self.ask()

    @work(group="seek", exclusive=True)
    async def _seek(self, by: int, *, here: bool = False) -> None:
        """Go to the next row that holds the text, from the other end after the last."""
        rows, count, needle = self._rows, self._rows.row_count(), self.needle.lower()
        basis, start = rows.basis, rows.cursor + (0 if here else by)
        order = [(start + by * n) % count for n in range(count)]
        for first in range(0, count, self._at_once):
            some = order[first : first + self._at_once]
            found = await asyncio.to_thread(self._first_with, some, needle)
            if rows.basis is not basis:
                return
            if found is not None:
                rows.move_to(found)
                self.post_message(self.Found())
                return
        self.screen.query_one(Footer).tell(self._missing.format(self.needle), remark=True)
