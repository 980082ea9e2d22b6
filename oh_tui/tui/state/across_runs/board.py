"""The board of all runs: their rows, how they are grouped and sorted, and where the cursor was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from oh_tui.batch import cached_rows, rule_rows, stats_rows
from oh_tui.batch.over_time import PERIODS, Table, table_of, usual_order
from oh_tui.batch.run_stats import GROUPINGS, NO_NAME, Group, Summand, listed_as, ordered, summed
from oh_tui.catalog import range_before
from oh_tui.catalog.conversation_query import ConversationQuery
from oh_tui.catalog.range_before import Ranges
from oh_tui.conversation import Conversation
from oh_tui.text.human import plural
from oh_tui.trajectory.rules.question import State
from oh_tui.tui.state.across_runs.passes import Pass, SourceRuns

if TYPE_CHECKING:
    from oh_tui.batch.rules.rule import Rule

RULE = "rule"
"""The grouping by rules: a run stands in the row of each one that it breaks."""

NAMES = {name: name for name in (*GROUPINGS, RULE)}
"""The groupings, as the screen calls them."""
NAMES |= {"repo": "repository", "fork": "forked from", "cause": "how it ended"}


class Counted(NamedTuple):
    """A run that was counted: the id of its conversation, what sums need of it, and the local day
    on which it began, kept because it takes long to compute."""

    id: str
    row: Summand
    day: str


class Before(NamedTuple):
    ranges: Ranges
    board: Board


class RulesOfRuns(Pass[Mapping[str, State], None]):
    """Which rules the runs of a board hold and break."""

    def __init__(self, board: Board, rules: tuple[Rule, ...]) -> None:
        super().__init__(
            board.source_runs, board.query, rule_rows.StatesJob(rules),
            lambda folder, source: cached_rows.known_rules(folder, source, rules),
        )  # fmt: skip
        self.broken: dict[str, list[str]] = {}
        """By the id of a conversation, as far as they were asked."""
        self.counts: dict[str, Counter[State]] = {}
        """Of each rule, how many runs hold it, break it, or do not tell."""

    def take(self, conversation: Conversation, value: Mapping[str, State]) -> None:
        broken = [name for name, found in value.items() if found is State.BROKEN]
        self.broken[conversation.id] = broken
        for name, found in value.items():
            self.counts.setdefault(name, Counter())[found] += 1

    @property
    def fact(self) -> str:
        """How far it is; "" at the end."""
        return "" if self.ended else f"rules asked of {plural(len(self.broken), 'run')} so far"


class Sums(NamedTuple):
    """What the screen shows of a board."""

    table: Table = Table([], None)
    total: Group = summed((), ())
    before: Group | None = None
    days: Mapping[str, Counter[int]] = {}
    """Name of a group -> number of a day -> how many of its runs began on it; {} where the groups
    are periods."""


class Board(Pass[Summand, Sums]):
    waits = ("counting …", "esc closes and stops it")

    def __init__(
        self, runs: SourceRuns, query: ConversationQuery, like: Board | None = None
    ) -> None:
        """Grouped and sorted like another one."""
        super().__init__(
            runs, query, stats_rows.RowJob(runs.source.label),
            lambda folder, source: cached_rows.known_rows(folder, source),
        )  # fmt: skip
        self.runs: list[Counted] = []
        self.by: str = "model" if like is None or like.by == RULE else like.by
        self.sort = like.sort if like else ""
        """As the user chose it; else days and weeks are in their order, others by their runs."""
        self.shown = Sums()
        self.before: Before | None = None
        """Only if it is asked for."""
        self.rules: RulesOfRuns | None = None
        """Only if they are asked for."""

    def take(self, conversation: Conversation, value: Summand) -> None:
        row = listed_as(value, self.source_runs.listed_verdict(conversation.id))
        self.runs.append(Counted(conversation.id, row, GROUPINGS["day"](row)))

    def ask_before(self) -> None:
        """Count the range before too. Raises Problem where there is none."""
        ranges = range_before.ranges(self.query, self.source_runs.now)
        self.before = Before(ranges, Board(self.source_runs, ranges.before))

    def again(self, runs: SourceRuns) -> Board:
        """Another one for the same runs as they are now."""
        board = Board(runs, self.query, self)
        if self.before:
            board.ask_before()
        return board

    def drop_unended(self) -> None:
        """Forget what was asked for and not counted to its end."""
        if self.before and not self.before.board.ended:
            self.before = None
        if self.rules and not self.rules.ended:
            self.rules, self.by = None, "model"

    @property
    def parts(self) -> list[Board]:
        return [self, *([self.before.board] if self.before else [])]

    @property
    def waiting(self) -> list[Pass[Any, Any]]:
        rules = [self.rules] if self.rules and self.rules.ended is None else []
        return [*super().waiting, *rules]

    def rows(self) -> Sums:
        before = self.before.board.total() if self.before else None
        return Sums(self.table(), self.total(), before, self._days())

    @property
    def order(self) -> str:
        return self.sort or usual_order([self.by])

    def table(self) -> Table:
        """The groups; over time by day where the groups are no periods."""
        rows = [one.row for one in list(self.runs)]
        if self.by == RULE:
            return Table(self._by_rule(), None)
        table = table_of(rows, [self.by], self.sort)
        if self.by in PERIODS:
            return table
        return table._replace(trend=table_of(rows, ["day"], "runs").trend)

    def _days(self) -> dict[str, Counter[int]]:
        found: dict[str, Counter[int]] = {}
        if self.by in PERIODS:
            return found
        number = PERIODS["day"].number
        for one in list(self.runs):
            if one.day:
                day = number(one.day)
                for name in self._names(one):
                    found.setdefault(name, Counter())[day] += 1
        return found

    def _by_rule(self) -> list[Group]:
        """Each rule with the runs that break it; of equals first that which most do not tell."""
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
        if self.by != RULE:
            return (GROUPINGS[self.by](one.row),)
        return self.rules.broken.get(one.id, ()) if self.rules else ()

    def total(self) -> Group:
        return summed((), [one.row for one in list(self.runs)])

    def ids(self, group: Group) -> frozenset[str]:
        (name,) = group.names
        return frozenset(one.id for one in self.runs if name in self._names(one))

    def name_of(self, group: Group) -> str:
        """The group as the list names its filter."""
        name = group.names[0]
        if self.by == RULE:
            return f"rule broken: {name}"
        name = name or NO_NAME.get(self.by, "")
        return f"{NAMES[self.by]}: {name}" if name else f"{NAMES[self.by]} not known"

    @property
    def facts(self) -> list[str]:
        if not self.runs:
            return []
        found, total = [self.counted], self.shown.total
        if days := {one.day for one in self.runs} - {""}:
            first, last = min(days), max(days)
            found.append(first if first == last else f"{first} to {last}")
        if total.total_words:
            found.append(total.total_words)
        if total.labelled:
            found.append(f"{total.resolved_words} labelled resolved")
        return found

    @property
    def left_out(self) -> list[str]:
        found = [*self.problem[:1]]
        if self.rules and self.by == RULE:
            found += filter(None, (*self.rules.problem[:1], self.rules.fact))
        found += self.reading.left_out
        return found if self.is_running else found + self.shown.total.cost_gaps
