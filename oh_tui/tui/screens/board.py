"""The board: sums over all runs, a row for each model, repository and whatever else they share."""

from __future__ import annotations

import asyncio
from typing import ClassVar, NamedTuple, Protocol

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from oh_tui.batch.over_time import PERIODS, Table
from oh_tui.batch.run_stats import GROUPINGS, Group, summed
from oh_tui.catalog.filter_words import AFTER
from oh_tui.text.problem import Problem
from oh_tui.tui.keys import HELP, Hint
from oh_tui.tui.platform.base_screen import ClosesOnce
from oh_tui.tui.remedies import offer, words_of
from oh_tui.tui.screens.board_groups import Groups
from oh_tui.tui.screens.board_over_time import BoardSection, cost_alone, each_period, range_before
from oh_tui.tui.state.across_runs.board import NAMES, RULE, Before, Board
from oh_tui.tui.widgets.bars import Footer
from oh_tui.tui.widgets.drawing import Piece
from oh_tui.tui.widgets.row_list import ColumnHead, RowList
from oh_tui.tui.widgets.rule import Rule, joined


class Counting(Protocol):
    """The controller, as the screen sees it."""

    def narrow(self, group: Group) -> None: ...
    def count_again(self) -> Board: ...
    def read_missing(self) -> None: ...
    async def group_by_rule(self) -> None: ...
    def open_failures(self) -> None: ...
    def toggle_before(self) -> None: ...


class Sums(NamedTuple):
    """What the screen shows of a board, computed in a thread."""

    table: Table
    total: Group
    before: tuple[Before, Group] | None
    """The range before, and its sums."""


def _sums_of(board: Board) -> Sums:
    before = board.before
    return Sums(board.table(), board.total(), (before, before.board.total()) if before else None)


