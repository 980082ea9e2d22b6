"""Corrections to Textual's screens, which lay out their first size repeatedly, keep workers, and
close other screens.

All private members of Textual's `Screen` that we use are used here.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from typing import ClassVar, TypeVar

from textual import events
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from oh_tui.settings.keyboard import shown_keys

T = TypeVar("T")


class BaseScreen(Screen[int]):
    _is_new = True
    """It has not been shown yet."""

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Do not refresh styles at the first time: they are new, and it would take 3 ms."""
        if self._is_new:
            self._is_new = event.refresh_styles = False

    def _screen_resized(self, size: Size) -> None:
        """Lay out only for another size than the last: Textual reports the first three times."""
        if size != self.outer_size:
            super()._screen_resized(size)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A cancelled worker keeps its error, and through the traceback itself and everything it
        worked on, such as whole runs, until the next garbage collection, minutes later."""
        if event.state is WorkerState.CANCELLED and event.worker.error is not None:
            event.worker.error.__traceback__ = None


class ClosesOnce(Screen[T]):
    """A screen above the main one. Two clicks or keys may reach it before it closes; with the
    second, Textual's `dismiss` would close the screen below. List it after Textual's own class
    among the bases: styles come through the first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "app.help_here", id="help")
    ]
    HELP_TITLE = ""
    """The title of its keys in the help."""

    @classmethod
    def key_table(cls) -> Iterator[tuple[str, Binding]]:
        """Those with a description, as people write them, the view's own first."""
        for base in takewhile(lambda base: base is not Screen, cls.__mro__):
            for one in vars(base).get("BINDINGS", ()):
                if one.description:
                    yield one.key_display or shown_keys(one.key), one

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing before it is composed: the app's priority keys do not wait for that."""
        return self.is_mounted and super().check_action(action, parameters)

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        stack = self.app.screen_stack
        if self not in stack:
            return AwaitComplete()
        if new := next((one for one in stack[stack.index(self) :] if not one.is_mounted), None):
            new.call_later(self._dismiss, result)  # composing fails for a screen that is gone
            return AwaitComplete()
        while self.app.screen is not self:
            self.app.screen.dismiss()
        return super().dismiss(result)

    def _dismiss(self, result: T | None) -> None:
        """Without awaiting it, which Textual forbids within the screen."""
        self.dismiss(result)
