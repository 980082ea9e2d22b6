"""The app: themes, the screen, and an end that always gives the terminal back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import App
from textual.binding import BindingType
from textual.command import Provider

from oh_tui import __version__
from oh_tui.settings import Settings
from oh_tui.sources import Source
from oh_tui.text import clean, redact
from oh_tui.tui.main_screen import MainScreen
from oh_tui.tui.theme import DARK, LIGHT


def _commands() -> type[Provider]:
    from oh_tui.tui.palette import Commands

    return Commands


class OhTui(App[int]):
    CSS_PATH = "app.tcss"
    TITLE = "oh-tui"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_commands}
    BINDINGS: ClassVar[list[BindingType]] = []
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"

    def __init__(
        self,
        make_source: Callable[[], Source] | None,
        settings: Settings,
        *,
        open_id: str = "",
        at: str = "",
        demo: Callable[[], Source] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = "ansi-dark" if settings.no_color else "oh-dark"
        self.set_class(settings.ascii, "-ascii")
        self.report: Path | None = None
        """Where the report of a crash was written."""
        self.crashed = ""
        self.main = MainScreen(
            make_source, settings, open_id=open_id, at=at, demo=demo, clock=clock
        )

    def get_default_screen(self) -> MainScreen:
        return self.main

    def on_mount(self) -> None:
        self._heed_signals()
        # After ctrl+z and fg the terminal is blank until something is laid out anew.
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))

    def _heed_signals(self) -> None:
        """SIGTERM and SIGHUP end as `q` does: by default they leave the terminal in disorder."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
                loop.add_signal_handler(number, self.exit, 128 + number)

    async def on_unmount(self) -> None:
        if self.main.source:
            await self.main.source.close()

    def on_app_focus(self, event: events.AppFocus) -> None:
        if self.main.is_mounted:
            self.main.refresh_lists()

    def _fatal_error(self) -> None:
        """One sentence and a report file, in place of a traceback that shows local variables:
        those may hold keys and texts of runs."""
        kind, error, trace = sys.exc_info()
        self.crashed = kind.__name__ if kind else "an error"
        lines = traceback.format_exception(kind, error, trace)
        self.report = write_report("".join(lines))
        self._return_code = 1
        self._close_messages_no_wait()


def write_report(text: str) -> Path | None:
    """A private file with what broke: redacted, without local variables; None if there is no
    place for it."""
    head = f"oh-tui {__version__}, Python {sys.version.split()[0]}, {sys.platform}\n\n"
    try:
        descriptor, name = tempfile.mkstemp(prefix="oh-tui-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(redact(clean(head + text)))
    except OSError:
        return None
    return Path(name)


def run_app(
    make_source: Callable[[], Source] | None,
    settings: Settings,
    *,
    open_id: str = "",
    at: str = "",
    demo: Callable[[], Source] | None = None,
) -> int:
    """Run the explorer until it is quit; the exit code: 0, 1 after a crash, 128+N after a signal.

    `make_source` is called in a thread after the first paint; None means that no key is set for a
    server that wants one.
    """
    app = OhTui(make_source, settings, open_id=open_id, at=at, demo=demo)
    code = app.run()
    if app.crashed:
        place = f"; the report is in {app.report}" if app.report else ""
        print(f"oh-tui: broke off with {app.crashed}{place}", file=sys.stderr)
        return 1
    return code if code is not None else app.return_code or 0
