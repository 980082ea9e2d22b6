"""A fake `Ui` for testing controllers without an app: it records the calls."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from oh_tui.text.problem import Problem
from oh_tui.trajectory.glyphs import UNICODE, Glyphs
from oh_tui.tui.remedies import words_of
from oh_tui.tui.ui import Ui
from oh_tui.tui.widgets.question_bar import Question, Stake

if TYPE_CHECKING:
    from textual.message import Message
    from textual.screen import Screen

    from oh_tui.trajectory.presentation.block import Block
    from oh_tui.tui.widgets.drawing import Piece
    from oh_tui.tui.widgets.editor import Editor
    from oh_tui.tui.widgets.prompt import Complete


T = TypeVar("T")


class FakeUi(Ui):
    """Answers questions with `answers`, the first one first, and then with Esc."""

    glyphs: Glyphs = UNICODE
    columns = 120
    is_asking = False
    is_elsewhere = False
    input_at = 0.0
    worked_at = 0.0

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[Question] = []
        self.prompted: list[str] = []
        """What stood in the lines to type in, or the part of it that was to be typed again."""
        self.told: list[str] = []
        self.posted: list[Message] = []
        self.written: list[str] = []
        self.pushed: list[Screen[Any]] = []
        self.closed: list[Callable[[Any], None]] = []
        """What gets the results of those screens."""
        self.copied: list[str] = []
        self.begun: list[Callable[[], Coroutine[Any, Any, object]]] = []

    async def ask(self, question: Question) -> str:
        self.asked.append(question)
        return self.answers.pop(0) if self.answers else ""

    async def ask_about(
        self,
        blocks: Sequence[Block],
        question: Question,
        title: tuple[Piece, ...],
        facts: tuple[Piece, ...] = (),
    ) -> str:
        return await self.ask(question)

    async def prompt(
        self,
        placeholder: str,
        value: str,
        *,
        enter: str = "go on",
        title: str = "",
        wrong: str = "",
        complete: Complete | None = None,
        mistake: tuple[int, int] | None = None,
        changed: Callable[[str], None] | None = None,
        stake: Stake = Stake.NOTHING,
    ) -> str | None:
        self.prompted.append(value[slice(*mistake)] if mistake else value)
        return self.answers.pop(0) if self.answers else None

    async def write_text(self, editor: Editor) -> tuple[str, bool]:
        return (self.answers.pop(0), True) if self.answers else ("", False)

    def refuse(self) -> bool:
        return False

    def focus_editor(self) -> bool:
        return False

    def tell(
        self,
        text: str,
        *,
        error: bool = False,
        log: bool = True,
        passing: bool = False,
        remark: bool = False,
        over: bool = False,
        about: str = "",
        holds: Callable[[], bool] | None = None,
    ) -> None:
        self.told.append(text)

    def note(self, text: str, *, error: bool = False) -> None:
        if error:
            self.told.append(text)

    def clear_news(self) -> bool:
        return False

    def report(self, problem: Problem, about: str = "") -> None:
        self.told.append(words_of(problem))

    @contextlib.contextmanager
    def reporting(
        self, say: Callable[[Problem], None] | None = None, *, about: str = ""
    ) -> Iterator[None]:
        try:
            yield
        except Problem as problem:
            if say:
                say(problem)
            self.report(problem)

    def copy(self, text: str) -> None:
        self.copied.append(text)

    def focus_pane(self, pane: str) -> None: ...

    async def drawn(self) -> None: ...

    @contextlib.contextmanager
    def suspend(self) -> Iterator[None]:
        yield

    def bell(self) -> None:
        self.written.append("\a")

    def write_terminal(self, sequence: str) -> None:
        self.written.append(sequence)

    def push_screen(
        self, screen: Screen[T], closed: Callable[[T | None], None] | None = None
    ) -> None:
        self.pushed.append(screen)
        if closed:
            self.closed.append(closed)

    def work_on(
        self,
        group: str,
        do: Callable[..., Coroutine[Any, Any, object]],
        *words: object,
        instead: bool = False,
    ) -> None:
        self.begun.append(partial(do, *words))

    def begin(self, group: str, do: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.begun.append(do)

    async def work(self) -> None:
        """Do what was begun, one after the other."""
        while self.begun:
            await self.begun.pop(0)()

    def at_work(self, group: str) -> bool:
        return False

    def cancel(self, group: str) -> None: ...

    def expecting(self) -> AbstractContextManager[None]:
        return contextlib.nullcontext()

    @contextlib.contextmanager
    def preparing(self, told: str, *, opens: bool = True) -> Iterator[None]:
        self.told.append(told)
        yield

    def post_message(self, message: Message) -> bool:
        self.posted.append(message)
        return True
