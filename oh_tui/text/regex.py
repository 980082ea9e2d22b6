"""Regular expressions that a user types (`re:/…/`), searched line by line for a bounded time."""

from __future__ import annotations

import contextlib
import re
import signal
import threading
import warnings
from collections.abc import Generator, Iterator
from time import thread_time

from oh_tui.text.patterns import pattern

LIMIT = 0.03
"""Seconds of CPU time for a few lines. A pattern such as `(a+)+b` can take years."""

LONG_LINE = 3e-8
"""Seconds more for each character."""

FREE, FREE_EACH = 2e-4, 6e-7
"""Seconds that a pattern may take for a few lines, and for each of their characters, of however
many there are."""

IN_ALL = 1.0
"""Seconds beyond these, before the pattern is not searched any more."""

FEW = 2**13
"""Characters of whole lines that are searched at once."""

LONGEST = 200
"""Characters of a pattern. Reading one that is longer could take seconds."""


_LITERAL = pattern(r"(?<!\\)[A-Za-z0-9_]{2,}(?![?*{])")
_SPECIAL = pattern(r"[|()\[\]{]|\\[^\WbBdDsSwW]")
"""In a pattern with one of these, a literal part may be missing in what matches."""
_OTHER_CASE = pattern("[is]")
"""Without regard to case these match further letters (İ, ı, ſ) that `lower` keeps apart."""


class Regex:
    """A pattern without regard to case, as grep takes it: a match lies within one line."""

    def __init__(self, typed: str) -> None:
        """Raises ValueError with what is wrong."""
        self.typed = typed
        self.slow = 0
        """Texts that were not searched to their end, in which a match is not known."""
        self._spent = 0.0
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
        self.folded = [part for one in literals for part in _OTHER_CASE.split(one.lower()) if part]
        """Parts that stand in all that matches, once that is in lower case."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Regex) and self.typed == other.typed

    def __hash__(self) -> int:
        return hash(self.typed)

    @property
    def gave_up(self) -> bool:
        return self._spent >= IN_ALL

    def search(self, text: str) -> Generator[None, None, tuple[str, int] | None]:
        """The first line that matches, and where in it; None too where that took too long. Yields
        after every few lines."""
        for few in whole_lines(text, FEW):
            if found := self._match_in(few):
                return found
            yield
        return None

    def _match_in(self, few: str) -> tuple[str, int] | None:
        if self.gave_up:
            self.slow += 1
            return None
        began = thread_time()
        try:
            with _limited(LIMIT + len(few) * LONG_LINE):
                for line in few.split("\n"):
                    if found := self._pattern.search(line):
                        return line, found.start()
        except _TooSlow:
            self.slow += 1
        finally:
            beyond = thread_time() - began - FREE - len(few) * FREE_EACH
            self._spent = max(0.0, self._spent + beyond)
        return None


def whole_lines(text: str, size: int) -> Iterator[str]:
    """A text in pieces of whole lines, each of about so many characters."""
    start = 0
    while len(text) - start > size:
        end = text.find("\n", start + size)
        if end < 0:
            break
        yield text[start:end]
        start = end + 1
    yield text[start:]


class _TooSlow(Exception):
    pass


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raises `_TooSlow` after so much time of this thread. Only the main thread can be interrupted
    in `re`, which is where the explorer filters and where a process that searches works."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    until, ended = thread_time() + seconds, False

    def stop(*_: object) -> None:
        if ended:  # no timer may go on without its handler
            return
        left = until - thread_time()
        if left <= 0.001:
            raise _TooSlow
        signal.setitimer(signal.ITIMER_VIRTUAL, left)  # other threads worked: it counts them too

    before = signal.signal(signal.SIGVTALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        yield
    finally:
        ended = True
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
