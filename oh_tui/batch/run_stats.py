"""Statistics of many runs, grouped by model, repository and more. Pure.

An unknown value counts as unknown, never as 0.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from operator import attrgetter
from statistics import median
from typing import Any, NamedTuple

from oh_tui.catalog.run_status import WORDS
from oh_tui.tables.column import Column
from oh_tui.text.human import dollars, duration, marked_cost, number, percent, plural, sum_words
from oh_tui.text.patterns import pattern
from oh_tui.trajectory.model.usage import Cost, cost_sum
from oh_tui.trajectory.tables import RunRow

UNKNOWN = ""
"""Name of the group of runs without a known model, repository ..."""

_NUMBER = pattern(r"\d[\d,.]*")


class Summand(NamedTuple):
    """The columns of `RunRow` that statistics need."""

    model: str
    repository: str
    benchmark: str
    trigger: str
    automation: str
    forked_from: str
    label: str
    verdict: str
    cause: str
    began: float | None
    knows_zone: bool
    steps: int
    work_s: float | None
    cost: float | None
    cost_is_partial: bool | None
    cost_is_estimate: bool
    failed_commands: int
    errors: int
    rejected: int
    loop_steps: int
    last_error: str
    lines_written: int | None
    lines_removed_later: int | None

    @property
    def price(self) -> Cost:
        return Cost(self.cost, self.cost_is_partial, bool(self.cost_is_estimate))


def summand(row: RunRow) -> Summand:
    return Summand(*attrgetter(*Summand._fields)(row))


def listed_as(row: Summand, status: str) -> Summand:
    """A run counts as what the list says of it; only what that does not know its events say."""
    return row._replace(verdict=status, cause="") if status not in ("", row.verdict) else row


def _date(row: Summand) -> date | None:
    """The local day on which the run began; the written date if its zone is unknown."""
    if row.began is None:
        return None
    try:
        return datetime.fromtimestamp(row.began, None if row.knows_zone else UTC).date()
    except (ValueError, OverflowError, OSError):
        return None


def week_name(day: date) -> str:
    """The week of a day, as ISO 8601 names it: 2026-W48."""
    year, week, _ = day.isocalendar()
    return f"{year:04}-W{week:02}"


def _cause(row: Summand) -> str:
    """How the run ended. An error keeps its reason, without the numbers in it."""
    if row.verdict != "error" or not row.cause:
        return row.verdict
    return f"error: {_NUMBER.sub('N', row.cause)}"


GROUPINGS: dict[str, Callable[[Summand], str]] = {
    "model": lambda row: row.model,
    "repo": lambda row: row.repository,
    "benchmark": lambda row: row.benchmark,
    "trigger": lambda row: row.trigger,
    "automation": lambda row: row.automation,
    "fork": lambda row: row.forked_from,
    "label": lambda row: row.label,
    "cause": _cause,
    "day": lambda row: day.isoformat() if (day := _date(row)) else UNKNOWN,
    "week": lambda row: week_name(day) if (day := _date(row)) else UNKNOWN,
}

NO_NAME = {"automation": "none known", "fork": "none known", "day": "no time", "week": "no time"}
"""What the group without a name is called, where that is not simply not known."""


class Spread(NamedTuple):
    """Distribution of a number over the runs in which it is known."""

    known: int = 0
    total: float = 0.0
    median: float | None = None
    p90: float | None = None
    """90 % of the runs have at most this much."""

    @property
    def mean(self) -> float | None:
        return self.total / self.known if self.known else None


class Churn(NamedTuple):
    """Lines that runs wrote, and how many of these they took out or rewrote later."""

    known: int
    """In how many runs that is known."""
    written: int
    removed_later: int

    @property
    def share(self) -> float | None:
        """None where nothing is known to be written."""
        return self.removed_later / self.written if self.written else None


class Group(NamedTuple):
    """The runs that share these names."""

    names: tuple[str, ...]
    runs: int
    endings: dict[str, int]
    """Verdict -> number of runs, most frequent first; "" for an unknown verdict."""
    resolved: int
    labelled: int
    """Runs that an evaluation labels resolved or not. An error of the evaluation counts as not
    resolved."""
    steps: Spread
    time: Spread
    """Seconds of work."""
    cost: Spread
    """US dollars, with sub-agents, of the runs whose cost is no estimate."""
    partial: int
    """Those of them whose cost may be incomplete."""
    estimates: int
    errors: Spread
    failed_steps: int
    """Steps that are an error, a failed command or a rejected call."""
    loops: int
    last_error: str
    """The most common last error; "" if no error occurs twice."""
    last_errors: int
    churn: Churn

    @property
    def finished(self) -> int:
        return self.endings.get("finished", 0)

    @property
    def failed(self) -> int:
        return sum(self.endings.get(word, 0) for word in WORDS["failed"])

    @property
    def resolved_words(self) -> str:
        """Resolved runs among labelled ones, such as `5 of 7`; "" without labels."""
        return f"{self.resolved:,} of {self.labelled:,}" if self.labelled else ""

    @property
    def error_words(self) -> str:
        """The number of runs with the most common last error, then the error."""
        return f"{self.last_errors:,}x {self.last_error}" if self.last_error else ""

    @property
    def total_words(self) -> str:
        """What the runs cost, "" if no cost is known."""
        return sum_words(self.cost.total, self.unpriced + self.partial, self.estimates)

    @property
    def unpriced(self) -> int:
        """Runs whose cost is not known."""
        return self.runs - self.cost.known - self.estimates

    @property
    def cost_gaps(self) -> list[str]:
        """How many runs lack a cost, or a part of it, a phrase each."""
        counts = {"not known": self.unpriced, "known in part": self.partial}
        return [f"the cost of {plural(n, 'run')} is {how}" for how, n in counts.items() if n]

    @property
    def resolved_share(self) -> float | None:
        return self.resolved / self.labelled if self.labelled else None


def _spread_json(spread: Spread, *, whole: bool = False) -> dict[str, float | int | None]:
    """`whole` is for counts, whose sum is one too."""
    values = spread._asdict() | {"total": spread.total if spread.known else None}
    return {name: _count(value) if whole else number(value) for name, value in values.items()}


def _count(value: float | None) -> float | int | None:
    """A count without a point; between two of them the median may be a half."""
    return int(value) if value is not None and value == int(value) else value


def _endings(group: Group) -> dict[str, object]:
    known = {"finished": group.finished, "failed": group.failed}
    return {**known, "ended_otherwise": group.runs - sum(known.values())}


def _churn_json(group: Group) -> dict[str, object]:
    known, *lines = group.churn
    names = "lines_written", "lines_removed_later"
    return {"known": known, **dict(zip(names, lines if known else (None, None), strict=True))}


def _number(
    head: str,
    value: Callable[[Group], float | None],
    words: Callable[[float], str],
    json: str = "",
    get: Callable[[Group], object] | None = None,
    *,
    goes: int = 0,
) -> Column[Group, object]:
    """A number, which is also what groups are sorted by; "" where it is not known."""

    def text(group: Group, _face: object) -> str:
        return "" if (n := value(group)) is None else words(n)

    return Column(head, text, json, get, name=head, order=value, right=True, goes=goes)


ENDED: Column[Group, object] = Column(
    "how they ended",
    json="endings",
    get=lambda group: {word or "unknown": count for word, count in group.endings.items()},
    flat=_endings,
    name="finished",
    order=lambda group: group.finished / group.runs,
)
"""Whoever shows it draws a bar."""

GROUP_COLUMNS: tuple[Column[Group, object], ...] = (
    _number("runs", lambda group: group.runs, "{:,}".format, "runs"),
    ENDED,
    Column(
        "resolved", lambda group, _: group.resolved_words, "resolved",
        name="resolved", order=lambda group: group.resolved_share, right=True, goes=7,
    ),
    Column(json="labelled"),
    _number(
        "steps", lambda group: group.steps.median, "{:,.0f}".format,
        "steps", lambda group: _spread_json(group.steps, whole=True), goes=8,
    ),
    _number(
        "time", lambda group: group.time.median, duration,
        "work_s", lambda group: _spread_json(group.time), goes=9,
    ),
    Column(
        "p90", lambda group, _: "" if group.time.p90 is None else duration(group.time.p90),
        hue="dim", right=True, goes=5,
    ),
    _number(
        "cost", lambda group: group.cost.median, dollars,
        "cost", lambda group: _spread_json(group.cost), goes=10,
    ),
    Column(json="cost_partial_runs", get=lambda group: group.partial),
    Column(json="cost_estimated_runs", get=lambda group: group.estimates),
    Column(
        "total", lambda group, _: marked_cost(
            group.cost.total, is_partial=bool(group.unpriced + group.partial + group.estimates)
        ),
        name="total", order=lambda group: group.cost.total if group.cost.known else None,
        right=True, goes=11,
    ),
    _number(
        "errors", lambda group: group.errors.mean, lambda n: f"{n:.1f}" if n else "",
        "errors", lambda group: _spread_json(group.errors, whole=True), goes=4,
    ),
    _number(
        "loops", lambda group: group.loops, lambda n: f"{n:,}" if n else "",
        "looped", lambda group: group.loops, goes=6,
    ),
    _number("churn", lambda group: group.churn.share, percent, goes=2),
    Column(
        "most common last error", lambda group, _: group.error_words,
        "last_error", lambda group: group.last_error or None,
        hue="dim", share=3, least=12, goes=1,
    ),
    Column(json="last_error_runs", get=lambda group: group.last_errors),
    Column(json="churn", get=_churn_json),
)  # fmt: skip

SORTS = {one.name: one.order for one in GROUP_COLUMNS if one.order}


def grouped(rows: Sequence[Summand], by: Sequence[str], sort: str = "runs") -> list[Group]:
    """The groups by these groupings. `sort` is a key of SORTS, or "name", which puts the first day
    first. Equal groups are sorted by name."""
    members: dict[tuple[str, ...], list[Summand]] = {}
    named = zip(*(map(GROUPINGS[name], rows) for name in by), strict=True)
    for row, names in zip(rows, named, strict=True):
        members.setdefault(names, []).append(row)
    return ordered([summed(names, members[names]) for names in sorted(members)], sort)


def ordered(groups: list[Group], sort: str) -> list[Group]:
    if sort == "name":
        return groups
    key = SORTS[sort]

    def order(group: Group) -> tuple[bool, float]:
        value = key(group)
        return value is None, -(value or 0.0)

    return sorted(groups, key=order)


def names_of(row: Summand, by: Sequence[str]) -> tuple[str, ...]:
    return tuple(GROUPINGS[name](row) for name in by)


def summed(names: tuple[str, ...], rows: Sequence[Summand]) -> Group:
    def each(name: str) -> Iterator[Any]:
        return map(attrgetter(name), rows)

    labels, errors = Counter(each("label")), Counter(filter(None, each("last_error")))
    costs = cost_sum(row.price for row in rows)
    # ties go to the first by name, so that the order of rows does not matter
    last_error = min(errors, key=lambda one: (-errors[one], one), default="")
    last_error = last_error if errors[last_error] > 1 else ""
    return Group(
        names,
        len(rows),
        dict(Counter(each("verdict")).most_common()),
        *resolved_of(labels),
        spread(each("steps")),
        spread(each("work_s")),
        spread(row.cost for row in rows if not row.cost_is_estimate),
        costs.partial,
        costs.estimates,
        spread(each("errors")),
        sum(row.failed_commands + row.errors + row.rejected for row in rows),
        sum(map(bool, each("loop_steps"))),
        last_error,
        errors[last_error],
        _churn(rows),
    )


def _churn(rows: Sequence[Summand]) -> Churn:
    counts = [(row.lines_written, row.lines_removed_later) for row in rows]
    known = [(written, gone) for written, gone in counts if None not in (written, gone)]
    written, gone = (sum(filter(None, each)) for each in zip(*known, (0, 0), strict=True))
    return Churn(len(known), written, gone)


def resolved_of(labels: Mapping[str, int]) -> tuple[int, int]:
    """The number of resolved runs and of all labelled runs, from the runs per label."""
    resolved = labels.get("resolved", 0)
    return resolved, resolved + labels.get("unresolved", 0) + labels.get("error", 0)


def spread(values: Iterable[float | None]) -> Spread:
    known = sorted([value for value in values if value is not None])
    if not known:
        return Spread()
    p90 = known[math.ceil(0.9 * len(known)) - 1]
    return Spread(len(known), math.fsum(known), median(known), p90)
