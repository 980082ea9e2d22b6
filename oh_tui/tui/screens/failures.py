"""What failed in many runs: a row for each failure, and below it what is known of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType

from oh_tui.batch.failure_rows import EXAMPLES, SORTS, FailureRow
from oh_tui.batch.over_time import PERIODS, counted_part
from oh_tui.batch.run_stats import GROUPINGS, NO_NAME
from oh_tui.catalog import conversation_query
from oh_tui.catalog.conversation_query import ConversationQuery
from oh_tui.catalog.range_before import TimeRange
from oh_tui.tables.column import FILL, Column
from oh_tui.text.human import age, day_time, plural
from oh_tui.text.problem import Problem
from oh_tui.trajectory.findings.failure_signatures.failed_steps import failed_steps
from oh_tui.trajectory.presentation.block import Block, Fields, Table
from oh_tui.trajectory.presentation.block import Failure as FailureText
from oh_tui.tui.screens.pass_screen import REST, PassActions, PassScreen
from oh_tui.tui.screens.view import FindLine, KeyLabels, TypedLine, pair
from oh_tui.tui.state.across_runs.board import NAMES
from oh_tui.tui.state.across_runs.failures import FailuresFound
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.conversation_list import title_of
from oh_tui.tui.widgets.drawing import Rule
from oh_tui.tui.widgets.prompt import Complete
from oh_tui.tui.widgets.row_list import RowList
from oh_tui.tui.widgets.table_list import Columns, TableList, name_after

AT_ONCE = 500
"""Rows that `/` searches before other keys get their turn."""


def _number(
    head: str, cells: int, text: Callable[[FailureRow], str], hue: str = "", goes: int = 0
) -> Column[FailureRow, object]:
    name = head.split()[-1]
    return Column(
        head, lambda row, _: text(row), hue=hue, name=name, order=SORTS[name],
        right=True, width=cells, goes=goes,
    )  # fmt: skip


class FailureList(TableList[FailureRow]):
    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(id="failures")
        self._clock = clock

    def columns(self) -> Columns[FailureRow]:
        return (
            Column(
                "what failed", lambda row, _: row.failure.words,
                name="what", width=FILL, share=2, least=30,
            ),
            Column(
                "tool", lambda row, _: row.failure.tool,
                hue="dim", width=16, share=1, least=16, goes=4,
            ),
            _number("runs", 6, lambda row: f"{row.runs:,}"),
            _number("steps", 7, lambda row: f"{row.steps:,}", goes=3),
            _number("first", 6, lambda row: self._ago(row.first), "dim", goes=2),
            _number("last", 5, lambda row: self._ago(row.last), "dim"),
            _number("ended well", 10, lambda row: f"{row.well}%"),
            _number("recovered", 10, lambda row: f"{row.recovered:,}" if row.recovered else ""),
            Column(
                "what helped", lambda row, _: row.most_helped,
                hue="dim", width=FILL, share=1, least=24, goes=1,
            ),
        )  # fmt: skip

    def _ago(self, when: float | None) -> str:
        return "" if when is None else age(when, self._clock())

    def row_text(self, row: int) -> str:
        found = self.rows[row]
        helped = (what for what, _ in found.helped)
        return "\n".join((found.failure.words, found.failure.tool, *helped))


def detail(row: FailureRow, runs: int, examples: Sequence[str], now: float) -> list[Block]:
    """All that is known of a failure in so many runs; `examples` are lines."""
    return [FailureText(row.failure.words), Fields(tuple(_fields(row, runs, examples, now)))]


def _fields(
    row: FailureRow, runs: int, examples: Sequence[str], now: float
) -> Iterator[tuple[str, str]]:
    yield "tool", row.failure.tool
    yield "seen", f"in {row.runs:,} of {plural(runs, 'run')}, {plural(row.steps, 'step')}"
    times = [day_time(when, now) for when in (row.first, row.last) if when is not None]
    if times:
        yield "when", " to ".join(dict.fromkeys(times))
    yield "ended well", f"{row.ended_well:,} of {plural(row.runs, 'run')}, {row.well}%"
    later = "worked later" if row.recovered else "was not made again, or did not work"
    yield "recovered", f"{row.recovered:,} of {plural(row.runs, 'run')}: the same call {later}"
    for place, (what, count) in enumerate(row.helped):
        yield "" if place else "what helped", f"{what} ({plural(count, 'run')})"
    for place, example in enumerate(examples):
        yield "" if place else "examples", example


def all_or_none(row: FailureRow) -> str:
    """That all of its runs recovered, or none."""
    if row.runs == 1:
        did = "worked" if row.recovered else "did not work"
        return f"the same call {did} later in its only run"
    runs = "all" if row.recovered else "none"
    return f"the same call worked later in {runs} of {row.runs:,} runs"


def by_group(
    row: FailureRow, by: str, runs: Mapping[tuple[str, ...], int], asked: TimeRange
) -> Block:
    """The same counts for each group; `runs` are all runs of each. Days and weeks are in their
    order, and say what of them the range leaves that was asked for."""
    groups = sorted(row.groups, key=itemgetter(0)) if by in PERIODS else row.groups
    head = (NAMES[by], "runs", "steps", "ended well", "recovered")
    rows = tuple(
        (
            " ".join((name or NO_NAME.get(by, "not known"), counted_part(by, name, asked))).strip(),
            f"{count.runs:,} of {runs[name,]:,}",
            f"{count.steps:,}",
            f"{count.ended_well:,}",
            f"{count.recovered:,}",
        )
        for (name,), count in groups
    )
    return Table(head, rows)


class FailuresScreen(PassScreen[FailuresFound]):
    HELP_TITLE = "In what failed"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open_example", "open", tooltip="open the example"),
        Binding("l", "list_runs", "runs", tooltip="list the runs of the row"),
        Binding("=", "compare", "compare", tooltip="compare one that recovered with one not"),
        Binding("b", "group", "group", tooltip="by model, repository …"),
        Binding("i", "read_missing", "read others", tooltip="read the others"),
        Binding("&", "words", "filter", tooltip="only runs that match"),
        Binding("/", "find", "find", tooltip="find in the rows"),
        *pair("n", "N", "next_hit", "next hit", "next and previous hit"),
        Binding("s", "sort", "sort"),
        Binding("y", "copy", "copy", tooltip="copy what failed"),
        Binding("r", "again", "read again"),
        *pair("J", "K", "scroll_half", "detail down and up", show=False),
        Binding("f,q", "dismiss", "close", show=False),
    ]
    BELOW = 17
    """Room for a failure with three helps and three examples."""
    tab = "failures"
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
        self.below, self.bodies = (self.detail_rule, self.detail), (self.detail,)
        self.find = FindLine(self.list, self._first_with, "no row has {}", at_once=AT_ONCE)
        self.words = TypedLine("&", self._take_words, "read these runs")
        self.lines = (self.find, self.words)

    async def on_mount(self) -> None:
        self.words.words.complete_with(self._complete)

    def draw(self, rows: tuple[FailureRow, ...]) -> None:
        self._follow_cursor()
        places = (place for place, row in enumerate(rows) if row.failure == self.found.chosen)
        self._place = next(places, 0)
        self.list.show(rows, self._place)
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
        examples = [
            ": ".join(filter(None, (f"step {number:,} of {title_of(found.runs[run])}", line)))
            for run, number, line in found.examples(row)
        ]
        self.detail_rule.title = (("What is known of it", "title"),)
        self.detail_rule.facts = ((f"failure:{row.failure.id}", "dim"),)
        blocks = detail(row, found.reading.read, examples, self._clock())
        if found.by:
            blocks.append(by_group(row, found.by, found.sums.runs, found.asked))
        self.detail.show(blocks)
        if not found.is_running and any(
            (one.run, row.failure) not in found.told for one in row.examples
        ):
            self._read_examples(found, row)

    @work(group="examples", exclusive=True)
    async def _read_examples(self, found: FailuresFound, row: FailureRow) -> None:
        """Read the runs of its examples again: the sums keep no text of them."""
        await asyncio.sleep(REST)
        for one in row.examples:
            if (one.run, row.failure) in found.told:
                continue
            told: Sequence[tuple[int, str]] = ()
            with contextlib.suppress(Problem):
                if run := await found.reading.run_of(found.runs[one.run]):
                    told = await asyncio.to_thread(failed_steps, run, row.failure, EXAMPLES)
            found.told[one.run, row.failure] = told
        if found is self.found:
            self._show_detail()

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
        """Keeps the cursor on a row that the user chose: its message may come after other rows."""
        if self.list.current and self.list.cursor != self._place:
            self._place, self.found.chosen = self.list.cursor, self.list.current.failure

    def action_copy(self) -> None:
        if row := self._row():
            self.app.copy_to_clipboard(row.failure.words)
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
