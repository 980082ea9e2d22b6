"""How a command ends that is ended from outside: as by ctrl+c, nothing half-written stays."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

INTERRUPTED = 130


class Ended(KeyboardInterrupt):
    """By ctrl+c, kill, or a terminal that was closed."""

    def __init__(self, code: int = INTERRUPTED, goes_on: str = "") -> None:
        super().__init__()
        self.code = code
        self.goes_on = goes_on
        """What goes on elsewhere, as a sentence."""


@contextlib.contextmanager
def heeded() -> Iterator[list[int]]:
    """While it lasts kill and a closed terminal end the work as ctrl+c does. Gives the exit codes
    that a shell knows them by, empty for ctrl+c itself. Who started us may have had a signal
    ignored (nohup): then it still is."""
    codes: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        codes.append(128 + number)
        interrupt = signal.getsignal(signal.SIGINT)
        if not callable(interrupt):  # ignored, as a shell does for what runs behind it
            raise KeyboardInterrupt
        interrupt(signal.SIGINT, frame)

    numbers = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) == signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, end)
    try:
        yield codes
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)
