"""The question bars above the footer: one for answers, an input line, and a multi-line editor."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from textwrap import wrap
from typing import TYPE_CHECKING, Any, TypeVar, cast

from msgspec.structs import replace
from textual import events, on
from textual.app import ComposeResult
from textual.css.query import NoMatches
from textual.message import Message
from textual.screen import Screen
from textual.widget import MountError, Widget

from oh_tui.trajectory.presentation.block import Block, Failure, Thought
from oh_tui.tui.keys import Hint
from oh_tui.tui.rendering.lines import Document
from oh_tui.tui.widgets import prompt as prompting
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.drawing import Piece, Rule, Stack, hands_of
from oh_tui.tui.widgets.question_bar import Question, QuestionBar, Stake

if TYPE_CHECKING:
    from textual.widgets import Input

    from oh_tui.tui.platform.key_queue import KeyQueueApp
    from oh_tui.tui.widgets.editor import Editor


T = TypeVar("T")
W = TypeVar("W", bound=Widget)


def _hidden(widget: W) -> W:
    widget.display = False
    return widget


class AskingBars(Stack):
    """Asks one question at a time; the open bar or line has the focus, and Esc declines. Mounted
    above the footer with the first question: mounting it earlier would take a tenth of the first
    paint."""

    DEFAULT_CSS = "AskingBars { width: 1fr; height: auto; }"

    class Changed(Message):
        """A question was opened or closed, so that keys have another meaning."""

    def __init__(self, host: Screen[Any]) -> None:
        super().__init__(id="asking")
        self._host = host
        self._answer: asyncio.Future[str] | None = None
        self._typed: asyncio.Future[str | None] | None = None
        self._changed: Callable[[str], None] | None = None
        """Called with the text as it is typed."""
        self._enter = ""
        self._asked_facts: tuple[Piece, ...] = ()
        self._mounting: asyncio.Future[None] | None = None
        self._mounting_editor: asyncio.Future[None] | None = None
        self._taken: asyncio.Future[None] | None = None
        """Done when whoever asked has gone on with the last answer."""
        self.editor: Editor | None = None
        """The editor for longer texts; the user may leave it with Tab and return."""
        self._written: asyncio.Future[bool] | None = None

    # Each is hidden until a question needs it.

    @cached_property
    def question_bar(self) -> QuestionBar:
        return _hidden(QuestionBar(id="question"))

    @cached_property
    def find_input(self) -> prompting.AskedLine:
        return _hidden(prompting.AskedLine(id="find", compact=True))

    @cached_property
    def asked_rule(self) -> Rule:
        return _hidden(Rule(id="asked-rule"))

    @cached_property
    def asked(self) -> BodyView:
        return _hidden(BodyView(id="asked"))

    def compose(self) -> ComposeResult:
        self.asked_rule.heavy, self.asked.can_focus = True, False
        yield self.asked_rule
        yield self.asked
        yield self.question_bar
        yield self.find_input

    def on_unmount(self) -> None:
        self.refuse()

    async def be_there(self) -> None:
        if self._mounting is None:
            self._mounting = asyncio.ensure_future(self._mount_bars())
        await asyncio.shield(self._mounting)

    async def _mount_bars(self) -> None:
        with contextlib.suppress(MountError, NoMatches):  # shutdown: no question is open any more
            await self._host.mount(self, before="Footer")

    @property
    def mounting(self) -> asyncio.Future[None] | None:
        """Whether a question bar is being mounted, or whoever asked takes the answer and may ask
        again: the following keys are meant for what comes."""
        ways = (self._mounting, self._mounting_editor, self._taken)
        return next((one for one in ways if one and not one.done()), None)

    async def ask(self, question: Question) -> str:
        """The answer to a question in the bar, "" for no; the focus returns afterwards. The keys
        that are being typed are not for one that no key has asked for."""
        await self.be_there()
        if self.is_questioning:
            return ""
        if not cast("KeyQueueApp", self.app).handles_key:
            hands_of(self).follow()
        self._answer = asyncio.get_running_loop().create_future()
        self.question_bar.question = question
        with self._focused(self.question_bar):
            try:
                return await self._answer
            finally:
                self._goes_on()
                self.question_bar.question = None

    @contextlib.contextmanager
    def _focused(self, bar: Widget) -> Iterator[None]:
        """The keys go to a bar, and afterwards to where they went before."""
        before = self._host.focused
        self._host.set_focus(bar)
        self._host.post_message(self.Changed())
        try:
            yield
        finally:
            moves = before is not None and before is not self._host.focused
            if moves:
                self._host.set_focus(before)
            if not moves or self._host.focused is not before:  # else the focus tells of it
                self._host.post_message(self.Changed())

    async def ask_about(
        self,
        blocks: Sequence[Block],
        question: Question,
        title: tuple[Piece, ...],
        facts: tuple[Piece, ...] = (),
    ) -> str:
        """As `ask`, with the subject above the answers. The model's reason is whole if everything
        fits in half of the screen; else it is cut, and the subject scrolls in a third."""
        await self.be_there()
        if self.is_questioning:
            return ""
        room = max(1, self._host.size.height // 2 - len(question.lines) - 2)
        whole = [replace(one, most=0) if isinstance(one, Thought) else one for one in blocks]
        fits = self._rows(whole) <= room
        blocks = whole if fits else blocks
        most = room if fits else self._host.size.height // 3
        self.asked.styles.height = max(1, min(self._rows(blocks), most))
        self.asked_rule.title, self._asked_facts = title, facts
        self._show_lines()
        self.asked_rule.display = self.asked.display = True
        self.asked.show(blocks)
        try:
            return await self.ask(question)
        finally:
            self.asked_rule.display = self.asked.display = False
            self.asked.show(())

    def _rows(self, blocks: Sequence[Block]) -> int:
        return len(Document(blocks, max(1, self._host.size.width - 2), glyphs=self.asked.glyphs))

    @on(QuestionBar.Scrolled)
    def _scroll_asked(self, message: QuestionBar.Scrolled) -> None:
        if message.pages:
            self.asked.action_page(message.pages)
        else:
            self.asked.scroll_lines(message.lines)

    @on(BodyView.Scrolled, "#asked")
    def _show_lines(self) -> None:
        position, facts = self.asked.position_words, self._asked_facts
        self.asked_rule.facts = (*facts, (f"  {position}", "dim")) if position else facts

    @on(QuestionBar.Answered)
    def _take_answer(self, message: QuestionBar.Answered) -> None:
        self._give(self._answer, message.text)

    def _give(self, to: asyncio.Future[T] | None, answer: T) -> bool:
        """Give an answer to whoever asked; False when nobody did."""
        if to is None or to.done():
            return False
        to.set_result(answer)
        if self._taken is None:  # quitting gives several at once
            self._taken = asyncio.get_running_loop().create_future()
        return True

    def _goes_on(self) -> None:
        """Whoever asked goes on now, and has done so when its next call begins."""
        if taken := self._taken:
            self._taken = None
            asyncio.get_running_loop().call_soon(taken.set_result, None)

    async def prompt(
        self,
        placeholder: str,
        value: str,
        *,
        enter: str = "go on",
        title: str = "",
        wrong: str = "",
        complete: prompting.Complete | None = None,
        mistake: tuple[int, int] | None = None,
        changed: Callable[[str], None] | None = None,
        stake: Stake = Stake.NOTHING,
    ) -> str | None:
        """The line typed at the foot; None for Esc. Meanwhile the footer shows the keys of the
        line, and what `enter` does. `changed` is called with the text as it is typed. If something
        is at stake, an `enter` typed ahead is not taken."""
        await self.be_there()
        line, self._enter = self.find_input, enter
        line.wait_for_frame(stake is not Stake.NOTHING)
        line.complete_with(complete)
        line.select_on_focus = not (title or mistake)
        try:
            with self._titled(title, wrong) if title else contextlib.nullcontext():
                if mistake:
                    self.call_next(line.point_at, *mistake)
                self._changed = changed
                return await self._prompt(placeholder, value)
        finally:
            self._changed = None
            line.complete_with(None)
            line.select_on_focus = True

    @contextlib.contextmanager
    def _titled(self, title: str, wrong: str) -> Iterator[None]:
        """The line appears below a rule, and keeps its text when the user begins to type."""
        rule, body = self.asked_rule, self.asked
        rule.title, self._asked_facts, rule.display = ((title, "title"),), (), True
        self._show_lines()
        if wrong:
            body.styles.height = len(wrap(wrong, max(20, self._host.size.width - 4)))
            body.show([Failure(wrong)])
            body.display = True
        self.call_next(self.find_input.action_end)
        try:
            yield
        finally:
            rule.display = body.display = False

    async def _prompt(self, placeholder: str, value: str) -> str | None:
        self._typed = asyncio.get_running_loop().create_future()
        self.find_input.placeholder = placeholder
        self.find_input.value = value
        self.find_input.display = True
        with self._focused(self.find_input):
            try:
                return await self._typed
            finally:
                self._goes_on()
                self.find_input.display = False

    # By name, not by `on`: Textual's input is loaded with the first question. There is one alone.

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        if self._changed and self.is_typing and message.value == self.find_input.value:
            self._changed(message.value)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self._give(self._typed, message.value)

    async def write_text(self, editor: Editor) -> tuple[str, bool]:
        """The text, and whether to send it; with Esc it is kept instead."""
        await self.be_there()
        focused = self._host.focused
        self.editor, self._written = editor, asyncio.get_running_loop().create_future()
        self._mounting_editor = asyncio.ensure_future(self._mount_editor(editor))
        await asyncio.shield(self._mounting_editor)
        try:
            sent = await self._written
            return editor.text, sent
        finally:
            self._goes_on()
            self.editor = None
            if focused and self._host.focused is editor.lines:
                self._host.set_focus(focused)
            editor.remove()
            self._host.post_message(self.Changed())

    async def _mount_editor(self, editor: Editor) -> None:
        with contextlib.suppress(MountError, NoMatches):  # shutdown: nobody is writing any more
            await self.mount(editor, after=self.find_input)
            self._host.set_focus(editor.lines)

    def on_editor_ended(self, message: Editor.Ended) -> None:
        self._end_writing(sent=message.sent)

    def focus_editor(self) -> bool:
        """Return the focus to the open editor; False without one."""
        if self.editor is None:
            return False
        self.editor.lines.focus()
        return True

    def _end_writing(self, *, sent: bool) -> bool:
        return self.editor is not None and self._give(self._written, sent)

    @property
    def hints(self) -> tuple[tuple[Hint, ...], tuple[Hint, ...]] | None:
        """The footer's hints, left and right, while a question or editor is open; else None."""
        writing = self.editor is not None and self.editor.has_focus_within
        if self.is_questioning or writing:
            return (), ()  # they show their own
        if self.is_typing:
            completes = (Hint("→", "complete", ""),) if self.find_input.suggester else ()
            esc = Hint("esc", "close", "navigation.back")
            help = Hint("F1", "all keys", "help")
            return (Hint("enter", self._enter, ""), *completes), (help, esc)
        return None

    @property
    def keys_here(self) -> tuple[str, list[tuple[str, str]]] | None:
        """The title for the help, and the keys of the open question or editor; None without one."""
        question = self.question_bar.question if self.is_questioning else None
        if question:
            return "To answer the question", question.hints
        if self.is_typing:
            line = [("enter", self._enter), ("tab →", "take the completion")]
            return "In the line to type in", [*line, ("ctrl+u", "empty it"), ("esc", "close it")]
        if self.editor is not None and self.editor.has_focus_within:
            keys = [("ctrl+s", "send"), ("enter", "a new line"), ("tab", "to the run and back")]
            return "While you write", [*keys, ("esc", "close it, the text is kept as a draft")]
        return None

    @property
    def is_asking(self) -> bool:
        """Whether a question or an input line has the keys."""
        return self.is_questioning or self.is_typing

    @property
    def is_questioning(self) -> bool:
        return self._answer is not None and not self._answer.done()

    @property
    def is_typing(self) -> bool:
        return self._typed is not None and not self._typed.done()

    def refuse(self) -> bool:
        """Esc: decline the current question; False when there is none."""
        return self._end_typing() or self._give(self._answer, "") or self._end_writing(sent=False)

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """Tab or a click out of the input line closes it as Esc does; another window does not."""
        if not self.is_typing:
            return
        line = self.find_input
        # a new question may have opened since: then it has the focus
        if event.widget is line and self._host.focused is not line and self.app.app_focus:
            self._end_typing()

    def _end_typing(self) -> bool:
        return self._give(self._typed, None)
