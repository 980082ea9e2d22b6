"""An app that always restores the terminal, and writes a crash report to a private file; and
corrections to Textual's screens, which lay out their first size repeatedly, keep workers, and close
other screens.

Every private member of Textual's `App` and `Screen` that we use is used here.
"""

from __future__ import annotations

import inspect
import os
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from typing import ClassVar, TypeVar

from rich.console import RenderableType
from textual import constants, events
from textual.actions import ActionParseResult, parse
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.driver import Driver
from textual.geometry import Size
from textual.screen import Screen
from textual.worker import Worker, WorkerFailed, WorkerState

from oh_tui import __version__
from oh_tui.settings.keyboard import shown_keys
from oh_tui.text.problem import NO_THREADS, NO_THREADS_HINT, Problem, is_of_threads
from oh_tui.text.redact import hide_keys, safe, safe_line
from oh_tui.tui.platform.key_queue import FrameShown, KeyQueueApp
from oh_tui.tui.platform.terminal_driver import TerminalDriver

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
        Binding("question_mark,f1", "app.help_here", id="help"),
        Binding("ctrl+p,f2", "app.command_palette", id="palette"),
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


PATIENCE = 1.5
"""Seconds from a signal to the end of the process, even when the event loop is stuck."""


class BaseApp(KeyQueueApp):
    def __init__(self, *, ansi_color: bool | None = None) -> None:
        super().__init__(ansi_color=ansi_color)
        self.report: Path | None = None
        self.crashed = ""
        """The type of the error that ended the app; "" for none."""
        self._deadline: threading.Timer | None = None
        """Ends the process after a signal if the event loop is stuck."""

    # The terminal

    def get_driver_class(self) -> type[Driver]:
        if not constants.DRIVER:
            return TerminalDriver
        try:
            driver = super().get_driver_class()
            usable = not inspect.isabstract(driver)
        except Exception:
            usable = False
        if not usable:
            named = safe_line(constants.DRIVER)
            raise Problem(f"TEXTUAL_DRIVER names no driver: {named}", "unset it")
        return driver

    @property
    def terminal(self) -> TerminalDriver | None:
        """None in tests and before the app runs."""
        return self._driver if isinstance(self._driver, TerminalDriver) else None

    def write_terminal(self, text: str) -> None:
        """Send a sequence that draws nothing."""
        if self._driver:
            self._driver.write(hide_keys(text))

    def watch_title(self, title: str) -> None:
        """The title of the terminal's window too."""
        if self.terminal:
            self.terminal.set_title(safe_line(title))

    def mark_frame(self, shown: FrameShown) -> None:
        if self.terminal:
            self.terminal.mark(shown)
        else:
            super().mark_frame(shown)

    def close_terminal(self) -> None:
        """Restore the terminal after an error while the app ended."""
        if self._driver:
            self._driver.close()

    def drop_binding(self, key: str) -> None:
        """Remove a binding of Textual's own: `set_keymap` only rebinds those that have an id."""
        self._bindings.key_to_bindings.pop(key, None)

    # Actions

    def has_actions(self, namespace: str) -> bool:
        """Whether `actions_of` knows this name."""
        return False

    def actions_of(self, namespace: str) -> object:
        """The object with the `action_*` methods of `namespace.action`, which need not be a widget,
        for namespaces other than Textual's `app`, `screen` and `focused`."""
        raise NotImplementedError

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        parsed = parse(action) if isinstance(action, str) else action
        namespace, name, arguments = parsed
        if not self.has_actions(namespace):
            return await super().run_action(parsed, default_namespace, namespaces)
        getattr(self.actions_of(namespace), f"action_{name}")(*arguments)
        return True

    def _check_action_state(self, action: str, default_namespace: DOMNode) -> bool | None:
        """Textual's raises for a namespace that it does not know."""
        if self.has_actions(parse(action)[0]):
            return True
        return super()._check_action_state(action, default_namespace)

    # Ending

    def end_in_time(self, number: int) -> None:
        """A signal handler that ends the process after PATIENCE if the event loop is stuck."""
        if self._deadline is None:
            self._deadline = threading.Timer(PATIENCE, self._end_now, (128 + number,))
            self._deadline.daemon = True
            self._deadline.start()

    def _end_now(self, code: int) -> None:
        if self.terminal:
            self.terminal.give_back()
        os._exit(code)

    def _handle_exception(self, error: Exception) -> None:
        """All unhandled errors of handlers, workers, timers, drawing and styles end here."""
        self.crash(error)
        super()._handle_exception(error)

    def crash(self, error: Exception) -> None:
        """Report the error that ends the app, but none of those that follow from it."""
        if self.crashed:
            return
        if isinstance(error, WorkerFailed):
            error = error.error if isinstance(error.error, Exception) else error
        if is_of_threads(error):
            self.crashed = f"{NO_THREADS}; {NO_THREADS_HINT}"
            return
        self.crashed = type(error).__name__
        self.report = write_report("".join(traceback.format_exception(error)))

    def _fatal_error(self) -> None:
        """Print nothing: Textual's traceback shows local variables, such as keys and texts."""
        self._close_messages_no_wait()

    def panic(self, *renderables: RenderableType) -> None:
        """Print nothing: the renderables mostly are a traceback."""
        self.crashed = self.crashed or "an error"
        self._fatal_error()


def write_report(text: str) -> Path | None:
    """Write a crash report, redacted and without local variables, to a private file. Returns None
    if no file can be written."""
    head = f"oh-tui {__version__}, Python {sys.version.split()[0]}, {sys.platform}\n\n"
    try:
        descriptor, name = tempfile.mkstemp(prefix="oh-tui-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(safe(head + text))
    except OSError:
        return None
    return Path(name)
