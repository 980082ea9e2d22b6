"""What failed in many runs: a row for each failure, and below it what is known of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import ModalScreen

from oh_tui.batch.run_stats import GROUPINGS
from oh_tui.catalog import conversation_query
from oh_tui.text.human import plural
from oh_tui.trajectory.analysis.search.step_filter import QueryError
from oh_tui.tui.keys import HELP, Hint
from oh_tui.tui.platform.base_screen import ClosesOnce
from oh_tui.tui.remedies import offer, words_of
from oh_tui.tui.screens.failure_list import (
    FailureList,
    all_or_none,
    by_group,
    detail,
    line_of,
)
from oh_tui.tui.screens.find_line import TYPING, FindLine
from oh_tui.tui.screens.typed_line import TypedLine, typing_hints
from oh_tui.tui.state.across_runs.board import NAMES
from oh_tui.tui.widgets.bars import Footer
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.conversation_list import title_of
from oh_tui.tui.widgets.drawing import Piece
from oh_tui.tui.widgets.row_list import ColumnHead, RowList
from oh_tui.tui.widgets.rule import Rule, joined

if TYPE_CHECKING:
    from oh_tui.batch.failure_rows import FailureRow
    from oh_tui.catalog.conversation_query import ConversationQuery
    from oh_tui.tui.state.across_runs.failures import FailuresFound
    from oh_tui.tui.widgets.prompt import Complete

AT_ONCE = 500
"""Rows that `/` searches before other keys get their turn."""


class Reading(Protocol):
    """The controller, as the screen sees it."""

    def read_again(self, query: ConversationQuery, by: str) -> FailuresFound: ...
    def read_missing(self) -> None: ...
    def open_example(self) -> None: ...
    def list_runs(self) -> None: ...
    def compare(self) -> None: ...
    def completion(self) -> Complete: ...


class WordsLine(TypedLine):
    """The line of `&`: words of the runs that are read."""

    class Given(Message):
        """These words were typed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def take(self, text: str) -> None:
        self.post_message(self.Given(text))


