"""What failed in many runs: a row for each failure, and below it what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from oh_tui.batch.failure_rows import FailureRow
from oh_tui.batch.run_stats import GROUPINGS
from oh_tui.catalog import conversation_query
from oh_tui.catalog.conversation_query import ConversationQuery
from oh_tui.text.human import plural
from oh_tui.tui.screens.failure_list import FailureList, all_or_none, by_group, detail, line_of
from oh_tui.tui.screens.find_line import FindLine
from oh_tui.tui.screens.pass_screen import PassActions, PassScreen
from oh_tui.tui.screens.typed_line import TypedLine
from oh_tui.tui.screens.view import KeyLabels, pair
from oh_tui.tui.state.across_runs.board import NAMES
from oh_tui.tui.state.across_runs.failures import FailuresFound
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.conversation_list import title_of
from oh_tui.tui.widgets.prompt import Complete
from oh_tui.tui.widgets.row_list import ColumnHead, RowList
from oh_tui.tui.widgets.rule import Rule
from oh_tui.tui.widgets.table_list import name_after

AT_ONCE = 500
"""Rows that `/` searches before other keys get their turn."""


class FailuresScreen(PassScreen[FailuresFound]):
    DEFAULT_CSS = """
    FailuresScreen FailureList { height: 1fr; }
    FailuresScreen BodyView { height: 10; }
    FailuresScreen.-by BodyView { height: 50%; }
    """
    HELP_TITLE = "In what failed"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open_example", "open", tooltip="open the example"),
        Binding("l", "list_runs", "runs", tooltip="list the runs of the row"),
        Binding("=", "compare", "compare", tooltip="compare one that recovered with one not"),
        Binding("b", "group", "group", tooltip="by model, repository …"),
        Binding("i", "read_missing", "read others", tooltip="read the others"),
        Binding("&", "words", "words", tooltip="only runs that match"),
        Binding("/", "find", "find", tooltip="find in the rows"),
        *pair("n", "N", "next_hit", "next hit", "next and previous hit"),
        Binding("s", "sort", "sort"),
        Binding("y", "copy", "copy", tooltip="copy what failed"),
        Binding("r", "again", "read again"),
        *pair("J", "K", "scroll_half", "detail down and up", show=False),
        Binding("f,q", "dismiss", "close", show=False),
    ]
    AUTO_FOCUS = "#failures"

    NAME = "Failures"
    AGAIN = ("r reads again",)
    esc = "back"

    def __init__(
        self,
        found: FailuresFound,
        actions: PassActions[FailuresFound],
        clock: Callable[[], float],
        complete: Complete,
    ) -> None:
        super().__init__(found, actions, FailureList(clock), "failures")
        self._clock, self._complete = clock, complete
        self._place = 0
        """Of the cursor, as it was drawn."""
        self.detail_rule, self.detail = Rule(id="failure-rule"), BodyView(id="failure")
        self.bodies = (self.detail,)
        self.find = FindLine(self.list, self._first_with, "no row has {}", at_once=AT_ONCE)
        self.words = TypedLine("&", self._take_words, "read these runs")
        self.lines = (self.find, self.words)

    def compose(self) -> ComposeResult:
        yield from (self.rule, ColumnHead(self.list), self.list, self.detail_rule, self.detail)
        yield from (*self.lines, self.footer)

    async def on_mount(self) -> None:
        self.words.words.complete_with(self._complete)

    def draw(self, rows: tuple[FailureRow, ...]) -> None:
        self._follow_cursor()
        places = (place for place, row in enumerate(rows) if row.failure == self.found.chosen)
        self._place = next(places, 0)
        self.list.show(rows, self._place)
        self.set_class(bool(self.found.by), "-by")
        self._show_detail()

    def about(self) -> str:
        return "by what failed" + (f" and {NAMES[self.found.by]}" if self.found.by else "")

    def nothing(self) -> tuple[str, ...]:
        reading = self.found.reading
        if reading.read:
            why, keys = f"no step failed in {plural(reading.read, 'run')}", "esc goes back"
        else:
            why = "no run could be read" if reading.runs else "there is no run to read"
            keys = "r reads again"
        return (why, *self.found.left_out, f"& changes the words, {keys}")

    @on(RowList.Highlighted, "#failures")
    def _at_a_failure(self) -> None:
        self._follow_cursor()
        self._show_detail()
        self.show_keys()

    def _show_detail(self) -> None:
        row, found = self.list.current, self.found
        self.detail_rule.display = self.detail.display = row is not None
        if row is None:
            return
        title = title_of(found.runs[row.example.run])
        self.detail_rule.title = (("What is known of it", "title"),)
        self.detail_rule.facts = ((row.failure.id, "dim"),)
        blocks = detail(row, found.reading.read, title, self._clock())
        if found.by:
            blocks.append(by_group(row, found.by, found.sums.runs, found.asked))
        self.detail.show(blocks)

    # Keys

    @on(RowList.Opened, "#failures")
    @on(BodyView.Opened)
    def action_open_example(self) -> None:
        if self._row():
            self._actions.open_row()

    async def action_list_runs(self) -> None:
        if self._row():
            await self.run_action("failures.list_runs")

    async def action_compare(self) -> None:
        row = self._row()
        if row and row.recovered_example and row.failed_example:
            await self.run_action("failures.compare")
        elif row:
            so_far = " so far" if self.found.is_running else ""
            self.footer.tell(f"nothing to compare{so_far}: {all_or_none(row)}", remark=True)

    def _row(self) -> FailureRow | None:
        """The row for which a key is meant; says so where there is none."""
        row = self.list.current
        if row is None:
            begins = self.found.is_running or self.found.ended is None
            self.footer.tell("there is no row yet" if begins else "there is no row", remark=True)
        return row

    def _follow_cursor(self) -> None:
        """The cursor stays on a row to which the user went; its message may come after other
        rows."""
        if self.list.current and self.list.cursor != self._place:
            self._place, self.found.chosen = self.list.cursor, self.list.current.failure

    def action_copy(self) -> None:
        if row := self._row():
            self.app.copy_to_clipboard(line_of(row))
            self.footer.tell("what failed was sent to the terminal's clipboard")

    async def action_again(self) -> None:
        await self._read(self.found.query, self.found.by)

    async def action_group(self) -> None:
        """Count each failure by another grouping too, or by none after the last."""
        await self._read(self.found.query, name_after(self.found.by, ["", *GROUPINGS]))

    async def _read(self, query: ConversationQuery, by: str) -> None:
        if runs := self._actions.source_runs():
            await self.begin(FailuresFound(runs, query, by, self.found))

    def go_back(self) -> None:
        if self.find.needle:
            self.find.look_for("")
        else:
            super().go_back()

    # Lines to type in

    def action_words(self) -> None:
        self.words.begin(self.found.query.text)

    async def _take_words(self, text: str) -> None:
        query = self.read(self.words.words, conversation_query.parse)
        if query is not None:
            self.words.close()
            only = self.found.query.only  # within the runs to which the board is limited
            await self._read(ConversationQuery(query.text, query.terms, only), self.found.by)

    def _first_with(self, order: Sequence[int], text: str) -> int | None:
        return next((row for row in order if text in self.list.row_text(row).lower()), None)

    def action_find(self) -> None:
        if self._row():
            self.find.ask()

    def action_next_hit(self, by: int) -> None:
        if self._row():
            self.find.next_hit(by)

    def key_labels(self) -> KeyLabels:
        row = self.list.current
        return {
            **dict.fromkeys(("open", "runs", "group", "find", "sort", "copy"), row),
            "compare": row and row.recovered_example and row.failed_example,
            "read others": self.found.not_here,
            "next hit": row and self.find.needle and "next hit",
        }