class BoardScreen(ModalScreen[None], ClosesOnce[None]):
    DEFAULT_CSS = """
    BoardScreen { background: $background; }
    BoardScreen ColumnHead { height: 1; width: 1fr; }
    BoardScreen Groups { height: 1fr; }
    """
    HELP_TITLE = "On the board"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "close", show=False),
        Binding("enter", "open_group", "list these runs", show=False),
        Binding("b", "group(1)", "other grouping", show=False),
        Binding("s", "sort", "sort", show=False),
        Binding("C", "rules", "by rule", show=False),
        Binding("f", "failures", "what failed", show=False),
        Binding("p", "before", "the range before", show=False),
        Binding("r", "again", "count again", show=False),
        Binding("i", "read_missing", "count the others", show=False),
        Binding("B,q", "dismiss", "close", show=False),
    ]
    AUTO_FOCUS = "#groups"

    def __init__(self, board: Board, counting: Counting) -> None:
        super().__init__()
        self.board, self._counting = board, counting
        self._offered = False
        self._renewals = 0
        """How often `renew` began: only the newest draws its rows."""
        self.rule = Rule(id="board-rule")
        self.groups = Groups(id="groups")
        self.head = ColumnHead(self.groups)
        self.periods, self.before = BoardSection("periods"), BoardSection("before")
        self.days = BoardSection("cost-by-day")
        self.footer = Footer()
        self._sums = Sums(Table([], None), summed((), ()), None)

    def compose(self) -> ComposeResult:
        yield from (self.rule, self.periods, self.before, self.head, self.groups, self.days)
        yield self.footer

    async def on_mount(self) -> None:
        self.rule.heavy = True
        await self.renew()
        self.groups.move_to(self.board.cursor)

    async def renew(self) -> None:
        """Show the sums of what was counted by now."""
        if not self.groups.is_mounted:
            return  # it will, once they are there
        board = self.board
        self._renewals = number = self._renewals + 1
        sums = await asyncio.to_thread(_sums_of, board)
        if number != self._renewals or board is not self.board or not self.is_attached:
            return
        self.groups.empty = self._empty()
        self.groups.by, self.groups.sort = board.by, board.order
        self.groups.times = board.asked
        self.groups.asked = board.rules.counts if board.by == RULE and board.rules else None
        self._sums = sums
        self.groups.show(sums.table.groups)
        self.head.refresh()
        words = f"  {board.query.text}" if board.query.text else ""
        by = f"  by {NAMES[board.by]}" + ": the runs that break it" * (board.by == RULE)
        self.rule.title = (("Board", "title"), (by, "dim"), (words, "mark"))
        facts: list[Piece] = [(text, "") for text in board.facts(sums.total)]
        facts[1:1] = [(text, "warn") for text in board.left_out(sums.total)]
        self.rule.facts = joined(facts, self.rule.glyphs.dot)
        self._show_over_time()
        self._show_keys()
        self._offer()

    def _empty(self) -> tuple[str, ...]:
        board = self.board
        if board.problem:
            return board.problem
        if board.is_running or board.ended is None:
            return ("counting …", "esc goes back and stops it")
        if board.by == RULE and board.rules:
            asking = ("asking the rules …", "esc goes back and stops it")
            return ("no run could be asked",) if board.rules.ended else asking
        if not (board.reading.runs or board.reading.not_kept):
            return ("there is no run to count",)
        return ("no run could be counted", *board.left_out(self._sums.total))

    def _show_over_time(self) -> None:
        room, glyphs, sums = self.app.size.width - 2, self.rule.glyphs, self._sums
        periods = days = before = None
        if sums.table.trend and self.board.by in PERIODS:
            periods = each_period(sums.table.trend, room, glyphs)
        elif sums.table.trend:
            days = cost_alone(sums.table.trend, room, glyphs)
        if sums.before:
            before = range_before(sums.total, *sums.before, room, glyphs)
        self.periods.show(periods)
        self.days.show(days)
        self.before.show(before)

    # Keys

    @on(RowList.Highlighted, "#groups")
    def _at_a_group(self) -> None:
        self.board.cursor = self.groups.cursor
        self._show_keys()

    @on(RowList.Opened, "#groups")
    def _open(self) -> None:
        self.board.cursor = self.groups.cursor  # its message may come after this key
        group = self.groups.current
        if group and group.runs:
            self._counting.narrow(group)
        elif group:
            by_rule = self.board.by == RULE
            why = "no run is known to break this rule" if by_rule else "no run is in this row"
            self.footer.tell(why, remark=True)

    @on(RowList.HeadPicked)
    async def _sort_by(self, message: RowList.HeadPicked) -> None:
        message.stop()
        self.board.sort = message.name
        await self.renew()

    async def action_sort(self) -> None:
        """Sort by the next column that is shown."""
        self.board.sort = self.groups.next_sort(self.board.order)
        await self.renew()
        self.footer.tell(f"sorted by {self.board.sort}", log=False)

    async def action_group(self, by: int) -> None:
        names = list(GROUPINGS)
        now = names.index(self.board.by) if self.board.by in names else -1
        self.board.by = names[(now + by) % len(names)]
        await self.renew()
        self.groups.move_to(0)

    async def action_rules(self) -> None:
        """A row for each rule."""
        try:
            await self._counting.group_by_rule()
        except Problem as problem:
            self.footer.tell(words_of(problem), error=True, about="rules")
            return
        self.footer.settle("rules")
        await self.renew()
        self.groups.move_to(0)

    async def action_before(self) -> None:
        """Show the range before beside this one, or no longer."""
        try:
            self._counting.toggle_before()
        except Problem as problem:
            self.footer.tell(words_of(problem), log=False)
        self._offered = False
        await self.renew()

    async def action_again(self) -> None:
        self.board, self._offered = self._counting.count_again(), False
        await self.renew()

    def action_failures(self) -> None:
        self._counting.open_failures()

    def _offer(self) -> None:
        """Say once what counting the other runs takes."""
        count, is_over = (
            self.board.not_kept,
            all(one.ended is not None for one in self.board.boards),
        )
        if count and is_over and not (self._is_running or self._offered):
            self._offered = True
            self.footer.tell(offer(count), remark=True)

    def action_read_missing(self) -> None:
        if self.board.not_kept and not self._is_running:
            self.footer.clear()
            self._counting.read_missing()

    @property
    def _is_running(self) -> bool:
        return any(one.is_running for one in self.board.boards)

    def action_back(self) -> None:
        if not self.footer.clear():
            self.dismiss(None)

    def action_open_group(self) -> None:
        self._open()

    def _show_keys(self) -> None:
        board, hints = self.board, list[Hint]()
        if self.groups.current and self.groups.current.runs:
            hints.append(Hint("enter", "open", "open_group"))
        hints += [Hint("b", "group", "group(1)"), Hint("f", "failures", "failures")]
        if board.by != RULE:
            hints.append(Hint("C", "rules", "rules"))
        if any(term.field == AFTER.name for term in board.query.terms):
            hints.append(Hint("p", "not before" if board.before else "before", "before"))
        if board.not_kept and not self._is_running:
            hints.append(Hint("i", "count others", "read_missing"))
        hints += [Hint("s", "sort", "sort"), Hint("r", "count again", "again")]
        self.footer.hints = tuple(hints)
        self.footer.always = (HELP, Hint("esc", "close", "back"))

    def on_resize(self) -> None:
        self._show_over_time()
        self.head.refresh()
