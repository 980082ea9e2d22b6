"""Text search in steps: in their rows and in their bodies, most of which are not decoded.

Compares in lower case what a reader sees: text without escape sequences and secrets. JSON keys,
ids, data and the unchanged parts of edited files are not searched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from time import perf_counter
from typing import TypeVar

import msgspec

from oh_tui.text.clean import clean
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe
from oh_tui.text.regex import Regex, whole_lines
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.describe import Description, describe
from oh_tui.trajectory.search.searchable_text import texts_of

T = TypeVar("T")

SLICE = 0.002
"""Seconds of work between two yields."""

_PIECE = 2**16
"""Characters of a text that are cleaned at once."""

_RAW_PIECE = 2**19
"""Bytes of JSON that are searched at once."""

Breathing = Generator[None, None, "bool | None"]
"""Work that yields now and then, and returns whether a text was found; None for not known."""

_OURS = """
    a after agent answer ask at back blocked browse browser by call calls cannot change
    characters choose click close condensation condensed conversation create delegate edit
    entries entry error event events exit failed field fields file files finish first for glob
    go grep hidden hook image in insert interrupt into invalid item items json let line lines
    list log look match matches mcp model named no none not of old open openhands oracle out
    output page patch pause plan prompt rate read record recording reject rejected reset result
    risk run running s scroll set skill start state still stop storage stream summary switch
    system tab tabs task terminal the think timed to tokens tom tool tools type undo wait waits
    workflow write wrote yes you
