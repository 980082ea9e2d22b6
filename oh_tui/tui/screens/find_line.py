"""The line of `/` in a view above the main screen: finds a text in the rows of its list."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from textual import work
from textual.message import Message

from oh_tui.tui.screens.typed_line import TypedLine
from oh_tui.tui.widgets.bars import Footer
from oh_tui.tui.widgets.row_list import RowList

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
        """The text that is looked for."""

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
