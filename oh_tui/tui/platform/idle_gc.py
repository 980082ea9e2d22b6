"""Runs the garbage collector while the user is idle, so that it never delays a key."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
import time
from collections.abc import Callable

from textual._styles_cache import StylesCache

REST = 0.2
"""Seconds without a key before a collection, at least."""

RESTS = 10
"""The same as a multiple of the time that the last collection took: 20 ms with small runs, 0.1 s or
more with 100,000 events."""

EVERY = 60.0
"""Seconds between two collections, at least."""

LATEST = 300.0
"""Seconds after which it collects even while the user types."""


def freeze_survivors(phase: str, info: dict[str, int]) -> None:
    """A `gc.callbacks` entry: the next collection skips objects that survived a full one. With
    100,000 events each full collection delayed a key by 0.1 s (measured)."""
    if phase == "stop" and info["generation"] == 2:
        gc.freeze()


class IdleCollector:
    """Collects everything, frozen objects too, such as closed views and runs that only a cancelled
    worker refers to. Without it five minutes of hard use left 70 MB behind (measured)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._collected = self._touched = clock()
        self._took = 0.1

    def touch(self) -> None:
        self._touched = self._clock()

    def tick(self) -> None:
        """Collect if it is time; call this about once a second."""
        now = self._clock()
        rest = max(REST, RESTS * self._took)
        rests = now - self._touched > rest and self._touched > self._collected
        if now - self._collected > (EVERY if rests else LATEST):
            self.collect()

    def collect(self) -> None:
        began = self._clock()
        # Textual 8.2 caches 1,024 colours with keys that hold the lines of widgets: 40 MB of closed
        # views after six minutes of opening and closing them (measured)
        StylesCache.get_inner_outer.cache_clear()
        gc.unfreeze()
        gc.collect()
        # glibc does not return freed memory by itself: 15 of 96 MB after 13,000 events were freed,
        # in 3 ms (measured)
        _call_libc("malloc_trim", 0)
        self._collected = self._clock()
        self._took = self._collected - began


def limit_arenas() -> None:
    """Make all threads share one of glibc's arenas: memory that one thread has freed in its own is
    of no use to the others. After reading 3,300 events and dropping them, five times, the process
    kept 12 MB instead of 17 beyond what it held (measured)."""
    _call_libc("mallopt", -8, 1)  # M_ARENA_MAX of malloc.h


def _call_libc(function: str, *arguments: int) -> None:
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError, OSError):
            getattr(ctypes.CDLL(None), function)(*arguments)
