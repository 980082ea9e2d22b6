"""Regular expressions that a user types (`re:/…/`), searched line by line for a bounded time."""

from __future__ import annotations

import re
import warnings
from collections.abc import Generator, Iterator
from re import _parser  # type: ignore[attr-defined]
from time import thread_time
from typing import Any

import regex

from oh_tui.text.patterns import pattern

LIMIT = 0.03
"""Seconds of CPU time for a few lines. A pattern such as `(a+)+b` can take years."""

LONG_LINE = 3e-8
"""Seconds more for each character."""

FREE, FREE_EACH = 2e-4, 6e-7
"""Seconds that a pattern may always take for a few lines, and for each of their characters."""

IN_ALL = 1.0
"""Seconds beyond these, before a pattern, or all that share a budget, are not searched any more."""

FEW = 2**13
"""Characters of whole lines that are searched at once."""

LONGEST = 200
"""Characters of a pattern. Reading one that is longer could take seconds."""

LARGEST = 20_000
"""Parts of a pattern once its counts are written out, as `regex` does: `(a{9}){9}` has 81. One with
a million takes a gigabyte."""


_LITERAL = pattern(r"(?<!\\)[A-Za-z0-9_]{2,}(?![?*{])")
_SPECIAL = pattern(r"[|()\[\]{]|\\[^\WbBdDsSwW]")
"""In a pattern with one of these, a literal part may be missing in what matches."""
_PLAIN_BRACE = pattern(r"(\\.)|\{(?!\d*,?\d*\})")
"""A brace that repeats nothing: a plain character for `re`, a search for typos for `regex`."""
_OTHER_CASE = pattern("[is]")
"""Without regard to case these match further letters (İ, ı, ſ) that `lower` keeps apart."""


class Budget:
    """The time that a pattern may take; several may share one."""

    def __init__(self) -> None:
        self._spent = 0.0

    @property
    def is_spent(self) -> bool:
        return self._spent >= IN_ALL

    def spend(self, seconds: float) -> None:
        """Less than nothing pays back."""
        self._spent = max(0.0, self._spent + seconds)


class Regex:
    """A pattern without regard to case, as grep takes it: a match lies within one line. It has the
    syntax of `re`; `regex` searches, as it can be stopped."""

    def __init__(self, typed: str) -> None:
        """Raises ValueError with what is wrong."""
        self.typed = typed
        self.slow = 0
        """Texts that were not searched to their end, in which a match is not known."""
        self.budget = Budget()
        if len(typed) > LONGEST:
            raise ValueError(f"a pattern has at most {LONGEST:,} characters")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of what another version may read otherwise
                if _size(_parser.parse(typed, re.IGNORECASE)) > LARGEST:
                    raise ValueError(f"with its counts it is larger than {LARGEST:,} parts")
                re.compile(typed, re.IGNORECASE)
                plain = _PLAIN_BRACE.sub(lambda brace: brace[1] or r"\{", typed)
                self._pattern = regex.compile(plain, regex.IGNORECASE | regex.VERSION0)
        except (ValueError, re.error, regex.error, OverflowError) as error:
            raise ValueError(f"the pattern cannot be read: {error}") from None
        except (MemoryError, RecursionError):
            raise ValueError("the pattern cannot be read: it is too large") from None
        literals = [] if _SPECIAL.search(typed) else _LITERAL.findall(typed)
        self.runs = frozenset(one.lower().encode() for one in literals)
        """Parts that stand in all that matches."""
        self.folded = [part for one in literals for part in _OTHER_CASE.split(one.lower()) if part]
        """Parts that stand in all that matches, once that is in lower case."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Regex) and self.typed == other.typed

    def __hash__(self) -> int:
        return hash(self.typed)

    def search(self, text: str) -> Generator[None, None, tuple[str, int] | None]:
        """The first line that matches, and where in it; None too where that took too long."""
        for few in whole_lines(text, FEW):
            if found := self._match_in(few):
                return found
            yield
        return None

    def _match_in(self, few: str) -> tuple[str, int] | None:
        if self.budget.is_spent:
            self.slow += 1
            return None
        began = thread_time()
        until = began + LIMIT + len(few) * LONG_LINE
        try:
            for line in few.split("\n"):
                if found := self._search_line(line, until):
                    return line, found.start()
        except TimeoutError:
            self.slow += 1
        finally:
            self.budget.spend(thread_time() - began - FREE - len(few) * FREE_EACH)
        return None

    def _search_line(self, line: str, until: float) -> regex.Match[str] | None:
        """Raises TimeoutError at this time of the thread. Other threads wait, at most for the
        limit: taking turns with them for each line would take longer than most searches."""
        while (left := until - thread_time()) > 0:
            try:
                return self._pattern.search(line, timeout=left)
            except TimeoutError:
                continue  # it counts what other threads do too
        raise TimeoutError


def _size(part: Any) -> int:
    """Parts of a pattern as `re` reads it; counts multiply what they repeat."""
    match part:
        case (int() as least, int() as most, inner) if hasattr(inner, "data"):
            return _size(inner) * max(1, least if most == _parser.MAXREPEAT else most)
        case (name, inner) if not isinstance(inner, int):
            return 1 + _size(inner) * (2 if str(name) == "IN" else 1)  # folding adds characters
    if isinstance(part, list | tuple) or hasattr(part, "data"):
        return sum(map(_size, part)) if len(part) else 1
    return 1


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
