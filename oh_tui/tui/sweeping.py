"""Frees memory that nobody holds any more, while nobody waits for a key."""

from __future__ import annotations

import contextlib
import gc
import sys
import time
from collections.abc import Callable

from textual._styles_cache import StylesCache

REST = 0.2
"""Seconds without a key after which it may be done, at least."""

RESTS = 10
"""How many times as long as it took last there has to be no key: of small runs it takes 20 ms, of
100,000 events 0.1 s or more, which a key should not meet."""

EVERY = 60.0
"""Seconds between two times, at least."""

LATEST = 300.0
"""Seconds after which it is done even while somebody types."""


def keep(phase: str, info: dict[str, int]) -> None:
    """A callback of the collector: what outlived one full collection is left out of the next. With
    100,000 events each took 0.1 s, while a key waited (measured)."""
    if phase == "stop" and info["generation"] == 2:
        gc.freeze()


class Sweeping:
    """Takes in again what was left out, and frees what is not held any more: views that were
    closed, runs that a cancelled reading still knew of. Without it five minutes of hard use left
    70 MB behind (measured)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._swept = self._touched = clock()
        self._took = 0.1

    def touch(self) -> None:
        """Somebody has pressed a key."""
        self._touched = self._clock()

    def tick(self) -> None:
        """To be called now and then."""
        now = self._clock()
        rest = max(REST, RESTS * self._took)
        rests = now - self._touched > rest and self._touched > self._swept
        if now - self._swept > (EVERY if rests else LATEST):
            self.sweep()

    def sweep(self) -> None:
        began = self._clock()
        _forget_drawn_lines()
        gc.unfreeze()
        gc.collect()
        _give_back()
        self._swept = self._clock()
        self._took = self._swept - began


def _forget_drawn_lines() -> None:
    """A cache of 1,024 colours in Textual 8.2 has the widget's lines in its key: it kept the lines
    of closed views, 40 MB after six minutes of opening and closing them (measured)."""
    StylesCache.get_inner_outer.cache_clear()


def _give_back() -> None:
    """Give what was freed back to the system: glibc keeps the holes in its heap for later. With
    13,000 events let go that was 15 of 96 MB, in 3 ms (measured). Other systems do it by
    themselves, or cannot."""
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(AttributeError, OSError):
            ctypes.CDLL(None).malloc_trim(0)
