"""The board of all runs: their rows, how they are grouped and sorted, and where the cursor was."""

from __future__ import annotations

import math
from collections import Counter
from typing import NamedTuple

from oh_tui.sources.across_runs.each_run import ManyRuns
from oh_tui.sources.across_runs.over_time import PERIODS, Table, over_time, table_of, usual_order
from oh_tui.sources.across_runs.run_stats import (
    GROUPINGS,
    NOT_TOLD,
    Group,
    Summand,
    grouped,
    names_of,
    resolved_of,
    summed,
)
from oh_tui.sources.lists.conversation_query import ConversationQuery
from oh_tui.sources.lists.range_before import Ranges
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


class Before(NamedTuple):
    """The range before, and its runs."""

    ranges: Ranges
    board: Board


class Board(Pass):
    def __init__(
        self, query: ConversationQuery, reading: ManyRuns[Summand], now: float = 0.0
    ) -> None:
        """`now` is the time by which the times of the filter are meant."""
        super().__init__()
        self.query, self.reading, self.now = query, reading, now
        self.runs: list[Counted] = []
        self.by = "model"
        self.sort = ""
        """As the user chose it; else days and weeks are in their order, others by their runs."""
        self.cursor = 0
        self.before: Before | None = None
        """Only if it is asked for."""

    @property
    def boards(self) -> list[Board]:
        """This one, and that of the range before."""
        return [self, *([self.before.board] if self.before else [])]

    @property
    def not_kept(self) -> int:
        """How many runs this machine does not keep."""
        return sum(len(board.reading.not_kept) for board in self.boards)

    @property
    def order(self) -> str:
        return self.sort or usual_order([self.by])

    def table(self) -> Table:
        """The groups; over time by day where the groups are no periods."""
        rows = [one.row for one in list(self.runs)]
        table = table_of(rows, [self.by], self.sort)
        if self.by in PERIODS:
            return table
        return Table(table.groups, over_time("day", grouped(rows, ["day"])))

    def total(self) -> Group:
        return summed((), [one.row for one in list(self.runs)])

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
