"""Sums over runs by day or week, as rows and as lines. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from oh_tui.batch.run_stats import Group, Summand, grouped, summed, week_name
from oh_tui.catalog.range_before import TimeRange
from oh_tui.tables.column import Column
from oh_tui.text.human import dollars, moment, percent, plural, sparkline, sum_words, without

MOST_ROWS = 1_000
"""Periods from which those without runs get no row: one wrong clock would make millions."""


class _Kind(NamedTuple):
    """Days or weeks, which are numbered without gaps."""

    number: Callable[[str], int]
    name: Callable[[int], str]
    days: int


PERIODS = {
    "day": _Kind(
        lambda name: date.fromisoformat(name).toordinal(),
        lambda number: date.fromordinal(number).isoformat(),
        1,
    ),
    "week": _Kind(
        lambda name: date.fromisoformat(name).toordinal() // 7,
        lambda number: week_name(date.fromordinal(7 * number + 1)),
        7,
    ),
}
"""The groupings that are periods. The first day of the calendar, number 1, is a Monday."""


NUMBERS = ("least", "most", "last")
NAME, LEAST = 10, 8
"""Cells of the name of a measure, and of its blocks at least."""


Measure: TypeAlias = Column[Sequence[Group], object]
"""A number of a period; of several periods at once the number of their runs together."""


class Trend(NamedTuple):
    """Periods in order, from the first to the last with a run."""

    kind: str
    """A key of PERIODS."""
    groups: Mapping[int, Group]
    no_time: int
    """Runs in no period: nobody knows when they began."""

    @property
    def first(self) -> int:
        return min(self.groups)

    @property
    def last(self) -> int:
        return max(self.groups)

    @property
    def length(self) -> int:
        return self.last - self.first + 1

    @property
    def without_runs(self) -> int:
        return self.length - len(self.groups)

    def name(self, number: int) -> str:
        return PERIODS[self.kind].name(number)

    def group(self, number: int) -> Group:
        return self.groups.get(number) or summed((self.name(number),), ())

    def each(self, room: int) -> int:
        """Periods of a block, of which there are at most so many."""
        return -(-self.length // max(1, room))

    def values(self, measure: Measure, room: int) -> list[float | None]:
        each = self.each(room)
        members: list[list[Group]] = [[] for _ in range(-(-self.length // each))]
        for number, group in self.groups.items():
            members[(number - self.first) // each].append(group)
        return [measure.number(some) for some in members]

    @property
    def without_estimates(self) -> list[str]:
        """Whose cost is in no sum, a phrase."""
        count = sum(group.estimates for group in self.groups.values())
        return [f"cost {words}" for words in without(count)]

    @property
    def facts(self) -> list[str]:
        """From when to when, and what has no part in it, a phrase each."""
        first, last = self.name(self.first), self.name(self.last)
        found = [first if first == last else f"{first} to {last}"]
        if self.without_runs:
            words = f"{plural(self.without_runs, self.kind)} without a run"
            found.append(words if self.length <= MOST_ROWS else f"{words}, not listed")
        if self.no_time:
            found.append(f"{plural(self.no_time, 'run')} without a time")
        return found + self.without_estimates


def _resolved(groups: Sequence[Group]) -> float | None:
    labelled = sum(group.labelled for group in groups)
    return sum(group.resolved for group in groups) / labelled if labelled else None


def _cost(groups: Sequence[Group]) -> float | None:
    if groups and not any(group.cost.known for group in groups):
        return None
    return math.fsum(group.cost.total for group in groups)


def _failed(groups: Sequence[Group]) -> float | None:
    if groups and not any(word for group in groups for word in group.endings):
        return None
    return sum(group.failed for group in groups)


def _cost_words(groups: Sequence[Group], _face: object = None) -> str:
    return dollars(_cost(groups) or 0.0) + "+" * any(one.unpriced or one.partial for one in groups)


COST: Measure = Column("cost", _cost_words, order=_cost)

RESOLVED: Measure = Column(
    "resolved", lambda groups, _: percent(_resolved(groups) or 0.0), order=_resolved
)

MEASURES: tuple[Measure, ...] = (
    Column(
        "runs", lambda groups, _: f"{sum(group.runs for group in groups):,}",
        order=lambda groups: sum(group.runs for group in groups),
    ),
    RESOLVED,
    COST,
    Column("failed", lambda groups, _: f"{_failed(groups) or 0:,}", order=_failed),
)  # fmt: skip


def over_time(kind: str, groups: Sequence[Group]) -> Trend | None:
    """What these groups by day or week, in any order, are over time; None if no run has a time."""
    number = PERIODS[kind].number
    timed = {number(name): group for group in groups if (name := group.names[0]) and group.runs}
    no_time = sum(group.runs for group in groups if not group.names[0])
    return Trend(kind, timed, no_time) if timed else None


def counted_part(kind: str, name: str, times: TimeRange) -> str:
    """What of a day or week a range of time leaves, such as `from 26 Nov` or `so far`; "" for all
    of it, and for a group that is no period."""
    if kind not in PERIODS or not name:
        return ""
    # in days by number: years 1 and 9999, which a wrong clock can give, have no midnight
    first = date.fromisoformat(name).toordinal()
    last, words = first + PERIODS[kind].days - 1, list[str]()
    if times.began is not None:
        began = moment(times.began, None)
        day, is_within = began.toordinal(), began.time() != time()
        if last < day:
            return "in part"  # of runs that went on after it
        if first < day + is_within:
            words.append(f"from {_within(kind, began)}")
    ended = moment(times.ended, None)
    if last >= ended.toordinal():
        words.append("so far" if times.is_to_now else f"before {_within(kind, ended)}")
    return " ".join(words)


def _within(kind: str, at: datetime) -> str:
    return f"{at:%H:%M}" if kind == "day" else f"{at.day} {at:%b}"


class Table(NamedTuple):
    """Groups in order, and what they are over time if they are days or weeks."""

    groups: list[Group]
    trend: Trend | None


def _kind(by: Sequence[str]) -> str:
    return by[0] if len(by) == 1 and by[0] in PERIODS else ""


def usual_order(by: Sequence[str]) -> str:
    """Days and weeks are in their order, others by their runs."""
    return "name" if _kind(by) else "runs"


def table_of(rows: Sequence[Summand], by: Sequence[str], sort: str = "") -> Table:
    """The groups by these groupings; `sort` is as for `grouped`, or "" for the usual order. Periods
    in their order have those without runs among them. Runs without a time come first."""
    kind, order = _kind(by), sort or usual_order(by)
    groups = grouped(rows, by, order)
    trend = over_time(kind, groups) if kind else None
    if trend and order == "name" and trend.length <= MOST_ROWS:
        groups = [group for group in groups if not group.names[0]]
        groups += [trend.group(number) for number in range(trend.first, trend.last + 1)]
    return Table(groups, trend)


class Line(NamedTuple):
    """A measure over time; the three texts are aligned with those of the other measures."""

    name: str
    blocks: str
    numbers: str
    """The least, the most and the last of a period."""


class Drawing(NamedTuple):
    lines: list[Line]
    """One for each measure that is known of a period."""
    facts: list[str]


def draw(trend: Trend, room: int, levels: str) -> Drawing:
    """In lines of at most so many cells, unless that leaves less than LEAST to the blocks."""
    series = [(measure, _numbers(trend, measure)) for measure in MEASURES]
    known = [(measure, numbers) for measure, numbers in series if numbers]
    widths = [max(map(len, column)) for column in zip(*(n for _, n in known), strict=True)]
    cells = max(
        LEAST,
        room
        - NAME
        - sum(len(head) + 3 + width for head, width in zip(NUMBERS, widths, strict=True)),
    )
    found = []
    for measure, numbers in known:
        full = 1.0 if measure is RESOLVED else None
        parts = zip(NUMBERS, numbers, widths, strict=True)
        found.append(
            Line(
                f"{measure.head:<{NAME}}",
                sparkline(trend.values(measure, cells), levels, full),
                "".join(f"  {head} {number:>{width}}" for head, number, width in parts),
            )
        )
    each = trend.each(cells)
    return Drawing(found, trend.facts + ([f"{each:,} {trend.kind}s a block"] if each > 1 else []))


def _numbers(trend: Trend, measure: Measure) -> tuple[str, ...]:
    """Empty if it is known of no period."""

    def words(groups: Sequence[Group]) -> str:
        return measure.cell(groups, None).text

    periods: list[Sequence[Group]] = [[group] for _, group in sorted(trend.groups.items())]
    last = periods[-1]
    known = [(value, some) for some in periods if (value := measure.number(some)) is not None]
    if not known:
        return ()
    if trend.without_runs and (nothing := measure.number(())) is not None:
        known.append((nothing, ()))
    least, most = (best(known, key=itemgetter(0))[1] for best in (min, max))
    shown = "not known" if measure.number(last) is None else words(last)
    return words(least), words(most), shown


def beside(now: Group, before: Group) -> list[tuple[str, str, str]]:
    """A name, now and before, of each that is known of a range or of the one before it."""
    pairs = [(name, words(now), words(before)) for name, words in _BESIDE.items()]
    return [
        (name, one or "not known", other or "not known")
        for name, one, other in pairs
        if one or other
    ]


def _share(part: int, whole: int) -> str:
    return percent(part / whole) if whole else ""


_BESIDE: dict[str, Callable[[Group], str]] = {
    "runs": lambda group: f"{group.runs:,}",
    "cost a run": lambda group: sum_words(group.cost.mean or 0.0, group.partial, group.estimates),
    "resolved": lambda group: _share(group.resolved, group.labelled),
    "failed": lambda group: _share(group.failed, group.runs),
}
