"""The view of `A`: questions to the agent about its run, and its answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.reactive import var
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widgets import Input
from textual.worker import get_current_worker

from oh_tui.sources.actions import agent_setup
from oh_tui.text.human import duration, size
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe
from oh_tui.trajectory.presentation.block import Note, Plain
from oh_tui.tui.keys import HELP, HELP_IN_FIELD, Hint
from oh_tui.tui.platform.base_screen import ClosesOnce
from oh_tui.tui.remedies import words_of
from oh_tui.tui.state.questions import Question, Questions
from oh_tui.tui.widgets.bars import Footer
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.drawing import Label, Piece
from oh_tui.tui.widgets.first_frame import FirstFrame
from oh_tui.tui.widgets.prompt import Prompt
from oh_tui.tui.widgets.rule import Rule, joined

if TYPE_CHECKING:
    from oh_tui.sources.actions.agent_setup import Answered

WHAT = (
    "The agent answers from what its model sees of the run, also while it works. Neither question "
    "nor answer enters the run; what you asked stays here while oh-tui runs."
)

GIVEN_UP = "no longer waited for: the model may still answer there, which costs money"


class QuestionLine(Prompt, FirstFrame):
    """The line of a question; lines that are pasted become one."""

    def render_line(self, y: int) -> Strip:
        self.drawing()
        return super().render_line(y)

    async def action_submit(self) -> None:
        if self.is_seen:
            await super().action_submit()
        else:
            self.screen.query_one(Footer).tell("enter came too early: press it again")

    async def on_paste(self, event: events.Paste) -> None:
        """Textual's own drops all lines but the first."""
        event.prevent_default()
        event.stop()
        text = " ".join(event.text.split())
        if len(text) > agent_setup.LONGEST_QUESTION:
            too_long = f"{size(len(text))} are too long for a question"
            self.screen.query_one(Footer).tell(too_long, error=True)
        else:
            self.insert_text_at_cursor(text)


