"""A line to type in at the bottom of a view above the main screen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from oh_tui.tui.widgets.drawing import Label
from oh_tui.tui.widgets.prompt import Prompt


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
