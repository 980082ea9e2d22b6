"""Regular expressions that a user types (`re:/…/`), searched line by line for a bounded time."""

from __future__ import annotations

import contextlib
import re
import signal
import threading
import warnings
from collections.abc import Iterator

from oh_tui.text.patterns import pattern

LIMIT = 0.1
"""Seconds of CPU time for one text. A pattern such as `(a+)+b` can take years."""

STRIKES = 3
"""Texts that may take longer, before the pattern is not searched any more."""

LONGEST = 1_000
"""Characters of a pattern."""


_LITERAL = pattern(r"(?<!\\)[A-Za-z0-9_]{2,}(?![?*{])")
_SPECIAL = pattern(r"[|()\[\]{]|\\[^\WbBdDsSwW]")
"""In a pattern with one of these, a literal part may be missing in what matches."""


class Regex:
    """A pattern without regard to case, as grep takes it: a match lies within one line."""

    def __init__(self, typed: str) -> None:
        """Raises ValueError with what is wrong."""
        self.typed = typed
        self.slow = 0
        """Texts that were not searched to their end."""
        if len(typed) > LONGEST:
            raise ValueError(f"a pattern has at most {LONGEST:,} characters")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of what another version may read otherwise
                self._pattern = re.compile(typed, re.IGNORECASE)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"the pattern cannot be read: {error}") from None
        literals = [] if _SPECIAL.search(typed) else _LITERAL.findall(typed)
        self.runs = frozenset(one.lower().encode() for one in literals)
        """Parts that stand in all that matches."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Regex) and self.typed == other.typed

    def __hash__(self) -> int:
        return hash(self.typed)

    @property
    def gave_up(self) -> bool:
        return self.slow >= STRIKES

    def match_in(self, text: str) -> tuple[str, int] | None:
        """The first line that matches, and where in it."""
        if self.gave_up:
            return None
        try:
            with _limited():
                for line in text.split("\n"):
                    if found := self._pattern.search(line):
                        return line, found.start()
        except _TooSlow:
            self.slow += 1
        return None


class _TooSlow(Exception):
    pass


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    """Raises `_TooSlow` after LIMIT. Only the main thread can be interrupted in `re`, which is
    where the explorer filters and where a process that searches works."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise _TooSlow

    before = signal.signal(signal.SIGVTALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT)
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
