"""The board: sums over all runs, a row for each model, repository and whatever else they share."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.screen import ModalScreen

from oh_tui.sources.across_runs.run_stats import GROUPINGS, NOT_TOLD, Group
from oh_tui.text.human import dollars, duration, percentages, told_cost
from oh_tui.tui.keys import HELP, Hint
from oh_tui.tui.platform.base_screen import ClosesOnce
from oh_tui.tui.remedies import offer
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.state.board import NAMES, Board, sparkline
from oh_tui.tui.widgets.bars import Footer
from oh_tui.tui.widgets.drawing import Label, Piece, fit
from oh_tui.tui.widgets.row_list import ColumnHead, HeadCell, RowList
from oh_tui.tui.widgets.rule import Rule, joined

if TYPE_CHECKING:
    from collections.abc import Callable

BAR = 20
"""Columns of the bar of endings."""

RUNS, SHARES = 8, 18
"""Cells of the count of runs and of the shares of endings."""

LAST_FROM = 139
"""Cells from which there is the last error."""

LEAST_NAME, LEAST_LAST = 16, 12
"""Cells of a name, for which columns are left out, and of the last error."""

SHOWN = 8
"""Characters of an id."""

FIRST_TO_GO = ("bar", "errors", "p90", "loops", "resolved", "steps", "time", "cost", "total")
"""What is left out where there is no room: never a part of a number."""


class Counting(Protocol):
    """The controller, as the screen sees it."""

    def narrow(self, group: Group) -> None: ...
    def count_again(self) -> Board: ...
    def read_missing(self) -> None: ...


def _time(value: float | None) -> str:
    return "" if value is None else duration(value)


def _dollars(value: float | None) -> str:
    return "" if value is None else dollars(value)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _mean(value: float | None) -> str:
    return f"{value:.1f}" if value else ""


COLUMNS: tuple[tuple[str, str, Callable[[Group], str]], ...] = (
    ("resolved", "resolved", lambda group: group.resolved_words),
    ("steps", "steps", lambda group: _number(group.steps.median)),
    ("time", "time", lambda group: _time(group.time.median)),
    ("p90", "", lambda group: _time(group.time.p90)),
    ("cost", "cost", lambda group: _dollars(group.cost.median)),
    ("total", "total", lambda group: told_cost(group.cost.total, is_partial=bool(group.partial))),
    ("errors", "errors", lambda group: _mean(group.errors.mean)),
    ("loops", "loops", lambda group: f"{group.loops:,}" if group.loops else ""),
)
"""Head, what a click on it sorts by, and the text of a group."""

TITLES = [title for title, *_ in COLUMNS]


class Layout(NamedTuple):
    """Cells of the name, of the bar of endings, of each column, and of the last error."""

    name: int
    bar: int
    columns: list[int]
    last: int


class Groups(RowList):
    """A row for each group."""

    groups: reactive[tuple[Group, ...]] = reactive((), always_update=True)
    by: reactive[str] = reactive("model")
    sort: reactive[str] = reactive("runs")

    def __init__(self) -> None:
        super().__init__(id="groups")
        self._names: list[str] = []
        self._cells: list[list[str]] = []
        self._widths = [0] * len(COLUMNS)
        """Of the columns; 0 for one in which nothing is known."""

    @property
    def current(self) -> Group | None:
        return self.groups[self.cursor] if self.cursor < len(self.groups) else None

    def watch_groups(self, old: tuple[Group, ...], new: tuple[Group, ...]) -> None:
        """The cursor stays with its group."""
        under = old[self.cursor].names if self.cursor < len(old) else None
        cursor = next((n for n, one in enumerate(new) if one.names == under), 0)
        self._cells = [[text(group) for _, _, text in COLUMNS] for group in new]
        self._names = _names(new, self.by)
        columns = ([cells[n] for cells in self._cells] for n in range(len(COLUMNS)))
        self._widths = [
            max(len(COLUMNS[n][0]) + 1, *map(len, column)) if any(column) else 0
            for n, column in enumerate(columns)
        ]
        self.rows_changed(cursor, keep_line=True)

    def row_count(self) -> int:
        return len(self.groups)

    def _layout(self, width: int) -> Layout:
        columns = [cells + 2 if cells else 0 for cells in self._widths]
        longest = max(12, *(width_of(name) for name in self._names), 0)
        bar = BAR + 1

        def room() -> int:
            return width - RUNS - SHARES - bar - sum(columns)

        for title in FIRST_TO_GO:
            if room() >= min(longest, LEAST_NAME):
                break
            if title == "bar":
                bar = 0
            else:
                columns[TITLES.index(title)] = 0
        name, last = max(8, min(longest, room())), 0
        if width >= LAST_FROM:
            beside = min(longest, max(LEAST_NAME, room() * 3 // 5))
            if room() - beside - 2 >= LEAST_LAST:
                name, last = beside, room() - beside - 2
        return Layout(name, bar, columns, last)

    def sorts(self) -> list[str]:
        """What the columns that are shown can be sorted by."""
        columns = zip(COLUMNS, self._layout(self.row_width).columns, strict=False)
        return [
            "name",
            "runs",
            "finished",
            *(sort for (_, sort, _), room in columns if room and sort),
        ]

    def head(self) -> list[HeadCell]:
        if not self.groups:
            return []
        name, bar, columns, last = self._layout(self.row_width)
        ended = fit("how they ended", bar) if bar else ""

        def cell(text: str, sort: str) -> HeadCell:
            is_sorted = bool(sort) and sort == self.sort
            return HeadCell(text, sort, is_sorted)

        cells = [
            cell(f" {fit(self._titled(NAMES[self.by], 'name'), name)}", "name"),
            cell(self._titled("runs", "runs", RUNS), "runs"),
            cell(f"  {ended}{self._titled('ok', 'finished', 5)} fail else%", "finished"),
        ]
        for (title, sort, _), room in zip(COLUMNS, columns, strict=True):
            if room:
                cells.append(cell(self._titled(title, sort, room), sort))
        return [*cells, cell(f"  {fit('most common last error', last)}" if last else "", "")]

    def _titled(self, title: str, sort: str, room: int = 0) -> str:
        is_sorted = sort and sort == self.sort
        sign = self.sort_sign(falling=sort != "name") if is_sorted else ""
        return f"{title + sign:>{room}}"

    def pieces(self, row: int, width: int) -> list[Piece]:
        group = self.groups[row]
        name, bar, columns, last = self._layout(width)
        shown = self._names[row] or NOT_TOLD.get(self.by, "not known")
        pieces: list[Piece] = [
            (fit(shown, name, self.glyphs.more), "" if group.names[0] else "dim"),
            (f"{group.runs:>{RUNS},}", ""),
            ("  ", ""),
            *self._ended(group, has_bar=bar > 0),
        ]
        for cells, room, (title, *_) in zip(self._cells[row], columns, COLUMNS, strict=True):
            if room:
                pieces.append((f"{cells:>{room}}", "dim" if title == "p90" else ""))
        if last:
            pieces.append((f"  {fit(group.error_words, last, self.glyphs.more)}", "dim"))
        return pieces

    def _ended(self, group: Group, *, has_bar: bool) -> list[Piece]:
        """A bar of the finished, the failed and the other runs, and their shares."""
        parts = (group.finished, group.failed, group.runs - group.finished - group.failed)
        shares = "".join(f"{share:>5}" for share in percentages(parts)) + "%"
        if not has_bar:
            return [(shares, "number")]
        cells = _parted(parts, BAR)
        glyphs = self.glyphs
        signs = ((glyphs.levels[-1], "good"), (glyphs.shaded, "bad"), (glyphs.no_result, "dim"))
        bar = [(sign * count, hue) for (sign, hue), count in zip(signs, cells, strict=True)]
        return [*bar, (" ", ""), (shares, "number")]


def _names(groups: tuple[Group, ...], by: str) -> list[str]:
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


def _parted(parts: tuple[int, ...], room: int) -> list[int]:
    """Cells for parts of a whole, at least one for each that is not 0."""
    whole, cells = sum(parts), [0] * len(parts)
    for n, part in enumerate(parts):
        cells[n] = max(1, round(room * part / whole)) if part else 0
    cells[cells.index(max(cells))] += room - sum(cells)
    return cells


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
        if board.reading.not_kept and not board.is_running:
            hints.append(Hint("i", "count the others", "read_missing"))
        hints.append(Hint("r", "count again", "again"))
        self.footer.hints = tuple(hints)
        self.footer.always = (HELP, Hint("esc", "close", "back"))

    def on_resize(self) -> None:
        self._show_days()
        self.head.refresh()
