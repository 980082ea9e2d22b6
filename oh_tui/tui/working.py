"""A screen with workers: how one takes the place of another, and what one put aside lets go."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, cast

from textual.screen import Screen
from textual.worker import Worker, WorkerState


class WorkingScreen(Screen[int]):
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
        self.run_worker(work, group=group, exclusive=instead)

    def at_work(self, group: str) -> bool:
        """Whether a worker of this group runs that was not cancelled."""
        workers = (worker for worker in self.workers if worker.group == group)
        return any(not (worker.is_finished or worker.is_cancelled) for worker in workers)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """One that was put aside keeps its error, and with its traceback itself and all it worked
        on, whole runs: until memory is gone through, which may take minutes."""
        if event.state is WorkerState.CANCELLED and event.worker.error is not None:
            event.worker.error.__traceback__ = None