class FailuresScreen(ModalScreen[None], ClosesOnce[None]):
    DEFAULT_CSS = """
    FailuresScreen { background: $background; }
    FailuresScreen ColumnHead { height: 1; width: 1fr; }
    FailuresScreen FailureList { height: 1fr; }
    FailuresScreen BodyView { height: 10; }
    FailuresScreen.-by BodyView { height: 50%; }
    """
    HELP_TITLE = "In what failed"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "close", show=False),
        Binding("enter", "open_example", "open the example", show=False),
        Binding("s", "sort", "sort", show=False),
        Binding("b", "group(1)", "by model, repository …", show=False),
        Binding("equals_sign", "compare", "compare one that recovered with one not", show=False),
        Binding("l", "list_runs", "list the runs of the row", show=False),
        Binding("y", "copy", "copy what failed", show=False),
        Binding("ampersand", "words", "only runs that match", show=False),
        Binding("slash", "find", "find in the rows", show=False),
        Binding("n", "next_hit(1)", "next hit", show=False),
        Binding("N", "next_hit(-1)", "previous hit", show=False),
        Binding("r", "again", "read again", show=False),
        Binding("i", "read_missing", "read the others", show=False),
        Binding("J", "scroll_detail(1)", "detail down", show=False),
        Binding("K", "scroll_detail(-1)", "detail up", show=False),
        Binding("f,q", "dismiss", "close", show=False),
    ]
    AUTO_FOCUS = "#failures"

    def __init__(self, found: FailuresFound, reading: Reading, clock: Callable[[], float]) -> None:
        super().__init__()
        self.found, self._reading, self._clock = found, reading, clock
        self._offered = False
        self._renewals = 0
        """How often `renew` began: only the newest draws its rows."""
        self.rule = Rule(id="failures-rule")
        self.list = FailureList(clock)
        self.head = ColumnHead(self.list)
        self.detail_rule, self.detail = Rule(id="failure-rule"), BodyView(id="failure")
        self.find = FindLine(self.list, self._first_with, at_once=AT_ONCE)
        self.words = WordsLine("&")
        self.footer = Footer()

    def compose(self) -> ComposeResult:
        yield from (self.rule, self.head, self.list, self.detail_rule, self.detail)
        yield from (self.find, self.words, self.footer)

    async def on_mount(self) -> None:
        self.rule.heavy = True
        self.words.words.complete_with(self._reading.completion())
        await self.renew()

    async def renew(self) -> None:
        """Show what was found by now."""
        if not self.list.is_mounted:
            return  # it will, once the list is there
        found = self.found
        self._renewals = number = self._renewals + 1
        rows = await asyncio.to_thread(found.sorted_rows)
        if number != self._renewals or found is not self.found or not self.is_attached:
            return
        self._follow_cursor()
        found.take_rows(rows)
        self.list.empty = self._empty()
        self.list.sort = found.sort
        self.list.show(rows, found.cursor)
        self.head.refresh()
        words = f"  {found.query.text}" if found.query.text else ""
        by = f" and {NAMES[found.by]}" if found.by else ""
        self.rule.title = (("Failures", "title"), (f"  by what failed{by}", "dim"), (words, "mark"))
        self.set_class(bool(found.by), "-by")
        facts: list[Piece] = [(text, "") for text in found.facts]
        facts[1:1] = [(text, "warn") for text in found.left_out]
        self.rule.facts = joined(facts, self.rule.glyphs.dot)
        self._show_detail()
        self._show_keys()
        self._offer()

    def _empty(self) -> tuple[str, ...]:
        found = self.found
        if found.problem:
            return (*found.problem, "r reads again")
        if found.is_running or found.ended is None:
            return ("reading what failed …", "esc goes back and stops it")
        if not found.reading.read:
            why = "no run could be read" if found.reading.runs else "there is no run to read"
            return (why, *found.left_out, "& changes the words, r reads again")
        return (
            f"no step failed in {plural(found.reading.read, 'run')}",
            *found.left_out,
            "& changes the words, esc goes back",
        )

    @on(RowList.Highlighted, "#failures")
    def _at_a_failure(self) -> None:
        self._follow_cursor()
        self._show_detail()
        self._show_keys()

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
            blocks.append(by_group(row, found.by, found.runs_by, found.asked))
        self.detail.show(blocks)

    # Keys

    @on(RowList.Opened, "#failures")
    @on(BodyView.Opened)
    def _open(self) -> None:
        if self._row():
            self._reading.open_example()

    def action_open_example(self) -> None:
        self._open()

    def action_list_runs(self) -> None:
        if self._row():
            self._reading.list_runs()

    def action_compare(self) -> None:
        row = self._row()
        if row and row.recovered_example and row.failed_example:
            self._reading.compare()
        elif row:
            so_far = " so far" if self.found.is_running else ""
            self.footer.tell(f"nothing to compare{so_far}: {all_or_none(row)}", remark=True)

    def _row(self) -> FailureRow | None:
        """The row for which a key is meant; says so where there is none."""
        self._follow_cursor()
        row = self.list.current
        if row is None:
            begins = self.found.is_running or self.found.ended is None
            self.footer.tell("there is no row yet" if begins else "there is no row", remark=True)
        return row

    def _follow_cursor(self) -> None:
        """Remember where the cursor is; its message may come after the next key."""
        if self.list.rows is self.found.rows:
            self.found.go_to(self.list.cursor)

    def action_copy(self) -> None:
        if row := self._row():
            self.app.copy_to_clipboard(line_of(row))
            self.footer.tell("what failed was sent to the terminal's clipboard")

    @on(RowList.HeadPicked)
    async def _sort_by(self, message: RowList.HeadPicked) -> None:
        message.stop()
        self.found.sort = message.name
        await self.renew()

    async def action_sort(self) -> None:
        """Sort by the next column that is shown."""
        self.found.sort = self.list.next_sort(self.found.sort)
        await self.renew()
        self.footer.tell(f"sorted by {self.found.sort}", log=False)

    async def action_again(self) -> None:
        await self._read(self.found.query, self.found.by)

    async def action_group(self, by: int) -> None:
        """Count each failure by another grouping too, or by none after the last."""
        groupings = ["", *GROUPINGS]
        place = groupings.index(self.found.by) + by
        await self._read(self.found.query, groupings[place % len(groupings)])

    async def _read(self, query: ConversationQuery, by: str) -> None:
        self.found, self._offered = self._reading.read_again(query, by), False
        await self.renew()

    def _offer(self) -> None:
        """Say once what reading the other runs takes."""
        found = self.found
        count = len(found.reading.not_kept)
        if count and found.ended is not None and not (found.is_running or self._offered):
            self._offered = True
            self.footer.tell(offer(count), remark=True)

    def action_read_missing(self) -> None:
        if self.found.reading.not_kept and not self.found.is_running:
            self.footer.clear()
            self._reading.read_missing()

    def action_scroll_detail(self, lines: int) -> None:
        self.detail.scroll_lines(lines * max(1, self.detail.size.height // 2))

    def action_back(self) -> None:
        if self._typed_line:
            self._typed_line.close()
        elif self.footer.clear():
            pass
        elif self.find.needle:
            self.find.look_for("")
        else:
            self.dismiss(None)

    # Lines to type in

    @property
    def _typed_line(self) -> TypedLine | None:
        return next((line for line in (self.find, self.words) if line.is_open), None)

    async def action_submit(self) -> None:
        if self._typed_line:
            await self._typed_line.submit()

    def action_words(self) -> None:
        self.words.begin(self.found.query.text)

    @on(WordsLine.Given)
    async def _take_words(self, message: WordsLine.Given) -> None:
        message.stop()
        try:
            query = conversation_query.parse(message.text)
        except QueryError as error:
            self.words.words.point_at(error.start, error.end)
            self.footer.tell(words_of(error), error=True)
            return
        self.footer.clear()
        self.words.close()
        await self._read(query, self.found.by)

    def _first_with(self, order: Sequence[int], text: str) -> int | None:
        return next((row for row in order if text in self.list.row_text(row).lower()), None)

    def action_find(self) -> None:
        if self._row():
            self.find.ask()

    def action_next_hit(self, by: int) -> None:
        if self._row():
            self.find.next_hit(by)

    @on(FindLine.Found)
    def _found(self, message: FindLine.Found) -> None:
        if message.row is None:
            self.footer.tell(f"no row has {self.find.needle}", remark=True)

    @on(TypedLine.Changed)
    def _show_keys(self) -> None:
        found, row = self.found, self.list.current
        if self._typed_line:
            self.footer.hints, self.footer.always = (
                TYPING if self.find.is_open else typing_hints("read these runs")
            )
            return
        hints = list[Hint]()
        if row:
            hints.append(Hint("enter", "open", "open_example"))
            hints.append(Hint("l", "runs", "list_runs"))
            if row.recovered_example and row.failed_example:
                hints.append(Hint("=", "compare", "compare"))
            hints.append(Hint("b", "group", "group(1)"))
        if found.reading.not_kept and not found.is_running:
            hints.append(Hint("i", "read others", "read_missing"))
        hints.append(Hint("&", "words", "words"))
        if row:
            hints.append(Hint("/", "find", "find"))
            if self.find.needle:
                hints.append(Hint("n N", "next hit", "next_hit(1)"))
            hints += [Hint("s", "sort", "sort"), Hint("y", "copy", "copy")]
        hints.append(Hint("r", "read again", "again"))
        self.footer.hints = tuple(hints)
        self.footer.always = (HELP, Hint("esc", "back", "back"))

    def on_resize(self) -> None:
        self.head.refresh()
