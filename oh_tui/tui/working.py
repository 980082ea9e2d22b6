"""Screens: how workers take the place of one another, and how one that stands above closes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, TypeVar, cast

from textual.await_complete import AwaitComplete
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from oh_tui.tui.platform.base_screen import BaseScreen

T = TypeVar("T")

A_FRAME = 0.1
"""Seconds that work waits at most for what it found to be drawn."""


class WorkingScreen(BaseScreen):
    def work_on(
        self,
        group: str,
        do: Callable[..., Coroutine[Any, Any, None]],
        *words: object,
        instead: bool = False,
    ) -> None:
        """A worker beside those of its group, or `instead` of them. It is given what to call, and
        no coroutine: of one that ends before it has begun Python warns on the terminal."""
        work = cast("Awaitable[None]", partial(do, *words))  # as Textual takes it, if not by type
        name = getattr(do, "__name__", "")
        self.run_worker(work, name=name, group=group, exclusive=instead)

    def at_work(self, group: str) -> bool:
        """Whether a worker of this group runs that was not cancelled."""
        workers = (worker for worker in self.workers if worker.group == group)
        return any(not (worker.is_finished or worker.is_cancelled) for worker in workers)

    def cancel(self, group: str) -> None:
        """Cancel the workers of this group."""
        self.workers.cancel_group(self, group)

    async def drawn(self) -> None:
        """Wait until what was posted is on the screen, for a frame at most."""
        drawn = asyncio.Event()
        self.call_after_refresh(drawn.set)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(drawn.wait(), A_FRAME)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """One that was put aside keeps its error, and with its traceback itself and all it worked
        on, whole runs: until memory is gone through, which may take minutes."""
        if event.state is WorkerState.CANCELLED and event.worker.error is not None:
            event.worker.error.__traceback__ = None


class ClosesOnce(Screen[T]):
    """A screen above the main one. Two clicks or keys may come to it before it is gone; Textual's
    `dismiss` would close what is below it with the second. It stands behind Textual's own class
    among the bases: styles come through the first."""

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        if self not in self.app.screen_stack:
            return AwaitComplete()
        while self.app.screen is not self:
            self.app.screen.dismiss()
        return super().dismiss(result)
