"""The board: sums over all runs, a row for each model, repository and whatever else they share."""

from __future__ import annotations

import asyncio
from typing import ClassVar, Protocol

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from oh_tui.sources.across_runs.run_stats import GROUPINGS, Group
from oh_tui.text.human import dollars
from oh_tui.tui.keys import HELP, Hint
from oh_tui.tui.platform.base_screen import ClosesOnce
from oh_tui.tui.remedies import offer
from oh_tui.tui.screens.board_groups import Groups
from oh_tui.tui.state.across_runs.board import NAMES, Board, sparkline
from oh_tui.tui.widgets.bars import Footer
from oh_tui.tui.widgets.drawing import Label, Piece
from oh_tui.tui.widgets.row_list import ColumnHead, RowList
from oh_tui.tui.widgets.rule import Rule, joined


class Counting(Protocol):
    """The controller, as the screen sees it."""

    def narrow(self, group: Group) -> None: ...
    def count_again(self) -> Board: ...
    def read_missing(self) -> None: ...
    def open_failures(self) -> None: ...


class BoardScreen(ModalScreen[None], ClosesOnce[None]):
    DEFAULT_CSS = """
    BoardScreen { background: $background; }
    BoardScreen ColumnHead { height: 1; width: 1fr; }
    BoardScreen Groups { height: 1fr; }
    BoardScreen #cost-by-day { height: 1; width: 1fr; }
    """
    HELP_TITLE = "On the board"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "close", show=False),
        Binding("b", "group(1)", "other grouping", show=False),
        Binding("s", "sort", "sort", show=False),
        Binding("f", "failures", "what failed", show=False),
        Binding("r", "again", "count again", show=False),
        Binding("i", "read_missing", "count the others", show=False),
        Binding("B,q", "dismiss", "close", show=False),
    ]
    AUTO_FOCUS = "#groups"

    def __init__(self, board: Board, counting: Counting) -> None:
        super().__init__()
        self.board, self._counting = board, counting
        self._offered = False
        self.rule = Rule(id="board-rule")
        self.groups = Groups()
        self.head = ColumnHead(self.groups)
        self.days_rule, self.days = Rule(id="days-rule"), Label()
        self.days.id = "cost-by-day"
        self.footer = Footer()

    def compose(self) -> ComposeResult:
        yield from (self.rule, self.head, self.groups, self.days_rule, self.days, self.footer)

    async def on_mount(self) -> None:
        self.rule.heavy = True
        await self.renew()
        self.groups.move_to(self.board.cursor)

    async def renew(self) -> None:
        """Show the sums of what was counted by now."""
        board = self.board
        groups = await asyncio.to_thread(board.groups)
        if board is not self.board or not self.is_attached:
            return
        self.groups.empty = self._empty()
        self.groups.by, self.groups.sort = board.by, board.sort
        self.groups.groups = tuple(groups)
        self.head.refresh()
        words = f"  {board.query.text}" if board.query.text else ""
        self.rule.title = (("Board", "title"), (f"  by {NAMES[board.by]}", "dim"), (words, "mark"))
        facts: list[Piece] = [(text, "") for text in board.facts]
        facts[1:1] = [(text, "warn") for text in board.left_out]
        self.rule.facts = joined(facts, self.rule.glyphs.dot)
        self._show_days()
        self._show_keys()
        self._offer()

    def _empty(self) -> tuple[str, ...]:
        board = self.board
        if board.problem:
            return board.problem
        if board.is_running or board.ended is None:
            return ("counting …",)
        if not (board.reading.runs or board.reading.not_kept):
            return ("there is no run to count",)
        return ("no run could be counted", *board.left_out)

    def _show_days(self) -> None:
        days = self.board.cost_by_day(max(8, self.app.size.width - 2))
        several = days is not None and len(days.cells) > 1
        self.days_rule.display = self.days.display = several
        if days and several:
            each = "day" if days.each == 1 else f"{days.each:,} days"
            self.days_rule.title = ((f"Cost by {each}", "title"),)
            self.days_rule.facts = (
                (f"{days.first} to {days.last}", "dim"),
                (f", most on {days.most}: {dollars(days.costs[days.most])}", ""),
            )
            drawn = sparkline(days.cells, self.rule.glyphs.levels)
            self.days.pieces = ((" ", ""), (drawn, "llm"))

    # Keys

    @on(RowList.Highlighted, "#groups")
    def _at_a_group(self) -> None:
        self.board.cursor = self.groups.cursor
        self._show_keys()

    @on(RowList.Opened, "#groups")
    def _open(self) -> None:
        if group := self.groups.current:
            self._counting.narrow(group)

    @on(RowList.HeadPicked)
    async def _sort_by(self, message: RowList.HeadPicked) -> None:
        message.stop()
        self.board.sort = message.name
        await self.renew()

    async def action_sort(self) -> None:
        """Sort by the next column that is shown."""
        sorts, now = self.groups.sorts(), self.board.sort
        place = sorts.index(now) if now in sorts else -1
        self.board.sort = sorts[(place + 1) % len(sorts)]
        await self.renew()
        self.footer.tell(f"sorted by {self.board.sort}", log=False)

    async def action_group(self, by: int) -> None:
        names = list(GROUPINGS)
        self.board.by = names[(names.index(self.board.by) + by) % len(names)]
        await self.renew()
        self.groups.move_to(0)

    async def action_again(self) -> None:
        self.board, self._offered = self._counting.count_again(), False
        await self.renew()

    def action_failures(self) -> None:
        self._counting.open_failures()

    def _offer(self) -> None:
        """Say once what counting the other runs takes."""
        count = len(self.board.reading.not_kept)
        if count and self.board.ended is not None and not (self.board.is_running or self._offered):
            self._offered = True
            self.footer.tell(offer(count), remark=True)

    def action_read_missing(self) -> None:
        if self.board.reading.not_kept and not self.board.is_running:
            self.footer.clear()
            self._counting.read_missing()

    def action_back(self) -> None:
        if not self.footer.clear():
            self.dismiss(None)

    def action_open_group(self) -> None:
        self._open()

    def _show_keys(self) -> None:
        board, hints = self.board, list[Hint]()
        if self.groups.current:
            hints.append(Hint("enter", "list these runs", "open_group"))
        hints += [Hint("b", "other grouping", "group(1)"), Hint("s", "sort", "sort")]
        hints.append(Hint("f", "what failed", "failures"))
        if board.reading.not_kept and not board.is_running:
            hints.append(Hint("i", "count the others", "read_missing"))
        hints.append(Hint("r", "count again", "again"))
        self.footer.hints = tuple(hints)
        self.footer.always = (HELP, Hint("esc", "close", "back"))

    def on_resize(self) -> None:
        self._show_days()
        self.head.refresh()
