"""The board of all runs: their rows, how they are grouped and sorted, and where the cursor was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from oh_tui.batch.each_run import ManyRuns
from oh_tui.batch.over_time import PERIODS, Table, over_time, table_of, usual_order
from oh_tui.batch.run_stats import (
    GROUPINGS,
    NOT_TOLD,
    Group,
    Summand,
    grouped,
    names_of,
    ordered,
    summed,
)
from oh_tui.catalog import range_before
from oh_tui.catalog.conversation_query import ConversationQuery
from oh_tui.catalog.range_before import Ranges
from oh_tui.text.human import plural
from oh_tui.trajectory.analysis.rules.question import State
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
    "rule": "rule",
}
"""The groupings, as the screen calls them."""

RULE = "rule"
"""The grouping for which runs are asked their rules: a run stands in the row of each one that it
breaks."""


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


class RulesOfRuns(Pass):
    """Which rules the runs of a board hold and break."""

    def __init__(self, reading: ManyRuns[Mapping[str, State]]) -> None:
        super().__init__()
        self.reading = reading
        self.broken: dict[str, list[str]] = {}
        """By the id of a conversation, as far as they were asked."""
        self.counts: dict[str, Counter[State]] = {}
        """Of each rule, how many runs hold it, break it, or do not tell."""

    def take(self, run: str, states: Mapping[str, State]) -> None:
        self.broken[run] = [name for name, found in states.items() if found is State.BROKEN]
        for name, found in states.items():
            self.counts.setdefault(name, Counter())[found] += 1

    @property
    def fact(self) -> str:
        """How far it is; "" at the end."""
        if self.ended or not self.reading.runs:
            return ""
        return f"rules of {len(self.broken):,} of {plural(self.reading.runs, 'run')}"


class Board(Pass):
    def __init__(
        self, query: ConversationQuery, reading: ManyRuns[Summand], now: float = 0.0
    ) -> None:
        """`now` is the time by which the times of the filter are meant."""
        super().__init__()
        self.query, self.reading, self.now = query, reading, now
        self.asked = range_before.asked_range(query, now)
        self.runs: list[Counted] = []
        self.by = "model"
        self.sort = ""
        """As the user chose it; else days and weeks are in their order, others by their runs."""
        self.cursor = 0
        self.before: Before | None = None
        """Only if it is asked for."""
        self.rules: RulesOfRuns | None = None
        """Only if they are asked for."""

    @property
    def boards(self) -> list[Board]:
        """This one, and that of the range before."""
        return [self, *([self.before.board] if self.before else [])]

    @property
    def waiting(self) -> list[Board | RulesOfRuns]:
        """What is still to be gone through."""
        passes: list[Board | RulesOfRuns] = [*self.boards, *([self.rules] if self.rules else [])]
        return [one for one in passes if one.ended is None]

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
        if self.by == RULE:
            return Table(self._by_rule(), over_time("day", grouped(rows, ["day"])))
        table = table_of(rows, [self.by], self.sort)
        if self.by in PERIODS:
            return table
        return Table(table.groups, over_time("day", grouped(rows, ["day"])))

    def _by_rule(self) -> list[Group]:
        """Each rule with the runs that break it; of rules that are broken as often, that which most
        runs do not tell comes first."""
        counts = self.rules.counts if self.rules else {}
        names = sorted(counts)
        if self.order != "name":
            names.sort(key=lambda name: -counts[name][State.UNKNOWN])
        members: dict[str, list[Summand]] = {name: [] for name in names}
        for one in list(self.runs):
            for name in self._names(one):
                members.setdefault(name, []).append(one.row)
        groups = [summed((name,), runs) for name, runs in members.items()]
        return ordered(groups, self.order)

    def _names(self, one: Counted) -> Sequence[str]:
        """The groups that a run stands in."""
        if self.by != RULE:
            return names_of(one.row, [self.by])
        return self.rules.broken.get(one.id, ()) if self.rules else ()

    def total(self) -> Group:
        return summed((), [one.row for one in list(self.runs)])

    def ids(self, group: Group) -> frozenset[str]:
        """The conversations of a group."""
        (name,) = group.names
        return frozenset(one.id for one in self.runs if name in self._names(one))

    def words(self, group: Group) -> str:
        """The group as the list names its filter."""
        name = group.names[0]
        if self.by == RULE:
            return f"rule broken: {name}"
        name = name or NOT_TOLD.get(self.by, "")
        return f"{NAMES[self.by]}: {name}" if name else f"{NAMES[self.by]} not known"

    def facts(self, total: Group) -> list[str]:
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
        if total.total_words:
            found.append(total.total_words)
        if total.labelled:
            found.append(f"{total.resolved_words} labelled resolved")
        return found

    def left_out(self, total: Group) -> list[str]:
        """What is not counted, a phrase each."""
        reading, found = self.reading, list[str]()
        found += self.problem[:1]
        if self.rules and self.by == RULE:
            found += filter(None, (*self.rules.problem[:1], self.rules.fact))
        found += reading.left_out
        return found if self.is_running else found + total.cost_gaps
