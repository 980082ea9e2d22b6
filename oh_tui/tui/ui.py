"""What controllers see of a screen: asking, showing, working in the background."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Any, Concatenate, NamedTuple, ParamSpec, TypeAlias, TypeVar, cast

from textual.app import SuspendNotSupported
from textual.screen import Screen
from textual.worker import Worker, get_current_worker

from oh_tui.text.problem import OutOfReach, Problem
from oh_tui.tui.remedies import words_of
from oh_tui.tui.widgets.bars import Footer, work_name
from oh_tui.tui.widgets.drawing import glyphs_of
from oh_tui.tui.widgets.question_bar import Stake

if TYPE_CHECKING:
    from oh_tui.settings.startup import Settings
    from oh_tui.sources.source import Source
    from oh_tui.trajectory.glyphs import Glyphs
    from oh_tui.tui.platform.base_app import BaseApp
    from oh_tui.tui.session import Session
    from oh_tui.tui.widgets.asking import AskingBars
    from oh_tui.tui.widgets.prompt import Complete


class NotNow(Exception):
    """An action cannot be done here or now. It is told as news: no error is to be dismissed."""


class _Cursors(NamedTuple):
    """Ids of the rows under the lists' cursors, and of the run shown."""

    listed: str
    place: str
    shown: str


class Preparation(NamedTuple):
    worker: Worker[object]
    cursors: _Cursors
    about: str


class Preparations:
    """What is read before an action asks or acts. Nothing has changed yet, so it may be dropped: by
    Esc, and by moving to another conversation, whose reader expects no question about another. A
    repeated key waits for the first; of different ones the latest counts."""

    def __init__(self, session: Session, tell: Callable[..., None]) -> None:
        """`tell` writes to the footer."""
        self._session = session
        self._tell = tell
        self._current: Preparation | None = None

    @property
    def active(self) -> bool:
        return self._current is not None

    def prepares(self, name: str) -> bool:
        """Whether the worker of this name is preparing its action."""
        return self._current is not None and self._current.worker.name == name

    @contextlib.contextmanager
    def preparing(self, worker: Worker[object], what: str) -> Iterator[None]:
        """The worker is reading; `what` in words. Drops any other preparation."""
        if self._current:
            self._current.worker.cancel()
        about = self._session.target()
        one = Preparation(worker, self._cursors(), about.id if about else "")
        self._current = one
        self._tell(f"{what} · esc stops", log=False, over=True)
        try:
            yield
        finally:
            if self._current is one:
                self._current = None
                self._tell("", log=False)

    def drop(self, why: str = "") -> bool:
        """Drop the current preparation; False when there is none."""
        one, self._current = self._current, None
        if one is None:
            return False
        one.worker.cancel()
        self._tell(why, log=bool(why))
        return True

    def cursors_moved(self) -> None:
        """Drop a preparation about a conversation or sandbox that the user has left."""
        if self._current is None:
            return
        now, then, about = self._cursors(), self._current.cursors, self._current.about
        if (
            now.listed not in (then.listed, about)
            or now.shown not in (then.shown, about)
            or (now.place and then.place and now.place != then.place)
        ):
            self.drop("not asked: you went to another conversation")

    def _cursors(self) -> _Cursors:
        session = self._session
        shown = session.current.id if session.current else ""
        return _Cursors(session.listed_id, session.place, shown)


Connect: TypeAlias = "Callable[[Settings], Source] | None"
"""Makes the source for the settings of another server."""

OpenDemo: TypeAlias = "Callable[[], Source] | None"

OpenShared: TypeAlias = "Callable[[str], Callable[[], Source]] | None"
"""Takes a link to a shared conversation and returns what makes its source; raises Problem."""

P = ParamSpec("P")
T = TypeVar("T")

A_FRAME = 0.1
"""Maximum seconds to wait for results to be drawn."""