"""
"""Words that rows add to the texts of events."""

_LOWER = bytes(range(256)).lower()
_NOT_PLAIN = bytes([*range(32), *range(127, 256)])
"""Bytes removed from the JSON, because `clean` may remove them and so join their neighbours."""
_PLAIN = pattern(r"[!#-.0-\[\]-~]+")
"""Characters that JSON never escapes and `clean` never removes."""

_COLOUR = pattern(rb"\\u001[bB]\[[0-9;]*[mK]")
"""The frequent escape sequences of command output, as in JSON."""

_ESCAPE = pattern(rb"\\[ubf]")
"""Escapes in JSON that stand for letters, or for what `clean` removes."""

_KELVIN, _DOTTED_I = "\u212a".encode(), "\u0130".encode()
"""The two non-ASCII characters with an ASCII lower case."""


class Needle(msgspec.Struct, frozen=True):
    """A text to find, in lower case, with parts that rule out most bodies by their JSON."""

    text: str
    runs: frozenset[bytes]
    """Parts that the JSON of any body with the text contains."""
    words: frozenset[bytes]
    """Words in the JSON of any step with the text in its row; empty if the row may add all."""


def needle(text: str) -> Needle:
    low = text.lower()
    words = (word for word in re.findall("[a-z]+", low) if word not in _OURS)
    return Needle(
        low, *(frozenset(map(str.encode, parts)) for parts in (_PLAIN.findall(low), words))
    )


class Said:
    """The texts of a step or an event; its JSON is read only once."""

    __slots__ = ("_about", "_described", "_events", "_inlined", "_raws", "_texts")

    def __init__(self, events: Sequence[Event], described: Callable[..., Description]) -> None:
        self._events = events
        self._described = described
        self._raws: list[bytes] | None = None
        self._inlined: list[Event] | None = None
        self._about: Description | None = None
        self._texts: dict[int, list[str]] = {}

    @property
    def raws(self) -> list[bytes]:
        if self._raws is None:
            self._raws = [event.raw() for event in self._events]
        return self._raws

    @property
    def events(self) -> list[Event]:
        if self._inlined is None:
            self._inlined = [
                msgspec.structs.replace(event, inline=raw, store=None)
                for event, raw in zip(self._events, self.raws, strict=True)
            ]
        return self._inlined

    @property
    def about(self) -> Description:
        if self._about is None:
            self._about = self._described(self.events)
        return self._about

    @property
    def shown(self) -> str:
        return f"{self.about.what} {self.about.result}".strip()

    @property
    def row(self) -> str:
        return self.shown.lower()

    def holds(self, wanted: Needle | Regex) -> Breathing:
        if isinstance(wanted, Regex):
            return (yield from self._matches(wanted))
        if not wanted.words:
            if wanted.text in self.row:
                return True
            yield from self._pause()
        words = wanted.words
        for n, raw in enumerate(self.raws):
            unseen = self._unseen(n, wanted.runs | words)
            if unseen is None:
                unseen = yield from _unseen_in_long(raw, wanted.runs | words)
            if not unseen & wanted.runs and (yield from self._body_holds(n, wanted.text)):
                return True
            words &= unseen
        return bool(wanted.words) and not words and wanted.text in self.row

    def holds_all(self, wanted: Iterable[Needle]) -> Breathing:
        for one in wanted:
            if not (yield from self.holds(one)):
                return False
        return True

    def texts(self, n: int) -> list[str]:
        """The raw texts of the event at index `n`."""
        if n not in self._texts:
            self._texts[n] = list(texts_of(self.events[n]))
        return self._texts[n]

    def _pause(self) -> Generator[None, None, None]:
        """After something for which a long event was decoded."""
        if any(len(raw) > _RAW_PIECE for raw in self.raws):
            yield

    def _unseen(self, n: int, parts: frozenset[bytes]) -> frozenset[bytes] | None:
        """The parts that the event at `n` certainly lacks; None for JSON too long for that."""
        raw = self.raws[n]
        if self._events[n].is_unreadable:
            return frozenset()
        return None if len(raw) > _RAW_PIECE else _unseen(raw, parts)

    def _body_holds(self, n: int, low: str) -> Breathing:
        texts = self.texts(n)
        yield from self._pause()
        for text in texts:
            if (yield from _holds(text, low)):
                return True
        return False

    def _matches(self, wanted: Regex) -> Breathing:
        slow = wanted.slow
        if (yield from wanted.search(self.shown)):
            return True
        yield from self._pause()
        for n, raw in enumerate(self.raws):
            # a letter of another alphabet may be the same without regard to case
            if wanted.runs and raw.isascii():
                unseen = self._unseen(n, wanted.runs)
                if unseen is None:
                    unseen = yield from _unseen_in_long(raw, wanted.runs)
                if unseen:
                    continue
            texts = self.texts(n)
            yield from self._pause()
            for text in texts:
                for piece in whole_lines(text, _PIECE):
                    cleaned = clean(piece)
                    found = yield from wanted.search(cleaned)
                    if found and (yield from wanted.search(safe(piece))):
                        return True
        return None if wanted.slow > slow else False


def said_by_step(step: Step, trajectory: Trajectory) -> Said:
    def described(events: list[Event]) -> Description:
        whole = Step(step.number, events[0], tuple(events[1:]), step.approved)
        return describe(whole, trajectory.outcome(step))

    return Said((step.event, *step.results), described)


def finish(work: Generator[None, None, T]) -> T:
    while True:
        try:
            next(work)
        except StopIteration as done:
            found: T = done.value
            return found


def scan(
    numbers: Iterable[int],
    test: Callable[[int], Breathing],
    pause: float = SLICE,
    *,
    first: float = 0.0,
) -> Iterator[int | None]:
    """Yields the numbers that pass, and None after each `pause` seconds, at first after `first`."""
    until = perf_counter() + max(pause, first)
    for number in numbers:
        work = test(number)
        while True:
            try:
                next(work)
            except StopIteration as done:
                passed = bool(done.value)
                break
            if perf_counter() >= until:
                yield None
                until = perf_counter() + pause
        if passed or perf_counter() >= until:
            yield number if passed else None
            until = perf_counter() + pause


def wrap_around(start: int, count: int, by: int) -> Iterator[int]:
    """All numbers below `count` from `start` in steps of `by` (1 or -1), wrapping around."""
    return ((start + by * n) % count for n in range(count))


def outward(start: int, count: int) -> Iterator[int]:
    """All numbers below `count`, the nearest to `start` first."""
    start = min(max(0, start), max(0, count - 1))
    for away in range(count):
        for number in (start + away, start - away - 1):
            if 0 <= number < count:
                yield number


def _unseen(raw: bytes, parts: frozenset[bytes]) -> frozenset[bytes]:
    """The parts that JSON certainly lacks; no generator, which takes twice the time of a search."""
    texts = [raw]
    if _ESCAPE.search(raw):
        if _has_odd(raw) or raw.count(b"\\u") > len(_COLOUR.findall(raw)):
            return frozenset()
        texts.append(_COLOUR.sub(b"", raw))
    elif not raw.isascii() and _has_odd(raw):
        return frozenset()
    for text in texts:
        low = text.translate(_LOWER, _NOT_PLAIN)
        if any(part in low for part in parts):
            parts = frozenset(part for part in parts if part not in low)
    return parts


def _unseen_in_long(raw: bytes, parts: frozenset[bytes]) -> Generator[None, None, frozenset[bytes]]:
    for piece in _pieces(raw, _RAW_PIECE, 2):  # decoding is faster than finding all colours
        if b"\\u" in piece or _has_odd(piece):
            return frozenset()
        yield
    for piece in _pieces(raw, _RAW_PIECE, _RAW_PIECE // 4):
        low = piece.translate(_LOWER, _NOT_PLAIN)
        parts = frozenset(part for part in parts if part not in low)
        if not parts:
            return parts
        yield
    return parts


def _has_odd(raw: bytes) -> bool:
    """Whether JSON may write words of the decoded text differently, apart from `\\u`."""
    if b"\\b" in raw or b"\\f" in raw:
        return True
    return not raw.isascii() and (_KELVIN in raw or _DOTTED_I in raw)


def _holds(text: str, low: str) -> Breathing:
    for piece in _pieces(text, _PIECE, 2 * len(low) + 200):
        cleaned = clean(piece)
        if _in(cleaned, low) and _in(safe(piece), low):
            return True
        if len(text) > _PIECE:
            yield
    return False


def _in(text: str, low: str) -> bool:
    """Whether a text contains `low`. A line break counts as a space, as in rows and Markdown."""
    text = text.lower()
    return low in text or (" " in low and low in " ".join(text.split()))


_Text = TypeVar("_Text", str, bytes)


def _pieces(text: _Text, size: int, overlap: int) -> Iterator[_Text]:
    """A text in pieces short enough for one frame, overlapping so that a match is whole in one."""
    if len(text) <= size:
        yield text
        return
    step = max(size, 2 * overlap)
    for start in range(0, len(text), step):
        yield text[start : start + step + overlap]
