"""The threads of the event loop."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

MOST = 32
"""Calls that run at once, as many as in the pool that asyncio has by default on large machines."""


class DaemonThreads(ThreadPoolExecutor):
    """Threads that the shutdown does not wait for, as it does for those of `ThreadPoolExecutor`:
    resolving an unknown host name blocks one for up to half a minute and cannot be cancelled."""

    def __init__(self) -> None:
        super().__init__(MOST)
        self._lock = threading.Lock()
        self._running = 0
        self._waiting = deque[Callable[[], None]]()

    def submit(
        self, call: Callable[..., object], /, *args: object, **kwargs: object
    ) -> Future[Any]:
        future: Future[Any] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = call(*args, **kwargs)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        with self._lock:
            if self._running == MOST:
                self._waiting.append(run)
            else:
                threading.Thread(target=self._work, args=(run,), daemon=True).start()
                self._running += 1
        return future

    def _work(self, run: Callable[[], None] | None) -> None:
        while run:
            run()
            with self._lock:
                run = self._waiting.popleft() if self._waiting else None
                if not run:
                    self._running -= 1