class Ui:
    """A screen, its footer and its question bars; those of a view that acts, while it is open."""

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
        self._footer = footer
        self.tell, self._settle = self._on_footers(Footer.tell), self._on_footers(Footer.settle)
        self.note, self.clear_news = footer.note, footer.clear
        self.preparations = Preparations(session, self.tell)
        self.ask = self._latest(lambda question: self.asking.ask(question))
        self.ask_about = self._latest(asking.ask_about)
        self.prompt, self.write_text = self._latest(asking.prompt), self._latest(asking.write_text)
        self.refuse, self.focus_editor = asking.refuse, asking.focus_editor
        self.post_message, self.set_timer = screen.post_message, screen.set_timer
        self.focus_pane = focus_pane
        """Focuses a pane at once: keys typed ahead are meant for it."""
        self.worked_at = 0.0
        """When what a key asked for last had a slice of work."""

    @property
    def _app(self) -> BaseApp:
        return cast("BaseApp", self._screen.app)

    @property
    def view(self) -> Any:
        """The open view that asks and acts by itself; None without one."""
        return next((one for one in self._app.screen_stack[1:] if hasattr(one, "asking")), None)

    @property
    def asking(self) -> AskingBars:
        """The question bars of that view, else those of the main screen."""
        return self.view.asking if self.view else self._asking

    def _on_footers(self, do: Callable[Concatenate[Footer, P], None]) -> Callable[P, None]:
        """The same on the footer of the main screen and on that of a view that acts."""

        def done(*args: P.args, **kwargs: P.kwargs) -> None:
            do(self._footer, *args, **kwargs)
            if (view := self.view) and view.is_mounted:
                do(view.footer, *args, **kwargs)

        return done

    @property
    def is_asking(self) -> bool:
        return self.asking.is_asking

    @property
    def is_elsewhere(self) -> bool:
        """Whether something else than a pane has the keys: what asks, an editor, another view. A
        question that nobody expects would take them from there."""
        asking = self._asking
        # while they are mounted, another may have asked before
        is_ready = asking.is_attached and asking.mounting is None
        asks = not is_ready or asking.is_asking or asking.editor is not None
        return asks or bool(self.preparations.active) or not self._screen.is_current

    def _latest(self, ask: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[object, object, T]]:
        """Whoever asks drops what another action prepares, and gets the keys that wait for that."""

        async def asked(*args: P.args, **kwargs: P.kwargs) -> T:
            self.preparations.drop()
            self._app.expect_no_more()
            return await ask(*args, **kwargs)

        return asked

    async def prompt_until(
        self,
        take: Callable[[str], Awaitable[T]],
        placeholder: str,
        value: str,
        *,
        enter: str,
        title: str,
        pane: str,
        complete: Complete | None = None,
    ) -> T | None:
        """What `take` makes of a line, which is asked for until it is right; None for Esc. The
        Problem that `take` raises stands above the line then. `pane` gets the focus back."""
        wrong = ""
        while True:
            typed = await self.prompt(
                placeholder, value, enter=enter, title=title, wrong=wrong, complete=complete,
                stake=Stake.WORK,
            )  # fmt: skip
            self.focus_pane(pane)
            if typed is None:
                return None
            try:
                return await take(typed)
            except Problem as problem:
                value, wrong = typed, words_of(problem)
                self.tell("", log=False)  # remove the progress
                self.note(wrong, error=True)

    # Showing

    def report(self, problem: Problem, about: str = "") -> None:
        told, fails = words_of(problem), not isinstance(problem, OutOfReach)
        self.tell(told if fails else f"{told[0].lower()}{told[1:]}", error=fails, about=about)

    @contextlib.contextmanager
    def reporting(
        self, say: Callable[[Problem], None] | None = None, *, about: str = ""
    ) -> Iterator[None]:
        """Report a problem, and pass it to `say`, for the pane that stays empty because of it.
        Without one, an earlier error about the same is over. Any other exception is a bug and is
        not caught."""
        about = about or work_name()
        before = self._footer.errors.get(about)

        def settle() -> None:
            if self._footer.errors.get(about) is before:  # else it was told meanwhile
                self._settle(about)

        try:
            yield
        except Problem as problem:
            if say:
                say(problem)
            self.report(problem, about)
        except NotNow:
            settle()
            raise
        else:
            settle()

    @contextlib.contextmanager
    def telling(self) -> Iterator[None]:
        """Tell why an action cannot be done now."""
        try:
            yield
        except NotNow as why:
            self.tell(str(why))

    # The terminal

    def copy(self, text: str) -> None:
        """Send text to the terminal's clipboard."""
        self._screen.app.copy_to_clipboard(text)

    @contextlib.contextmanager
    def suspend(self) -> Iterator[None]:
        """Hand the terminal to another program; raises Problem where that is impossible."""
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
        """Show another screen on top; `closed` gets its result."""
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
        do: Callable[..., Coroutine[object, object, object]],
        *words: object,
        instead: bool = False,
    ) -> None:
        """Run a worker beside those of its group, or `instead` of them. Takes no coroutine: Python
        warns on the terminal about one that is dropped before it begins."""
        work = cast("Awaitable[None]", partial(do, *words))  # as Textual takes it, if not by type
        name = getattr(do, "__qualname__", "")  # what errors are about: others are called `open`
        self._screen.run_worker(work, name=name, group=group, exclusive=instead)

    def begin(self, group: str, do: Callable[[], Coroutine[object, object, None]]) -> None:
        """As `work_on`, for an action that asks or opens something; ignored while the same action
        is still preparing. If nothing opens, the keys that follow closely are ignored."""
        if not self.preparations.prepares(do.__qualname__):
            with self.expecting():
                self.work_on(group, do)

    @contextlib.contextmanager
    def preparing(self, what: str, *, opens: bool = True) -> Iterator[None]:
        """Wraps the reading before an action asks or acts: Esc, another conversation and another
        question cancel it. Keys typed meanwhile wait for what it `opens`."""
        with contextlib.ExitStack() as reading:
            if opens:
                reading.enter_context(self.expecting())
            reading.enter_context(self.preparations.preparing(get_current_worker(), what))
            yield

    def expecting(self) -> AbstractContextManager[None]:
        """Wraps what comes before something opens: keys typed meanwhile wait for it."""
        return self._app.expecting()

    @property
    def input_at(self) -> float:
        return self._app.input_at

    def at_work(self, group: str) -> bool:
        """Whether a worker of this group is running and not cancelled."""
        workers = (worker for worker in self._screen.workers if worker.group == group)
        return any(not (worker.is_finished or worker.is_cancelled) for worker in workers)

    def cancel(self, group: str) -> None:
        self._screen.workers.cancel_group(self._screen, group)
