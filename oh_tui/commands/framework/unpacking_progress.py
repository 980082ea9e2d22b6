"""What commands say while a file is unpacked."""

from __future__ import annotations

import time

from oh_tui.text.human import rough, size
from oh_tui.text.remarks import say, show_progress
from oh_tui.trajectory.formats import copies

LARGE = 2**30
"""Bytes from which size and time are said before."""

KNOWN, OFTEN = 0.5, 0.1
"""Seconds after which they are known, and between two looks."""


class _Shown:
    def __init__(self) -> None:
        self._looked = 0.0
        self._said: copies.Work | None = None

    def __call__(self, work: copies.Work) -> None:
        if work.is_over:
            show_progress("")
        if work.is_over or time.monotonic() - self._looked < OFTEN:
            return
        self._looked = time.monotonic()
        if work is not self._said and work.expected > LARGE and work.elapsed > KNOWN:
            self._said = work
            show_progress("")
            say(f"{work.name} unpacks to about {size(work.expected)}, in about {rough(work.left)}")
        show_progress(told(work))


def told(work: copies.Work) -> str:
    if not work.whole:
        return f"waiting for another oh-tui that unpacks {work.name}"
    return f"unpacking {work.name}: {size(work.read)} of {size(work.whole)}"


def tell() -> None:
    copies.watching[:] = [_Shown()]


def tell_nothing() -> None:
    """From now on another may."""
    copies.watching.clear()
