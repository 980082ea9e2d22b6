"""Whose clock wrote the times of a run that name no zone, and what those times are then.

A clock is one small value: an offset such as `+05:30`, `LOCAL` or `NOT_KNOWN`. `catalog/clocks.py`
decides it, once for each run. `Trajectory` adds it to the timestamps of its events, so that every
reader has the same time: one without a zone is one whose clock is not known.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Final

from oh_tui.text.patterns import pattern

IN_UTC: Final = "+00:00"
LOCAL: Final = "local"
"""The zone of this machine, with its summer time."""
NOT_KNOWN: Final = ""

LONGEST_RUN = 10 * 365 * 86_400.0
"""Longest plausible run, in seconds; a longer one has a wrong clock."""

NEAR = 60.0
"""Seconds between two times that tell of the same moment: a record follows its event."""

_OFFSETS = (*range(-720, 841, 60), -570, -210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765)
"""Minutes east of UTC of the zones that there are; few, so that a chance hit is unlikely."""

_NO_ZONE = pattern(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?")
_EPOCH = datetime(1970, 1, 1)


@lru_cache(maxsize=1024)
def seconds(timestamp: str) -> float | None:
    """An ISO 8601 time in seconds since 1970; None if unreadable. One without a zone counts as
    UTC: the differences of such times are right, and they are printed as they are written."""
    try:
        when = datetime.fromisoformat(timestamp)
        # four times as fast as setting the zone first
        return when.timestamp() if when.tzinfo else (when - _EPOCH).total_seconds()
    except (ValueError, OverflowError):
        return None


def known_span(span: float | None) -> float | None:
    """Seconds between two times; None where no clock measured them: the times are the same to half
    a millisecond, or the second is before the first."""
    return span if span is not None and span >= 0.0005 else None


def by_the_clock(timestamp: str) -> float | None:
    """As `seconds`, but a time without a zone counts as local: for what is compared with now, and
    with times as people type them."""
    try:
        return datetime.fromisoformat(timestamp).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def is_bare(timestamp: str) -> bool:
    """Whether a time names no zone."""
    return bool(_NO_ZONE.fullmatch(timestamp))


def zoned(timestamp: str, clock: str) -> str:
    """The time with the zone of the clock that wrote it, if it has none and the clock is known."""
    if not clock or not _NO_ZONE.fullmatch(timestamp):
        return timestamp
    if clock != LOCAL:
        return timestamp + clock
    try:
        return datetime.fromisoformat(timestamp).astimezone().isoformat()
    except (ValueError, OverflowError, OSError):
        return timestamp  # no such time


def measured(timestamp: str, then: float) -> str:
    """The clock that showed this time at a moment in seconds since 1970; NOT_KNOWN if no zone
    explains the difference."""
    at = seconds(timestamp) if is_bare(timestamp) else None
    if at is None:
        return NOT_KNOWN
    found = (minutes for minutes in _OFFSETS if abs(at - 60 * minutes - then) <= NEAR)
    minutes = next(found, None)
    if minutes is None:
        return NOT_KNOWN
    local = by_the_clock(timestamp)
    if minutes and local is not None and abs(local - then) <= NEAR:
        return LOCAL
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
