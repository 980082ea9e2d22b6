"""A field of a query, such as `cost:` and `does:`, of steps and of conversations alike; its test
answers yes, no, or None for what is not known. A term, which asks it, and the values it takes:
words, numbers, moments."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime, time, timedelta, tzinfo
from difflib import get_close_matches
from typing import Any, NamedTuple, TypeAlias

import msgspec

from oh_tui.text.human import seconds_of
from oh_tui.text.patterns import pattern
from oh_tui.trajectory.model.trajectory import Trajectory

_CLOCK = pattern(r"(\d{1,9}):(\d\d)(?::(\d\d))?", re.ASCII)

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Moment(msgspec.Struct, frozen=True):
    """A typed moment; exactly one field is set."""

    since_began: float | None = None
    """Seconds since the start of the run."""
    clock: time | None = None
    """Time of day, on the day the run began."""
    when: datetime | None = None

    def at(self, trajectory: Trajectory, zone: tzinfo | None = None) -> float | None:
        """The moment in seconds since 1970. A time without a zone is in `zone` (None: the local
        one), or on the clock of the run. None if it depends on an unknown start of the run."""
        began, zone = trajectory.began, trajectory.zone(zone)
        try:
            if self.when is not None:
                naive = self.when.tzinfo is None and zone is not None
                return (self.when.replace(tzinfo=zone) if naive else self.when).timestamp()
            if began is None:
                return None
            if self.since_began is not None:
                # without its oldest events the start of a run is unknown
                return began + self.since_began if trajectory.complete else None
            assert self.clock is not None
            day = datetime.fromtimestamp(began, zone)
            return datetime.combine(day.date(), self.clock, day.tzinfo).timestamp()
        except (ValueError, OverflowError, OSError):
            return None


def moment(text: str) -> Moment | None:
    """Reads `13:30`, `13:30:05`, `2026-03-01`, `2026-03-01T13:30`, `+12:30` (minutes and seconds,
    as in the timeline), `+2:19:47`, `+90s`, `today`, `monday` or `2d` (ago); None for any other
    text."""
    match = _CLOCK.fullmatch(text.removeprefix("+"))
    first, second, third = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    if text.startswith("+"):
        if match is None:
            span = seconds_of(text[1:])
        else:
            span = first * 3600.0 + second * 60 + third if match[3] else first * 60.0 + second
        return None if span is None else Moment(since_began=span)
    today = date.today()
    if (days := days_back(text, today)) is not None:
        return Moment(when=datetime.combine(today - timedelta(days=days), time()))
    if text and text[-1].isalpha() and (ago := seconds_of(text)) is not None:
        return Moment(when=datetime.now() - timedelta(seconds=min(ago, 1e9)))
    try:
        if match:
            return Moment(clock=time(first, second, third))
        return Moment(when=datetime.fromisoformat(text)) if "-" in text else None
    except ValueError:
        return None


def days_back(text: str, today: date) -> int | None:
    """How many days ago `today`, `yesterday` or the last `monday` was; None for another text."""
    low = text.lower()
    if low in ("today", "yesterday"):
        return int(low == "yesterday")
    return (today.weekday() - _WEEKDAYS.index(low)) % 7 if low in _WEEKDAYS else None


class Wrong(Exception):
    """An invalid value; its text is the hint."""


Words: TypeAlias = "Collection[str] | Callable[[], Collection[str]]"
"""Words, or what gives them, so that the module that has them is executed when they are used."""


def one_of(words: Words) -> Callable[[str], str]:
    """Reads one of these words, or an unambiguous start of one."""

    def read(typed: str) -> str:
        low, values = typed.lower(), _given(words)
        exact = [value for value in values if value.lower() == low]
        found = exact or [value for value in values if value.lower().startswith(low)]
        if len(found) == 1:
            return found[0]
        near = get_close_matches(low, [value.lower() for value in values], 3, 0.6)
        raise Wrong(f"did you mean {' or '.join(near)}?" if near else "one of " + ", ".join(values))

    return read


def any_of(words: Words) -> Callable[[Trajectory | None], Collection[str]]:
    """These values for completion, whatever the run."""
    return lambda trajectory: _given(words)


def _given(words: Words) -> Collection[str]:
    return words() if callable(words) else words


class Bound(msgspec.Struct, frozen=True):
    """A comparison, such as `>=` 5."""

    sign: str
    number: float

    def holds(self, number: float) -> bool:
        return _SIGNS[self.sign](number, self.number)


_SIGNS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}


def bound_of(number: Callable[[str], float | None], hint: str) -> Callable[[str], Bound]:
    """Reads `>5`; a number without a sign is a minimum."""

    def read(typed: str) -> Bound:
        sign = next((sign for sign in _SIGNS if typed.startswith(sign)), "")
        value = number(typed[len(sign) :])
        if value is None:
            raise Wrong(hint)
        return Bound(sign or ">=", value)

    return read


class Span(msgspec.Struct, frozen=True):
    """A range of step numbers, inclusive."""

    first: int
    last: int


def span(typed: str) -> Span:
    match = re.fullmatch(r"([0-9]{1,9})(?:(-)([0-9]{0,9}))?", typed)
    if match is None:
        raise Wrong("steps are 58, 10-20 or 10-")
    first = int(match[1])
    return Span(first, first if not match[2] else int(match[3] or 999_999_999))


class Term(msgspec.Struct, frozen=True):
    """One word of a query; the field "" is a text search."""

    field: str
    value: Any
    negated: bool = False
    words: tuple[Term, ...] = ()
    """Of a phrase each word by itself."""


Test: TypeAlias = Callable[[Any, Any], "bool | None"]
"""Whether a step or a conversation has what a value asks. None when that is not known."""


class Field(NamedTuple):
    name: str
    """What stands before the colon; "" for plain words."""
    read: Callable[[str], object]
    """Parses a typed value, such as `>1`; raises `Wrong`."""
    test: Test
    """Gets what `read` returned."""
    values: Callable[[Trajectory | None], Collection[str]] = any_of(())
    """Values for completion and hints."""
    cost: int = 0
    """Cheaper fields are tested first: 0 needs heads, 1 times and outcomes, 2 and more bodies."""
    about: str = ""
    """What is not known then, in our words."""
    negated_if_unknown: bool = False
    """A filter takes what is not known for a match of the negated word."""
    explain: Callable[[Any, Term], str] = lambda subject, term: ""
    """What matches, for rules; "" for a word that says it as it is typed."""
    help: tuple[tuple[str, str], ...] = ()
    """Examples with their meaning."""
    suggest: Callable[[Any], Iterable[str]] | None = None
    """Values that a conversation has, for completion."""
    is_proven: Callable[[Any, Any], bool] = lambda subject, value: True
    """Whether something proves a no of `test`."""
    is_of_steps: bool = False
    """Whether it asks of a conversation what only its steps tell."""

    def exact(self, subject: Any, value: Any) -> bool | None:
        """What `test` answers, but None for a no that nothing proves. Filters take it for a no."""
        found = self.test(subject, value)
        return None if found is False and not self.is_proven(subject, value) else found