class AskScreen(ModalScreen[None], ClosesOnce[None]):
    """`ask` asks the agent, `keep` keeps a text as a note on the run and says what came of it,
    `price` says what a question costs."""

    DEFAULT_CSS = """
    AskScreen { background: $background; }
    AskScreen BodyView { height: 1fr; }
    AskScreen Horizontal { height: 1; width: 1fr; }
    AskScreen Label { width: 3; height: 1; }
    AskScreen Prompt { width: 1fr; background: $background; }
    """
    HELP_TITLE = "In questions to the agent"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "close", show=False),
        Binding("tab,shift+tab", "other_pane", "the answers", show=False),
        Binding("A", "other_pane", "ask again", show=False),
        Binding("y", "copy", "copy question and answer", show=False),
        Binding("Y", "copy_all", "copy all of them", show=False),
        Binding("semicolon", "keep", "keep them as a note on the run", show=False),
        Binding("q", "close", "close", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
    ]
    AUTO_FOCUS = "#ask-line"

    waiting: var[bool] = var(False)

    def __init__(
        self,
        title: str,
        questions: Questions,
        price: tuple[str, ...],
        *,
        ask: Callable[[str], Awaitable[Answered]],
        keep: Callable[[str], str],
    ) -> None:
        super().__init__()
        self._title, self.questions, self._price = title, questions, price
        self._ask, self._keep = ask, keep
        self._began = 0.0
        self.rule = Rule(id="ask-rule")
        self.output = BodyView(id="ask-answers")
        self.line_rule = Rule(id="ask-price")
        self.line = QuestionLine(
            questions.draft, id="ask-line", compact=True, select_on_focus=False,
            placeholder="why did you …?",
        )  # fmt: skip
        self.footer = Footer(id="ask-footer")

    def compose(self) -> ComposeResult:
        yield from (self.rule, self.output, self.line_rule)
        yield Horizontal(Label((" ? ", "prompt")), self.line)
        yield self.footer

    def on_mount(self) -> None:
        self._tick = self.set_interval(1.0, self._show_facts, pause=True)
        self._show()

    # A question

    @on(Input.Submitted, "#ask-line")
    def _submit(self) -> None:
        if self.waiting:
            self.footer.tell("one question at a time: esc stops waiting for the answer")
            return
        try:
            text = agent_setup.checked(self.line.value)
        except Problem as problem:
            self.footer.tell(words_of(problem))
            return
        self.footer.clear()
        self.line.value = self.questions.draft = ""
        self._wait_for(text)

    @work(group="question", exclusive=True)
    async def _wait_for(self, text: str) -> None:
        """Ask, and show what comes of it. A problem puts the question back into the line."""
        entry = Question(safe(text))
        self.questions.add(entry)
        self.waiting, self._began = True, time.monotonic()
        self._tick.resume()
        self._show()
        try:
            answer = await self._ask(text)
            entry.take(await asyncio.to_thread(safe, answer.text), answer.cost)
            if not answer.text.strip():
                entry.ended = "the agent gave no answer"
        except asyncio.CancelledError:
            entry.ended = GIVEN_UP
            raise
        except Problem as problem:
            entry.ended = words_of(problem)
            if not self.line.value:
                self.line.value = text
                self.line.cursor_position = len(text)
        finally:
            if not get_current_worker().is_cancelled or self.is_attached:
                self.waiting = False
                self._tick.pause()
                self._show()

    # Drawing

    def _show(self) -> None:
        asked = [block for one in self.questions.asked for block in (Plain(" "), *one.blocks())]
        self.output.show(asked[1:] or [Note(WHAT)], at_end=bool(asked))
        self._show_facts()

    @on(BodyView.Scrolled)
    def _show_facts(self) -> None:
        dot = self.rule.glyphs.dot
        self.rule.title = (("Ask the agent", "title"), (f"  {self._title}", "dim"))
        first, last, total = self.output.position()
        more = total > last - first + 1
        self.rule.facts = ((f"lines {first:,}-{last:,} of {total:,}", "dim"),) if more else ()
        self.line_rule.title = (("Question", "title"),)
        facts: list[Piece] = [
            (part, "warn" if not n else "dim") for n, part in enumerate(self._price)
        ]
        if self.waiting:
            facts = [(f"the model answers, {duration(time.monotonic() - self._began)}", "mark")]
        self.line_rule.facts = joined(facts, dot)
        self._show_keys()

    def _show_keys(self) -> None:
        in_line = self.line.has_focus
        self.line_rule.heavy, self.rule.heavy = in_line, not in_line
        hints = [Hint("tab", "the answers" if in_line else "the question", "other_pane")]
        if in_line and not self.waiting:
            hints.insert(0, Hint("enter", "ask", "submit"))
        elif not in_line and self.questions.last_answered:
            hints += [
                Hint("y", "copy the last", "copy"),
                Hint("Y", "copy all", "copy_all"),
                Hint(";", "keep it as a note", "keep"),
            ]
        self.footer.hints = tuple(hints)
        label = "stop waiting" if self.waiting else "close"
        self.footer.always = (HELP_IN_FIELD if in_line else HELP, Hint("esc", label, "leave"))

    # Keys

    async def action_submit(self) -> None:
        await self.line.action_submit()

    def action_leave(self) -> None:
        if self.footer.clear():
            return
        if self.waiting:
            self.workers.cancel_group(self, "question")
        else:
            self.action_close()

    def action_close(self) -> None:
        if self.waiting:
            self.footer.tell("the model answers: esc stops waiting")
            return
        self.questions.draft = self.line.value
        self.dismiss(None)

    def action_other_pane(self) -> None:
        self.set_focus(self.output if self.line.has_focus else self.line)

    def action_copy(self) -> None:
        self._copy([one] if (one := self.questions.last_answered) else [])

    def action_copy_all(self) -> None:
        self._copy([one for one in self.questions.asked if one.answer])

    def _copy(self, answered: list[Question]) -> None:
        if not answered:
            self.footer.tell("there is no answer to copy", remark=True)
            return
        text = "\n".join(one.markdown for one in answered)
        self.app.copy_to_clipboard(text)
        self.footer.tell(f"sent to the terminal's clipboard, {size(len(text))}")

    def action_keep(self) -> None:
        if one := self.questions.last_answered:
            self.footer.tell(self._keep(one.markdown))
        else:
            self.footer.tell("there is no answer to keep", remark=True)

    def action_page(self, pages: float) -> None:
        self.output.action_page(pages)

    @on(BodyView.Opened)
    def _back_to_line(self) -> None:
        self.set_focus(self.line)

    def on_descendant_focus(self) -> None:
        self._show_keys()

    def on_resize(self) -> None:
        self._show_facts()
