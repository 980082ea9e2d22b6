"""Implements the controllers' `Ui` with a screen, its footer and its question bars."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from textual.app import SuspendNotSupported
from textual.screen import Screen
from textual.worker import NoActiveWorker, get_current_worker

from oh_tui.text.problem import Problem
from oh_tui.tui.controllers.preparations import Preparations
from oh_tui.tui.remedies import words_of
from oh_tui.tui.widgets.drawing import glyphs_of

if TYPE_CHECKING:
    from oh_tui.trajectory.looks import Glyphs
    from oh_tui.tui.platform.base_app import BaseApp
    from oh_tui.tui.session import Session
    from oh_tui.tui.widgets.asking import AskingBars
    from oh_tui.tui.widgets.bars import Footer

P = ParamSpec("P")
T = TypeVar("T")

A_FRAME = 0.1
"""Maximum seconds to wait for results to be drawn."""


def _work() -> str:
    """The name of what the present worker does, the kind of its errors; "" outside of one."""
    with contextlib.suppress(NoActiveWorker):
        return get_current_worker().name
    return ""


class ScreenUi:
    def __init__(
        self,
        session: Session,
        screen: Screen[int],
        asking: AskingBars,
        footer: Footer,
        focus_pane: Callable[[str], None],
    ) -> None:
        self._screen = screen
        self._asking = asking
        self.preparations = Preparations(session, self)
        self.ask, self.ask_about = self._latest(asking.ask), self._latest(asking.ask_about)
        self.prompt, self.write_text = self._latest(asking.prompt), self._latest(asking.write_text)
        self.refuse = asking.refuse
        self.focus_editor = asking.focus_editor
        self._footer = footer
        self.note, self.clear_news = footer.note, footer.clear
        self.post_message, self.set_timer = screen.post_message, screen.set_timer
        self.focus_pane = focus_pane

    @property
    def _app(self) -> BaseApp:
        return cast("BaseApp", self._screen.app)

    @property
    def is_asking(self) -> bool:
        return self._asking.is_asking

    @property
    def is_elsewhere(self) -> bool:
        asking = self._asking
        # while they are mounted, another may have asked before
        is_ready = asking.is_attached and asking.mounting is None
        asks = not is_ready or asking.is_asking or asking.editor is not None
        return asks or bool(self.preparations.active) or not self._screen.is_current

    def _latest(self, ask: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[object, object, T]]:
        """The latest request counts: whoever asks drops what another action prepares, and gets the
        keys that wait for it."""

        async def asked(*args: P.args, **kwargs: P.kwargs) -> T:
            self.preparations.drop()
            self._app.expect_no_more()
            return await ask(*args, **kwargs)

        return asked

    # Showing

    def tell(self, text: str, *, error: bool = False, about: str = "", **how: Any) -> None:
        self._footer.tell(text, error=error, about=about or (_work() if error else ""), **how)

    def report(self, problem: Problem, about: str = "") -> None:
        self.tell(words_of(problem), error=True, about=about)

    @contextlib.contextmanager
    def reporting(
        self, say: Callable[[Problem], None] | None = None, *, about: str = ""
    ) -> Iterator[None]:
        """Show a problem as a sentence in the footer, and in the pane that stays empty because of
        it (`say`). Any other exception is a bug and is not caught."""
        about = about or _work()
        before = self._footer.errors.get(about)
        try:
            yield
        except Problem as problem:
            if say:
                say(problem)
            self.report(problem, about)
        else:
            if self._footer.errors.get(about) is before:  # else it was told meanwhile
                self._footer.settle(about)

    # The terminal

    def copy(self, text: str) -> None:
        self._screen.app.copy_to_clipboard(text)

    @contextlib.contextmanager
    def suspend(self) -> Iterator[None]:
        try:
            with self._screen.app.suspend():
                yield
        except SuspendNotSupported:
            raise Problem("This terminal cannot be given to another program") from None

    def bell(self) -> None:
        self._screen.app.bell()

    def write_terminal(self, sequence: str) -> None:
        self._app.write_terminal(sequence)

    def push_screen(
        self, screen: Screen[T], closed: Callable[[T | None], None] | None = None
    ) -> None:
        self._app.push_screen(screen, closed)
        self._app.expect_no_more()

    @property
    def glyphs(self) -> Glyphs:
        return glyphs_of(self._screen.app)

    @property
    def columns(self) -> int:
        return self._screen.app.size.width

    async def drawn(self) -> None:
        """Wait until posted changes are on the screen, for a frame at most."""
        drawn = asyncio.Event()
        self._screen.call_after_refresh(drawn.set)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(drawn.wait(), A_FRAME)

    # Working

    def work_on(
        self,
        group: str,
        do: Callable[..., Coroutine[object, object, None]],
        *words: object,
        instead: bool = False,
    ) -> None:
        """Run a worker beside those of its group, or `instead` of them. Takes a function, not a
        coroutine: Python warns on the terminal about a coroutine that is dropped before it
        begins."""
        work = cast("Awaitable[None]", partial(do, *words))  # as Textual takes it, if not by type
        name = getattr(do, "__name__", "")
        self._screen.run_worker(work, name=name, group=group, exclusive=instead)

    def begin(self, group: str, do: Callable[[], Coroutine[object, object, None]]) -> None:
        if not self.preparations.prepares(do.__name__):
            with self.expecting():
                self.work_on(group, do)

    @contextlib.contextmanager
    def preparing(self, what: str, *, opens: bool = True) -> Iterator[None]:
        with contextlib.ExitStack() as reading:
            if opens:
                reading.enter_context(self.expecting())
            reading.enter_context(self.preparations.preparing(get_current_worker(), what))
            yield

    def expecting(self) -> AbstractContextManager[None]:
        return self._app.expecting()

    @property
    def input_at(self) -> float:
        return self._app.input_at

    def at_work(self, group: str) -> bool:
        workers = (worker for worker in self._screen.workers if worker.group == group)
        return any(not (worker.is_finished or worker.is_cancelled) for worker in workers)

    def cancel(self, group: str) -> None:
        self._screen.workers.cancel_group(self._screen, group)
