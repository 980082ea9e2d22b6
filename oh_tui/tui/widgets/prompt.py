"""Lines to type in; Tab takes the completion shown after the caret."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import ClassVar

from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.suggester import Suggester
from textual.widgets import Input
from textual.widgets.input import Selection

from oh_tui.tui.platform.input_line import InputLine
from oh_tui.tui.widgets.bars import Footer
from oh_tui.tui.widgets.drawing import FirstFrame, hands_of

Complete = Callable[[str], Awaitable[str | None]]
"""Gives the whole text that begins with what is typed, None for no such."""


def complete_from(values: Iterable[str]) -> Complete:
    known = sorted(values)

    async def complete(value: str) -> str | None:
        fits = (one for one in known if one.startswith(value) and one != value)
        return next(fits, None) if value else None

    return complete


class Prompt(InputLine):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "take_completion", show=False),
        Binding("ctrl+u", "empty", show=False),
    ]

    def action_empty(self) -> None:
        """Empty the line, whatever is selected and wherever the caret stands."""
        self.clear()

    def action_take_completion(self) -> None:
        """Without a completion Tab leaves the line as usual."""
        if not (self.suggestion and self.cursor_at_end):
            raise SkipAction
        self.value = self.suggestion
        self.cursor_position = len(self.value)

    def complete_with(self, complete: Complete | None) -> None:
        """Show the completions of the line after the caret; None shows none."""
        self.suggester = Completions(complete) if complete else None

    def point_at(self, start: int, end: int) -> None:
        """Select a part of the text, for typing over it."""
        self.selection = Selection(start, end)


class SentLine(FirstFrame, Input):
    """Enter sends it, unless a part was typed before it was seen, until the hands rest."""

    async def action_submit(self) -> None:
        if hands_of(self).in_motion:
            self.tell("enter came too early: press it again")
        else:
            await super().action_submit()

    def put(self, text: str) -> None:
        self.value = text
        self.cursor_position = len(text)

    def put_back(self, text: str) -> None:
        """Offer again what could not be carried out, unless something else is written already."""
        if not self.value:
            self.put(text)

    def tell(self, text: str) -> None:
        """Until the next key."""
        self.screen.query_one(Footer).tell(text, remark=True)


class AskedLine(SentLine, Prompt):
    """The line above the footer."""


class Completions(Suggester):
    def __init__(self, complete: Complete) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._complete = complete

    async def get_suggestion(self, value: str) -> str | None:
        return await self._complete(value)
