"""The pace of long computations: slices of work, between which keys have their turn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING

from oh_tui.trajectory.search.scan import SLICE
from oh_tui.tui.platform.key_queue import hops

if TYPE_CHECKING:
    from oh_tui.tui.ui import Ui

SHOW_EVERY = 0.2
"""Seconds between two updates of the progress."""

RETESTED = 20
"""Steps at the end that are tested again as a run grows: status and text of a call without a result
may change without an event of its own."""

AFTER_KEY = 0.05
"""Seconds that are for what a key leads to: its row is drawn in 20 ms, its step in 30."""


class Pace:
    """Rests after each slice of work; shows the progress, if it has words for it. What no key asked
    for stays `behind` all keys: it does nothing while what they lead to is drawn or computed."""

    def __init__(self, ui: Ui, *, behind: bool = False) -> None:
        self._ui = ui
        self._behind = behind
        self._rested = self._shown_at = perf_counter()
        self._has_shown = False

    async def rest(self, progress: Callable[[], str] | None = None) -> None:
        now = perf_counter()
        if now - self._rested < SLICE:
            return
        if progress and now - self._shown_at >= SHOW_EVERY:
            self._ui.tell(progress(), log=False)
            self._shown_at, self._has_shown = now, True
        if (left := self._left()) > 0:
            await asyncio.sleep(left)
        await hops()
        self._rested = perf_counter()
        if not self._behind:
            self._ui.worked_at = self._rested

    def rest_in_thread(self) -> None:
        """As `rest`, for work in a thread, which takes half of the interpreter from a key."""
        if perf_counter() - self._rested >= SLICE:
            if (left := self._left()) > 0:
                time.sleep(left)
            self._rested = perf_counter()

    def _left(self) -> float:
        """Seconds that are left to the last key. One that is held down gets nearly all of them, but
        a slice of work is done for each."""
        last = max(self._ui.input_at, self._ui.worked_at)
        return last + AFTER_KEY - perf_counter() if self._behind else 0.0

    def end(self) -> None:
        if self._has_shown:
            self._ui.tell("", log=False)
