"""The interface of the screen to controllers: asking, showing, working in the background.

The main screen implements it; a test may use a fake.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from textual.message import Message
    from textual.screen import Screen
    from textual.timer import Timer

    from oh_tui.text.problem import Problem
    from oh_tui.trajectory.looks import Glyphs
    from oh_tui.trajectory.presentation.block import Block
    from oh_tui.tui.widgets.drawing import Piece
    from oh_tui.tui.widgets.editor import Editor
    from oh_tui.tui.widgets.prompt import Complete
    from oh_tui.tui.widgets.question_bar import Question, Stake


T = TypeVar("T")


class Ui(Protocol):
    # Asking

    async def ask(self, question: Question) -> str:
        """The value of the answer, "" for Esc."""
        ...

    async def ask_about(
        self,
        blocks: Sequence[Block],
        question: Question,
        title: tuple[Piece, ...],
        facts: tuple[Piece, ...] = (),
    ) -> str:
        """As `ask`, with the subject shown in full above the answers."""
        ...

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
        stake: Stake = ...,
    ) -> str | None:
        """The entered line; None for Esc. `enter` is what that key does. With a `title`, a rule
        above the line names its purpose and shows what is `wrong` with the previous entry.
        `mistake` is the part of the value to type again. `changed` is called with the text as it
        is typed. If something is at `stake`, an enter typed ahead is not taken; nothing is as a
        default."""
        ...

    async def write_text(self, editor: Editor) -> tuple[str, bool]:
        """The text, and whether to send it."""
        ...

    @property
    def is_asking(self) -> bool:
        """Whether a question or an input line has the keys."""
        ...

    @property
    def is_elsewhere(self) -> bool:
        """Whether something else than a pane has the keys: what asks, an editor, another view. A
        question that nobody expects would take them from there."""
        ...

    def refuse(self) -> bool:
        """Esc: decline the current question; False when there is none."""
        ...

    def focus_editor(self) -> bool:
        """Return the focus to the open editor; False without one."""
        ...

    # Telling

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
        """Show news in the footer, as `Footer.tell`. What an error is about is by itself what the
        worker does."""

    def note(self, text: str, *, error: bool = False) -> None:
        """Add news that are shown elsewhere to the history."""

    def clear_news(self) -> bool:
        """Remove news or an error; True when it was an error."""
        ...

    def report(self, problem: Problem, about: str = "") -> None:
        """Show a problem as an error in the footer, with its remedy."""

    def reporting(
        self, say: Callable[[Problem], None] | None = None, *, about: str = ""
    ) -> AbstractContextManager[None]:
        """Show a problem raised inside as an error in the footer, and pass it to `say`, for the
        pane that stays empty. Without one, an earlier error about the same is over."""
        ...

    def copy(self, text: str) -> None:
        """Send text to the terminal's clipboard."""

    def focus_pane(self, pane: str) -> None:
        """Focus a pane at once: keys typed ahead are meant for it."""

    async def drawn(self) -> None:
        """Wait until posted changes are on the screen, a tenth of a second at most."""

    def suspend(self) -> AbstractContextManager[None]:
        """Hand the terminal to another program; raises Problem where that is impossible."""
        ...

    def bell(self) -> None: ...

    def write_terminal(self, sequence: str) -> None:
        """Write one of our escape sequences to the terminal."""

    def push_screen(
        self, screen: Screen[T], closed: Callable[[T | None], None] | None = None
    ) -> None:
        """Show another screen on top; `closed` gets its result."""

    # Working

    def work_on(
        self,
        group: str,
        do: Callable[..., Coroutine[object, object, None]],
        *words: object,
        instead: bool = False,
    ) -> None:
        """Run a worker in this group, beside its other workers or `instead` of them."""

    def begin(self, group: str, do: Callable[[], Coroutine[object, object, None]]) -> None:
        """As `work_on`, for an action that asks or opens something; ignored while the same action
        is still preparing. If nothing opens, the keys that follow closely are ignored."""

    def at_work(self, group: str) -> bool:
        """Whether a worker of this group is running and not cancelled."""
        ...

    def cancel(self, group: str) -> None:
        """Cancel the workers of this group."""

    def set_timer(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Call back after so many seconds, unless the timer is stopped."""
        ...

    @property
    def input_at(self) -> float:
        """When the last key was pressed, by the performance counter."""
        ...

    def preparing(self, what: str, *, opens: bool = True) -> AbstractContextManager[None]:
        """Wraps the reading before an action asks or acts: Esc, another conversation and another
        question cancel it. Keys typed meanwhile wait for what it `opens`."""
        ...

    def expecting(self) -> AbstractContextManager[None]:
        """Wraps what comes before a question, a field or a screen opens: keys typed meanwhile
        wait for it."""
        ...

    def post_message(self, message: Message) -> bool:
        """Post a change or a request: see `messages`."""
        ...

    @property
    def glyphs(self) -> Glyphs: ...

    @property
    def columns(self) -> int:
        """The width of the screen in cells."""
        ...
