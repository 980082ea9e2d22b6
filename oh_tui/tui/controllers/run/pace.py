"""Keeps the screen responsive during long searches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING

from oh_tui.trajectory.analysis.search.scan import SLICE

if TYPE_CHECKING:
    from oh_tui.tui.ui import Ui

SHOW_EVERY = 0.2
"""Seconds between two updates of the progress."""

HOPS = 3
"""Turns of the event loop after each slice: a key passes through several before it is drawn."""


class Pace:
    """Rests after each slice of work; shows the progress, if it has words for it."""

    def __init__(self, ui: Ui) -> None:
        self._ui = ui
        self._rested = self._shown_at = perf_counter()
        self._has_shown = False

    async def rest(self, progress: Callable[[], str] | None = None) -> None:
        now = perf_counter()
        if now - self._rested < SLICE:
            return
        if progress and now - self._shown_at >= SHOW_EVERY:
            self._ui.tell(progress(), log=False)
            self._shown_at, self._has_shown = now, True
        for _ in range(HOPS):
            await asyncio.sleep(0)
        self._rested = perf_counter()

    def end(self) -> None:
        if self._has_shown:
            self._ui.tell("", log=False)
