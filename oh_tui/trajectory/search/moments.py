"""Moments as typed: a time of day, a date and time, a day such as monday, or the time since the
start of a run."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, tzinfo

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
