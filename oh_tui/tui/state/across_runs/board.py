"""The board of all runs: their rows, how they are grouped and sorted, and where the cursor was."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from oh_tui.sources.across_runs.each_run import ManyRuns
from oh_tui.sources.across_runs.run_stats import (
    GROUPINGS,
    NOT_TOLD,
    Group,
    Summand,
    grouped,
    names_of,
    resolved_of,
)
from oh_tui.sources.lists.conversation_query import ConversationQuery
from oh_tui.text.human import plural, told_cost
from oh_tui.tui.state.across_runs.passes import Pass

NAMES = {
    "model": "model",
    "repo": "repository",
    "benchmark": "benchmark",
    "trigger": "trigger",
    "fork": "forked from",
    "label": "label",
    "cause": "how it ended",
    "day": "day",
    "week": "week",
}
"""The groupings, as the screen calls them."""


class Counted(NamedTuple):
    """A run that was counted: the id of its conversation, what sums need of it, and the local day
    on which it began, kept because it takes long to compute."""

    id: str
    row: Summand
    day: str

    @classmethod
    def of(cls, name: str, row: Summand) -> Counted:
        return cls(name, row, GROUPINGS["day"](row))


class Days(NamedTuple):
    """What the runs that began on a day cost."""

    first: str
    last: str
    each: int
    """Days of a cell."""
    cells: list[float]
    most: str
    """The day that cost most."""
    costs: dict[str, float]


class Board(Pass):
    def __init__(self, query: ConversationQuery, reading: ManyRuns[Summand]) -> None:
        super().__init__()
        self.query, self.reading = query, reading
        self.runs: list[Counted] = []
        self.by = "model"
        self.sort = "runs"
        self.cursor = 0

    def groups(self) -> list[Group]:
        sort = "name" if self.by == "day" and self.sort == "runs" else self.sort
        return grouped([one.row for one in list(self.runs)], [self.by], sort)

    def ids(self, group: Group) -> frozenset[str]:
        """The conversations of a group."""
        return frozenset(one.id for one in self.runs if names_of(one.row, [self.by]) == group.names)

    def words(self, group: Group) -> str:
        """The group as the list names its filter."""
        name = group.names[0]
        name = name or NOT_TOLD.get(self.by, "")
        return f"{NAMES[self.by]}: {name}" if name else f"{NAMES[self.by]} not known"

    @property
    def facts(self) -> list[str]:
        """How many runs are counted, from when, and what they cost."""
        reading, found = self.reading, list[str]()
        if not self.runs:
            return found
        runs = len(self.runs)
        count = plural(runs, "run")
        if self.is_running:
            count = f"{runs:,} of {reading.runs:,} so far"
        elif not self.ended:
            count = f"{runs:,} of {plural(reading.runs, 'run')}"
        found.append(count)
        if days := {one.day for one in self.runs} - {""}:
            first, last = min(days), max(days)
            found.append(first if first == last else f"{first} to {last}")
        if costs := [cost for one in self.runs if (cost := one.row.cost) is not None]:
            found.append(told_cost(math.fsum(costs), is_partial=bool(self._partial)))
        resolved, labelled = resolved_of(Counter(one.row.label for one in self.runs))
        if labelled:
            found.append(f"{resolved:,} of {labelled:,} labelled resolved")
        return found

    @property
    def left_out(self) -> list[str]:
        """What is not counted, a phrase each."""
        reading, found = self.reading, list[str]()
        found += self.problem[:1]
        found += reading.left_out
        unknown = sum(one.row.cost is None for one in self.runs)
        if unknown and not self.is_running:
            found.append(f"the cost of {plural(unknown, 'run')} is not known")
        if self._partial and not self.is_running:
            found.append(f"the cost of {plural(self._partial, 'run')} is known in part")
        return found

    @property
    def _partial(self) -> int:
        rows = (one.row for one in self.runs)
        return sum(bool(row.cost_is_partial) and row.cost is not None for row in rows)

    def cost_by_day(self, room: int) -> Days | None:
        """All days, several to a cell where there are more than `room`."""
        costs: dict[str, float] = {}
        for one in self.runs:
            if one.day and one.row.cost is not None:
                costs[one.day] = costs.get(one.day, 0.0) + one.row.cost
        if not costs:
            return None
        first, last = min(costs), max(costs)
        start = date.fromisoformat(first)
        count = (date.fromisoformat(last) - start).days + 1
        each = -(-count // room)
        cells = [0.0] * -(-count // each)
        for day, cost in costs.items():
            cells[(date.fromisoformat(day) - start).days // each] += cost
        return Days(first, last, each, cells, max(sorted(costs), key=costs.__getitem__), costs)


def sparkline(values: Sequence[float], levels: str) -> str:
    """A column a value, the highest full; nothing where there is nothing."""
    most = max(values, default=0.0)
    if most <= 0:
        return " " * len(values)
    steps = len(levels) - 1
    return "".join(levels[round(steps * value / most)] if value > 0 else " " for value in values)
