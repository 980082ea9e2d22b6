"""Unpacking of files: the footer shows its progress, and Esc ends it."""

from __future__ import annotations

import asyncio
import contextlib
import time

from oh_tui.text.human import size
from oh_tui.trajectory.formats import copies
from oh_tui.tui.controllers.controller import Controller

OFTEN = 0.2
"""Seconds between two news."""


class Unpacking(Controller):
    _told = 0.0
    """When the last news were shown; 0 for none of what is unpacked now."""
    _is_begun = False

    def begin(self) -> None:
        """Tell of all that is unpacked from now on, in whichever thread."""
        loop, self._is_begun = asyncio.get_running_loop(), True

        def watch(work: copies.Work) -> None:
            if work.is_over or time.monotonic() - self._told > OFTEN:
                with contextlib.suppress(RuntimeError):  # the loop has ended
                    loop.call_soon_threadsafe(self._tell, work)

        copies.watching[:] = [watch]

    def stop(self) -> bool:
        if not (self._is_begun and copies.stop()):
            return False
        self._ui.tell("unpacking stopped, nothing was kept")
        return True

    def _tell(self, work: copies.Work) -> None:
        if work.is_over or work.is_stopped:
            if self._told and not work.is_stopped:
                self._ui.tell("", log=False)
            self._told = 0.0
        elif work.elapsed > OFTEN:
            self._told = time.monotonic()
            of = f": {size(work.read)} of {size(work.whole)}" if work.whole else ""
            if work.expected > 2**30:
                of += f", about {size(work.expected)} unpacked"
            self._ui.tell(f"unpacking {work.name}{of} · esc stops", log=False)
