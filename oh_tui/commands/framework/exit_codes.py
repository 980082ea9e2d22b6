"""How a command ends: its exit codes, and signals, which end it as ctrl+c does."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

OK, REFUSED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130
"""Exit codes. A command may have its own."""

DEFECTS = 3
"""Exit code of `check` and `audit` when they find something."""

STOPPED = 4
"""Exit code of a run that was stopped at its `--stop-at`."""


class Ended(KeyboardInterrupt):
    """A command was ended by ctrl+c, by kill, or by the end of its terminal."""

    def __init__(self, goes_on: str) -> None:
        super().__init__()
        self.goes_on = goes_on
        """What continues on the server, as a sentence."""


@contextlib.contextmanager
def signals_end_work() -> Iterator[list[int]]:
    """Makes SIGTERM and SIGHUP end the work as ctrl+c does. Yields the exit codes that a shell
    gives them; the list stays empty for ctrl+c. A signal that our parent ignores (nohup) stays
    ignored."""
    codes: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        codes.append(128 + number)
        interrupt = signal.getsignal(signal.SIGINT)
        if not callable(interrupt):  # ignored, as a shell does for jobs in the background
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
