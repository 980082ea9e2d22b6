"""A screen that asks: a bar that takes an answer, and a line at the foot to type in."""

from __future__ import annotations

import asyncio

from textual import events, on
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Input

from oh_tui.tui.widgets.bars import Question, QuestionBar
from oh_tui.tui.widgets.prompt import Prompt


class AskingScreen(Screen[int]):
    """One question at a time; while it stands its bar or line has the focus, and Esc is no."""

    def __init__(self) -> None:
        super().__init__()
        self._answer: asyncio.Future[str] | None = None
        self._typed: asyncio.Future[str | None] | None = None

    def compose_bars(self) -> ComposeResult:
        yield QuestionBar(id="question")
        yield Prompt(id="find", compact=True)

    def take_bars(self) -> None:
        """Once both are mounted."""
        self.question_bar = self.query_one(QuestionBar)
        self.find_input = self.query_one("#find", Prompt)
        self.question_bar.display = self.find_input.display = False

    def tell_keys(self) -> None:
        """The footer's hints, which a question puts aside."""

    async def ask(self, question: Question) -> str:
        """The answer to a question in the bar, "" for no; the focus comes back after it."""
        if self._answer and not self._answer.done():
            return ""
        focused = self.focused
        self._answer = asyncio.get_running_loop().create_future()
        self.question_bar.question = question
        self.set_focus(self.question_bar)
        self.tell_keys()
        try:
            return await self._answer
        finally:
            self.question_bar.question = None
            self.tell_keys()
            if focused:
                self.set_focus(focused)

    @on(QuestionBar.Answered)
    def _take_answer(self, message: QuestionBar.Answered) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_result(message.value)

    async def prompt(self, placeholder: str, value: str) -> str | None:
        """A line of text typed at the foot; None when Esc was pressed."""
        focused = self.focused
        self._typed = asyncio.get_running_loop().create_future()
        self.find_input.placeholder = placeholder
        self.find_input.value = value
        self.find_input.display = True
        self.set_focus(self.find_input)
        try:
            return await self._typed
        finally:
            self.find_input.display = False
            if focused:
                self.set_focus(focused)

    @on(Input.Submitted, "#find")
    def _take_line(self, message: Input.Submitted) -> None:
        message.stop()
        if self._typed and not self._typed.done():
            self._typed.set_result(message.value)

    def refuse(self) -> bool:
        """Esc: no to what is asked; False when nothing is."""
        if self._end_typing():
            return True
        if self._answer and not self._answer.done():
            self._answer.set_result("")
            return True
        return False

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """Tab or a click that leaves the line to type in ends it as Esc does; another window of
        the desktop does not."""
        line = self.find_input
        # it may have been asked again since: then it has the focus
        if event.widget is line and self.focused is not line and self.app.app_focus:
            self._end_typing()

    def _end_typing(self) -> bool:
        if self._typed is None or self._typed.done():
            return False
        self._typed.set_result(None)
        return True
