"""The board: sums over all runs, a row for each model, repository and whatever else they share."""

from __future__ import annotations

import asyncio
import os
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from oh_tui.batch.over_time import PERIODS
from oh_tui.batch.rules import agreed, rule_places
from oh_tui.batch.run_stats import GROUPINGS
from oh_tui.catalog.filter_words import AFTER
from oh_tui.text.problem import Problem
from oh_tui.tui.remedies import words_of
from oh_tui.tui.screens.board_groups import Groups
from oh_tui.tui.screens.board_over_time import BoardSection, cost_alone, each_period, range_before
from oh_tui.tui.screens.pass_screen import PassActions, PassScreen
from oh_tui.tui.screens.view import KeyLabels
from oh_tui.tui.state.across_runs.board import NAMES, RULE, Board, RulesOfRuns, Sums
from oh_tui.tui.widgets.row_list import ColumnHead, RowList
from oh_tui.tui.widgets.table_list import name_after


class BoardScreen(PassScreen[Board]):
    DEFAULT_CSS = "BoardScreen Groups { height: 1fr; }"
    HELP_TITLE = "On the board"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open_group", "open", tooltip="list these runs"),
        Binding("b", "group", "group", tooltip="other grouping"),
        Binding("f", "board.failures", "failures", tooltip="what failed"),
        Binding("C", "rules", "rules", tooltip="by rule"),
        Binding("p", "before", "before", tooltip="the range before"),
        Binding("i", "read_missing", "count others", tooltip="count the others"),
        Binding("s", "sort", "sort"),
        Binding("r", "again", "count again"),
        Binding("B,q", "dismiss", "close", show=False),
    ]
    AUTO_FOCUS = "#groups"
    NAME = "Board"

    def __init__(self, found: Board, actions: PassActions[Board]) -> None:
        self.groups = Groups(id="groups")
        super().__init__(found, actions, self.groups, "board")
        self.periods, self.before = BoardSection("periods"), BoardSection("before")
        self.days = BoardSection("cost-by-day")

    def compose(self) -> ComposeResult:
        yield from (self.rule, self.periods, self.before, ColumnHead(self.groups), self.groups)
        yield from (self.days, self.footer)

    def draw(self, rows: Sums) -> None:
        board, groups = self.found, self.groups
        groups.by, groups.times = board.by, board.asked
        groups.asked = board.rules.counts if board.by == RULE and board.rules else None
        shown = bool(groups.rows)  # else the cursor goes where it was left
        groups.show(rows.table.groups, None if shown else board.cursor, keep_line=shown)
        self._show_over_time()

    def about(self) -> str:
        by = self.found.by
        return f"by {NAMES[by]}" + ": the runs that break it" * (by == RULE)

    def nothing(self) -> tuple[str, ...]:
        board = self.found
        if board.by == RULE and board.rules:
            asking = ("asking the rules …", "esc goes back and stops it")
            return ("no run could be asked",) if board.rules.ended else asking
        if not (board.reading.runs or board.reading.not_here):
            return ("there is no run to count",)
        return ("no run could be counted", *board.left_out)

    def _show_over_time(self) -> None:
        room, glyphs, sums = self.app.size.width - 2, self.rule.glyphs, self.found.shown
        periods = days = before = None
        if sums.table.trend and self.found.by in PERIODS:
            periods = each_period(sums.table.trend, room, glyphs)
        elif sums.table.trend:
            days = cost_alone(sums.table.trend, room, glyphs)
        if sums.before and self.found.before:
            before = range_before(sums.total, self.found.before, sums.before, room, glyphs)
        self.periods.show(periods)
        self.days.show(days)
        self.before.show(before)

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
        """A row for each rule."""
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
        self.groups.move_to(0)

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
            "rules": board.by != RULE,
            "before": has_start and ("not before" if board.before else "before"),
            "count others": board.not_here,
        }

    def on_resize(self) -> None:
        self._show_over_time()
