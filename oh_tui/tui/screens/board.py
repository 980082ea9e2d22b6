"""The board: sums over all runs, a row for each model, repository and whatever else they share."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import ClassVar, NamedTuple

from msgspec.structs import replace
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from oh_tui.batch.over_time import COST, PERIODS, Trend, beside, counted_part, draw
from oh_tui.batch.rules import agreed, rule_places
from oh_tui.batch.run_stats import ENDED, GROUP_COLUMNS, GROUPINGS, NO_NAME, Group
from oh_tui.catalog.filter_words import AFTER
from oh_tui.catalog.range_before import TimeRange
from oh_tui.tables.column import Cell, Column
from oh_tui.text.human import columns, parted, percentages, plural, sparkline
from oh_tui.text.problem import Problem
from oh_tui.trajectory.glyphs import Glyphs, rule_mark
from oh_tui.trajectory.rules.question import State
from oh_tui.tui.remedies import words_of
from oh_tui.tui.rendering.cells import total_width
from oh_tui.tui.screens.pass_screen import PassActions, PassScreen
from oh_tui.tui.screens.view import KeyLabels
from oh_tui.tui.state.across_runs.board import NAMES, RULE, Before, Board, RulesOfRuns, Sums
from oh_tui.tui.widgets.drawing import Labels, Piece, Rule, joined
from oh_tui.tui.widgets.row_list import ColumnHead, RowList
from oh_tui.tui.widgets.table_list import Columns, TableList, name_after

SHOWN = 8
"""Characters of an id."""

OVER_TIME = 16
"""Cells of the line of a row."""

AROUND = 9
"""Lines around the rows and the columns of the cost."""

TALLEST, WIDEST = 8, 10
"""Lines and cells of a column of the cost by day."""

LABELLED = 7
"""Cells of a column from which its day and its cost stand below it, if that is short enough."""

RUNS, *OTHERS = (one for one in GROUP_COLUMNS if one.head and one is not ENDED)


def _parts(group: Group) -> tuple[int, int, int]:
    return group.finished, group.failed, group.runs - group.finished - group.failed


def _share(place: int) -> Callable[[Group, Glyphs], str]:
    return lambda group, _: f"{percentages(_parts(group))[place]}%" if group.runs else ""


class Groups(TableList[Group]):
    by = "model"
    asked: Mapping[str, Counter[State]] | None = None
    """Of each rule what it finds in how many runs, if the groups are those of rules."""
    times: TimeRange | None = None
    """The range of time that was asked for."""
    days: Mapping[str, Counter[int]] = {}
    """As those of `Sums`."""
    _names: Mapping[tuple[str, ...], str] = {}

    def key(self, row: Group) -> object:
        return row.names

    def columns(self) -> Columns[Group]:
        names = shown_names(self.rows, self.by)
        if self.times and self.by in PERIODS:
            parts = (counted_part(self.by, name, self.times) for name in names)
            names = [" ".join(each).strip() for each in zip(names, parts, strict=True)]
        self._names = dict(zip((row.names for row in self.rows), names, strict=True))
        by_rule = self.asked is not None  # it is known by its name and the counts of its answers
        return (
            Column(NAMES[self.by], self._named, name="name", share=2, least=20 + 20 * by_rule),
            *(self._counted() if by_rule else (RUNS,)),
            Column(ENDED.head, draw=self._bar, width=20, goes=3),
            *self._over_time(),
            Column(
                "ok", _share(0), hue="number", name=ENDED.name, order=ENDED.order,
                right=True, gap=2, width=4, goes=6 * by_rule,
            ),
            Column("fail", _share(1), hue="number", right=True, gap=1, width=4, goes=5 * by_rule),
            Column("other", _share(2), hue="number", right=True, gap=1, width=5, goes=4 * by_rule),
            *(
                replace(one, head=self.glyphs.loop, goes=1) if one.name == "loops" else one
                for one in OTHERS
            ),
        )  # fmt: skip

    def _named(self, group: Group, _glyphs: Glyphs) -> Cell:
        shown = self._names[group.names] or NO_NAME.get(self.by, "not known")
        is_quiet = not group.names[0] or (self.by in PERIODS and not group.failed)
        return Cell(shown, "dim" if is_quiet else "")

    def _counted(self) -> Iterator[Column[Group, Glyphs]]:
        """How many runs hold a rule, break it, do not tell, or have nothing to check."""

        def count(state: State, hue: str, group: Group, _glyphs: Glyphs) -> Cell:
            found = (self.asked or {})[group.names[0]][state]
            return Cell(f"{found:,}", hue if found else "dim")

        for state in State:
            head = f"{rule_mark(self.glyphs, state)[0]} {state}"
            is_broken, goes = state is State.BROKEN, 12 * (state is State.NOTHING)
            yield Column(
                head, partial(count, state, "bad" if is_broken else "dim"), right=True, goes=goes,
                name=RUNS.name * is_broken, order=RUNS.order, width=len(head) + 2 * is_broken,
            )  # fmt: skip

    def _over_time(self) -> Iterator[Column[Group, Glyphs]]:
        """The runs of each row over the days of all."""
        days = [day for counts in self.days.values() for day in counts]
        if not days or min(days) == max(days):
            return
        first, length = min(days), max(days) - min(days) + 1
        width = min(length, OVER_TIME)

        def line(group: Group, _glyphs: Glyphs) -> str:
            runs: list[float | None] = [None] * width
            for day, count in self.days.get(group.names[0], {}).items():
                at = (day - first) * width // length
                runs[at] = (runs[at] or 0.0) + count
            return sparkline(runs, self.glyphs.levels)

        yield Column("runs each day", line, hue="llm", width=max(width, 13), goes=3)

    def _bar(self, group: Group, room: int) -> list[Piece]:
        if not group.runs:
            return [(" " * room, "")]
        glyphs, cells = self.glyphs, parted(_parts(group), room)
        # what ended well is the rule: what did not stands out
        signs = ((glyphs.rule, "dim"), (glyphs.levels[-1], "bad"), (glyphs.no_result, "dim"))
        return [(sign * count, hue) for (sign, hue), count in zip(signs, cells, strict=True)]


def shown_names(groups: Sequence[Group], by: str) -> list[str]:
    """The names as they are shown: of models without the vendor, of forks the start of the id of
    their origin, as in the list, unless two would be the same."""
    names = [group.names[0] for group in groups]
    if by == "model":
        short = [name.rpartition("/")[2] or name for name in names]
    elif by == "fork":
        short = [name[:SHOWN] for name in names]
    else:
        return names
    return [one if short.count(one) == 1 else name for one, name in zip(short, names, strict=True)]


HUES = {"resolved": "good", "failed": "bad"}
"""Of the blocks of a measure; those of others are as in the strip."""


class TitledLines(NamedTuple):
    """A rule with a title and facts, and the lines below it."""

    title: str
    facts: Sequence[Piece]
    lines: Sequence[Sequence[Piece]]


class BoardSection(Vertical):
    """What is shown below a rule; neither is there where nothing is shown."""

    DEFAULT_CSS = "BoardSection { height: auto; }"

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.rule, self.lines = Rule(), Labels()

    def compose(self) -> ComposeResult:
        yield from (self.rule, self.lines)

    def show(self, shown: TitledLines | None) -> None:
        self.display = shown is not None
        if shown:
            self.rule.title = ((shown.title, "title"),)
            self.rule.facts = joined(shown.facts, self.rule.glyphs.dot)
            self.lines.lines = shown.lines


def each_period(trend: Trend, room: int, glyphs: Glyphs) -> TitledLines | None:
    """A line for each measure but the cost, which is drawn large; if there are several periods."""
    if trend.length == 1:
        return None
    drawing = draw(trend, room, glyphs.levels)
    lines = [
        [(name, "dim"), *_quiet(blocks, HUES.get(name.strip(), "llm"), glyphs), (numbers, "")]
        for name, blocks, numbers in drawing.lines
        if name.strip() != COST.head
    ]
    facts = [(fact, "dim") for fact in drawing.facts]
    return TitledLines(f"Each {NAMES[trend.kind]}", facts, lines)


def _quiet(blocks: str, hue: str, glyphs: Glyphs) -> list[Piece]:
    """Blocks in a hue, of which those of nothing do not stand out."""
    parts = groupby(blocks, lambda block: block in (glyphs.levels[0], " ", "?"))
    return [("".join(part), "dim" if is_none else hue) for is_none, part in parts]


def cost_alone(trend: Trend, room: int, glyphs: Glyphs, height: int) -> TitledLines | None:
    """The cost over time in columns of so many lines, if it is known of several periods."""
    known = {n: group for n, group in sorted(trend.groups.items()) if group.cost.known}
    if not known or trend.length == 1:
        return None
    each, most = trend.each(room), max(known, key=lambda number: known[number].cost.total)
    costs = {number: COST.cell([group], None).text for number, group in known.items()}
    title = f"Cost by {trend.kind if each == 1 else plural(each, trend.kind)}"
    facts = [
        (f"{trend.name(trend.first)} to {trend.name(trend.last)}", "dim"),
        (f"most on {trend.name(most)}: {costs[most]}", ""),
    ]
    facts += [(text, "dim") for text in trend.without_estimates]
    wide = max(1, min(WIDEST, room // trend.length))
    *lines, lowest = columns(trend.values(COST, room), glyphs.levels, height)
    lines.append(lowest.replace(" ", "?"))
    drawn = [_quiet("".join(_wide(one, wide) for one in line), "llm", glyphs) for line in lines]
    if height > 1 and wide >= LABELLED and wide > max(map(len, costs.values())):
        numbers = range(trend.first, trend.last + 1)
        amounts = (costs.get(number, "") for number in numbers)
        names = (trend.name(number).partition("-")[2] for number in numbers)
        drawn += [
            [("".join(f"{text:<{wide}}" for text in texts).rstrip(), hue)]
            for texts, hue in ((amounts, ""), (names, "dim"))
        ]
    elif height > 1:
        first, last = (trend.name(n).partition("-")[2] for n in (trend.first, trend.last))
        cells = len(lowest) * wide - len(first) - (wide > 1)
        drawn.append([(f"{first}{last:>{cells}}", "dim")])
    return TitledLines(title, facts, drawn)


def _wide(block: str, wide: int) -> str:
    """A block in so many cells, of which the last is left free; what is not known takes one."""
    return (block * max(1, wide - 1 if block != "?" else 1)).ljust(wide)


def range_before(now: Group, before: Before, was: Group, room: int, glyphs: Glyphs) -> TitledLines:
    """What the sums are, and were before: on one line, or on several where there is no room."""
    board, parts = before.board, list[list[Piece]]()
    facts = [(before.ranges.words, "dim"), *((text, "warn") for text in board.reading.left_out)]
    if board.problem:
        parts = [[(text, "warn")] for text in board.problem]
    elif not board.ended:
        parts = [[("counting …", "dim")]]
    elif not was.runs:
        parts = [[("no runs before", "dim")]]
    else:
        parts = [
            [(f"{name} ", "dim"), (one, ""), (f", was {other}", "")]
            for name, one, other in beside(now, was)
        ]
    return TitledLines("The range before", facts, _in_lines(parts, room, glyphs.dot))


def _in_lines(parts: Sequence[Sequence[Piece]], room: int, dot: str) -> list[list[Piece]]:
    """Parts side by side, with a dot between them."""
    lines: list[list[Piece]] = [[]]
    for part in parts:
        if lines[-1] and total_width([*lines[-1], *part]) + 3 > room:
            lines.append([])
        between = [(f" {dot} ", "dim")] if lines[-1] else []
        lines[-1] += [*between, *part]
    return lines


class BoardScreen(PassScreen[Board]):
    HELP_TITLE = "On the board"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open_group", "open", tooltip="list these runs"),
        Binding("b", "group", "group", tooltip="other grouping"),
        Binding("f", "board.failures", "failures", tooltip="what failed", show=False),
        Binding("C", "rules", "rules", tooltip="by rule", show=False),
        Binding("p", "before", "before", tooltip="the range before"),
        Binding("i", "read_missing", "count others", tooltip="count the others"),
        Binding("s", "sort", "sort"),
        Binding("r", "again", "count again"),
        Binding("B,q", "dismiss", "close", show=False),
    ]

    def __init__(self, found: Board, actions: PassActions[Board]) -> None:
        self.groups = Groups(id="groups")
        super().__init__(found, actions, self.groups, "board")
        self.periods, self.before = BoardSection("periods"), BoardSection("before")
        self.days = BoardSection("cost-by-day")

    def compose(self) -> ComposeResult:
        yield from (self.tabs, self.rule, self.periods, self.before, ColumnHead(self.groups))
        yield from (self.groups, self.days, self.footer)

    def draw(self, rows: Sums) -> None:
        board, groups = self.found, self.groups
        groups.by, groups.times, groups.days = board.by, board.asked, rows.days
        groups.asked = board.rules.counts if board.by == RULE and board.rules else None
        shown = bool(groups.rows)  # else the cursor goes where it was left
        # until it is moved it stays on the first row, whichever that becomes
        stays = None if groups.cursor or board.order == "name" else 0
        groups.show(rows.table.groups, stays if shown else board.cursor, keep_line=shown)
        self._show_over_time()

    @property
    def tab(self) -> str:
        return {RULE: "rules", "day": "days"}.get(self.found.by, "sums")

    async def show_tab(self, tab: str) -> None:
        """Show the sums, the days or the rules."""
        if tab == "rules":
            await self.action_rules()
        elif tab != self.tab:
            self.found.by = "day" if tab == "days" else "model"
            await self._regrouped()

    def about(self) -> str:
        said = {RULE: "the runs that break each", "day": "on which they began"}
        return said.get(self.found.by, f"by {NAMES[self.found.by]}")

    def nothing(self) -> tuple[str, ...]:
        board = self.found
        if board.by == RULE and board.rules:
            asking = ("asking the rules …", "esc closes and stops it")
            return ("no run could be asked",) if board.rules.ended else asking
        if not (board.reading.runs or board.reading.not_here):
            return ("there is no run to count",)
        return ("no run could be counted", *board.left_out)

    @on(events.Resize)
    def _show_over_time(self) -> None:
        room, glyphs, sums = self.app.size.width - 2, self.rule.glyphs, self.found.shown
        periods = days = before = None
        if sums.table.trend and self.found.by in PERIODS:
            periods = each_period(sums.table.trend, room, glyphs)
        height = self._height(len(periods.lines) + 1 if periods else 0)
        if sums.table.trend:
            days = cost_alone(sums.table.trend, room, glyphs, height)
        if sums.before and self.found.before:
            before = range_before(sums.total, self.found.before, sums.before, room, glyphs)
        self.periods.show(periods)
        self.days.show(days)
        self.before.show(before)

    def _height(self, above: int) -> int:
        """Lines of the cost by day: those that the rows and the lines `above` them leave free.
        Grouped by day it has at least an eighth of the screen, as the reader came for it."""
        free = self.app.size.height - self.groups.row_count() - AROUND - above
        return max(self.app.size.height // 8 if above else 1, min(TALLEST, free))

    # Keys

    @on(RowList.Highlighted, "#groups")
    def _at_a_group(self) -> None:
        self.found.cursor = self.groups.cursor
        self.show_keys()

    @on(RowList.Opened, "#groups")
    def action_open_group(self) -> None:
        self.found.cursor = self.groups.cursor  # its message may come after this key
        group = self.groups.current
        if group and group.runs:
            self._actions.open_row()
        elif group:
            by_rule = self.found.by == RULE
            why = "no run is known to break this rule" if by_rule else "no run is in this row"
            self.footer.tell(why, remark=True)

    async def action_group(self) -> None:
        self.found.by = name_after(self.found.by, list(GROUPINGS))
        await self._regrouped()

    async def action_rules(self) -> None:
        board = self.found
        try:
            if board.rules is None:
                found = await asyncio.to_thread(
                    lambda: rule_places.rules_in_force(os.environ, agreed.here())
                )
                board.rules = RulesOfRuns(board, tuple(found.rules))
        except Problem as problem:
            self.footer.tell(words_of(problem), error=True, about="rules")
            return
        self.footer.settle("rules")
        board.by = RULE
        self._actions.go_on(board)
        await self._regrouped()

    async def _regrouped(self) -> None:
        await self.renew()
        is_by_time = self.found.by in PERIODS and self.found.order == "name"
        self.found.cursor = max(0, self.groups.row_count() - 1) if is_by_time else 0  # the last
        self.groups.move_to(self.found.cursor)

    async def action_before(self) -> None:
        """Show the range before beside this one, or no longer."""
        board = self.found
        try:
            if board.before is None:
                board.ask_before()
            else:
                if board.before.board.is_running:
                    self._actions.stop()
                board.before = None
            self._actions.go_on(board)
        except Problem as problem:
            self.footer.tell(words_of(problem), log=False)
        self._offered = False
        await self.renew()

    async def action_again(self) -> None:
        if runs := self._actions.source_runs():
            await self.begin(self.found.again(runs))

    def key_labels(self) -> KeyLabels:
        board, group = self.found, self.groups.current
        has_start = any(term.field == AFTER.name for term in board.query.terms)
        return {
            "open": group and group.runs,
            "before": has_start and ("not before" if board.before else "before"),
            "count others": board.not_here,
        }
