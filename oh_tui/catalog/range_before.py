"""The range of time that a filter asks for, and the one before it, which is as long."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from oh_tui.catalog.conversation_query import ConversationQuery
from oh_tui.catalog.filter_words import AFTER, BEFORE, When
from oh_tui.text.problem import Problem
from oh_tui.trajectory.search.field import Term

TIMES = (AFTER.name, BEFORE.name)

_FIRST = datetime(1970, 1, 2)
"""Times are counted from 1970, in each zone from an hour of its own."""


class Ranges(NamedTuple):
    """Two ranges that meet: no run is in both, and none falls between them. Times are in seconds
    since 1970."""

    began: float
    """Of the range before."""
    met: float
    ended: float
    query: ConversationQuery
    before: ConversationQuery
    """The same filter in the range before."""

    @property
    def words(self) -> str:
        times = (datetime.fromtimestamp(time) for time in (self.began, self.met))
        return " to ".join(f"{time:%Y-%m-%d %H:%M}" for time in times)


class TimeRange(NamedTuple):
    """From when to when a filter lets runs through, in seconds since 1970."""

    began: float | None
    ended: float
    is_to_now: bool


def time_range(query: ConversationQuery, now: float) -> TimeRange:
    """Runs are in it by when they last changed."""
    after, before = list[float](), [now]
    for term in query.terms:
        if term.field in TIMES:
            is_after = (term.field == AFTER.name) is not term.negated
            (after if is_after else before).append(term.value.seconds(now))
    return TimeRange(max(after, default=None), min(before), min(before) == now)


def ranges(query: ConversationQuery, now: float) -> Ranges:
    """Raises Problem where the filter does not say when its range begins."""
    times = [term for term in query.terms if term.field in TIMES]
    after = [term.value.seconds(now) for term in times if term.field == AFTER.name]
    before = [term.value.seconds(now) for term in times if term.field == BEFORE.name]
    if not after or any(term.negated for term in times):
        raise Problem("There is no range to go back from", "give after:7d, or after: and before:")
    if query.only is not None:
        raise Problem(
            "The range before is not known of runs that were picked", "filter by words alone"
        )
    met, ended = max(after), min([now, *before])
    if met >= ended:
        raise Problem("No run can be in this range", "after: is not before before:")
    began = _as_long_before(met, ended)
    return Ranges(began, met, ended, fixed(query, now), _within(query, began, met))


def fixed(query: ConversationQuery, now: float) -> ConversationQuery:
    """The filter with its times as they are now, whenever it is asked."""
    terms = (
        replace(term, value=When(at=term.value.seconds(now))) if term.field in TIMES else term
        for term in query.terms
    )
    return replace(query, terms=tuple(terms))


def _as_long_before(met: float, ended: float) -> float:
    """By the clock on the wall, so that whole days stay whole where summer time begins or ends."""
    first, last = datetime.fromtimestamp(met), datetime.fromtimestamp(ended)
    begins = first - (last - first) if last - first < first - _FIRST else _FIRST
    if begins <= _FIRST:
        raise Problem("The range before would begin before 1970", "give a shorter range")
    return begins.timestamp()


def _within(query: ConversationQuery, after: float, before: float) -> ConversationQuery:
    terms = [term for term in query.terms if term.field not in TIMES]
    terms += [Term(AFTER.name, When(at=after)), Term(BEFORE.name, When(at=before))]
    return replace(query, terms=tuple(terms))
