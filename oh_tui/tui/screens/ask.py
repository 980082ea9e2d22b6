"""The view of `A`: questions to the agent about its run, and its answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import events, work
from textual.binding import Binding, BindingType

from oh_tui.actions import agent_setup
from oh_tui.text.human import clock, size
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe
from oh_tui.trajectory.presentation.block import Note, Plain
from oh_tui.tui.remedies import words_of
from oh_tui.tui.screens.view import KeyLabels, LineScreen
from oh_tui.tui.state.questions import Asked, Questions
from oh_tui.tui.widgets.drawing import Piece, joined
from oh_tui.tui.widgets.prompt import Prompt, SentLine

WHAT = (
    "The agent answers from what its model sees of the run, also while it works. Neither question "
    "nor answer enters the run; both stay here while oh-tui runs."
)

GIVEN_UP = "no longer waited for: the model may still answer there, which costs money"


class QuestionLine(SentLine, Prompt):
    """The line of a question; lines that are pasted become one."""

    async def on_paste(self, event: events.Paste) -> None:
        """Textual's own drops all lines but the first."""
        event.prevent_default()
        event.stop()
        text = " ".join(event.text.split())
        if len(text) > agent_setup.LONGEST_QUESTION:
            self.tell(f"{size(len(text))} are too long for a question")
        else:
            self.insert_text_at_cursor(text)


class AskScreen(LineScreen):
    """`ask` asks the agent, `keep` keeps a text as a note on the run and says what came of it,
    `price` says what a question costs."""

    HELP_TITLE = "In questions to the agent"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "ask"),
        Binding("tab,shift+tab", "app.focus_next", "the question", key_display="tab"),
        Binding("y", "copy", "copy the last", tooltip="copy question and answer"),
        Binding("Y", "copy_all", "copy all", tooltip="copy all of them"),
        Binding(";", "keep", "keep it as a note", tooltip="keep them as a note on the run"),
        Binding("A", "app.focus_next", "ask again", show=False),
        Binding("q", "close", "close", show=False),
    ]
    WORK = "question"
    ONE_AT_A_TIME = "one question at a time: esc stops waiting for the answer"

    def __init__(
        self,
        title: str,
        questions: Questions,
        price: tuple[str, ...],
        *,
        ask: Callable[[str], Awaitable[agent_setup.Answered]],
        keep: Callable[[str], str],
    ) -> None:
        line = QuestionLine(
            questions.draft, compact=True, select_on_focus=False, placeholder="why did you …?"
        )
        super().__init__("Ask the agent", title, "?", line, questions)
        self.questions, self._price = questions, price
        self._ask, self._keep = ask, keep

    # A question

    def send(self, text: str) -> None:
        try:
            question = agent_setup.checked(text)
        except Problem as problem:
            self.footer.tell(words_of(problem))
            return
        self.footer.clear()
        self.line.value = self.questions.draft = ""
        self._wait_for(question)

    @work(group=WORK, exclusive=True)
    async def _wait_for(self, text: str) -> None:
        """Ask, and show what comes of it. A problem puts the question back into the line."""
        entry = Asked(safe(text))
        self.questions.add(entry)
        with self.carrying_out():
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
                self.line.put_back(text)

    # Drawing

    def show_output(self) -> None:
        asked = [block for one in self.questions.asked for block in (Plain(" "), *one.blocks())]
        self.output.show(asked[1:] or [Note(WHAT)], at_end=bool(asked))

    def facts(self) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
        told = self._price if self.questions.asked else self._price[:2]  # the rest stands above
        facts: list[Piece] = [(part, "warn" if not n else "dim") for n, part in enumerate(told)]
        if self.waiting:
            facts = [(f"waiting {clock(self.seconds)}", "mark")]
        return (("Question", "title"),), joined(facts, self.rule.glyphs.dot)

    def key_labels(self) -> KeyLabels:
        answered = not self.in_field and self.questions.last_answered
        return {
            "ask": self.in_field and not self.waiting,
            "the question": "the answers" if self.in_field else "the question",
            **dict.fromkeys(("copy the last", "copy all", "keep it as a note"), answered),
        }

    # Keys

    def action_close(self) -> None:
        if self.waiting:
            self.footer.tell("the model answers: esc stops waiting")
        else:
            self.close()

    def action_copy(self) -> None:
        self._copy([one] if (one := self.questions.last_answered) else [])

    def action_copy_all(self) -> None:
        self._copy([one for one in self.questions.asked if one.answer])

    def _copy(self, answered: list[Asked]) -> None:
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
