"""What controllers see of the screen: asking, telling, working in the background.

The main screen is it; a test may be another.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from textual.message import Message
    from textual.screen import Screen
    from textual.timer import Timer

    from oh_tui.text.problem import Problem
    from oh_tui.trajectory.content.block import Block
    from oh_tui.tui.theme import Glyphs
    from oh_tui.tui.widgets.bars import Question
    from oh_tui.tui.widgets.drawing import Piece
    from oh_tui.tui.widgets.editor import Editor
    from oh_tui.tui.widgets.prompt import Complete


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
        """As `ask`, with what it is about shown whole above the answers."""
        ...

    async def prompt(
        self,
        placeholder: str,
        value: str,
        *,
        title: str = "",
        wrong: str = "",
        complete: Complete | None = None,
        mistake: tuple[int, int] | None = None,
        changed: Callable[[str], None] | None = None,
    ) -> str | None:
        """A line that was typed; None for Esc. With a `title` it stands below a rule that says
        what for, and below what is `wrong` with the line before. `mistake` is the part of the
        value that is to be typed again. `changed` is told the line as it is typed."""
        ...

    async def write_text(self, editor: Editor) -> tuple[str, bool]:
        """What was written, and whether it is to be sent."""
        ...

    @property
    def is_asking(self) -> bool:
        """A question or a line to type in has the keys."""
        ...

    def refuse(self) -> bool:
        """Esc: no to what is asked; False when nothing is."""
        ...

    def focus_editor(self) -> bool:
        """Give the keys back to the editor that is open; False without one."""
        ...

    def close_editor(self, editor: Editor) -> None:
        """Put aside what is written there, as Esc does."""

    # Telling

    def tell(
        self,
        text: str,
        *,
        error: bool = False,
        log: bool = True,
        passing: bool = False,
        remark: bool = False,
    ) -> None:
        """News for the footer, as `Footer.tell`."""

    def note(self, text: str, *, error: bool = False) -> None:
        """Keep news that are shown elsewhere."""

    def clear_news(self) -> bool:
        """Take news or an error away; True when it was an error."""
        ...

    def report(self, problem: Problem) -> None:
        """A problem as an error in the footer, with its remedy."""

    def reporting(self, say: Callable[..., None] | None = None) -> AbstractContextManager[None]:
        """A problem inside becomes an error in the footer, and lines for `say`: for the pane that
        stays empty."""
        ...

    def copy(self, text: str) -> None:
        """Send text to the terminal's clipboard."""

    def focus_pane(self, pane: str) -> None:
        """Give the focus to a pane, at once: keys that were typed ahead are for it."""

    async def drawn(self) -> None:
        """Wait until what was posted is on the screen, a tenth of a second at most."""

    def suspend(self) -> AbstractContextManager[None]:
        """Leave the terminal to another program; a Problem where that cannot be."""
        ...

    def bell(self) -> None: ...

    def write_terminal(self, sequence: str) -> None:
        """Write an escape sequence of ours to the terminal."""

    def push_screen(
        self, screen: Screen[T], closed: Callable[[T | None], None] | None = None
    ) -> None:
        """Show another screen above; `closed` gets its result."""

    # Working

    def work_on(
        self,
        group: str,
        do: Callable[..., Coroutine[Any, Any, None]],
        *words: object,
        instead: bool = False,
    ) -> None:
        """Do something in a worker of this group, beside the others of it or `instead` of them."""

    def begin(self, group: str, do: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """As `work_on`, but not once more while the same still reads what it asks about."""

    @property
    def is_preparing(self) -> bool:
        """An action reads what it asks about."""
        ...

    def at_work(self, group: str) -> bool:
        """Whether a worker of this group runs that was not cancelled."""
        ...

    def cancel(self, group: str) -> None:
        """Cancel the workers of this group."""

    def set_timer(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Call back in so many seconds, unless the timer is stopped."""
        ...

    def preparing(self, told: str) -> AbstractContextManager[None]:
        """What an action reads before it asks or acts: Esc and another conversation drop it."""
        ...

    def post_message(self, message: Message) -> bool:
        """Say what has changed, or what is wanted: see `messages`."""
        ...

    @property
    def glyphs(self) -> Glyphs: ...

    @property
    def columns(self) -> int:
        """The width of the screen in cells."""
        ...
