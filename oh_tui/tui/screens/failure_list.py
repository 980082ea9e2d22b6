"""The rows of what failed in many runs, and the detail of one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from oh_tui.sources.across_runs.over_time import PERIODS, counted_part
from oh_tui.sources.across_runs.run_stats import NOT_TOLD
from oh_tui.text.human import age, day_time, percentages, plural
from oh_tui.trajectory.presentation.block import Block, Fields, Table
from oh_tui.trajectory.presentation.block import Failure as FailureText
from oh_tui.tui.state.across_runs.board import NAMES
from oh_tui.tui.widgets.drawing import Piece, fit
from oh_tui.tui.widgets.row_list import HeadCell, RowList

if TYPE_CHECKING:
    from oh_tui.sources.across_runs.failure_rows import FailureRow
    from oh_tui.sources.lists.range_before import AskedRange

LEAST_NAME, LEAST_HELPED = 30, 24
"""Cells of what failed, for which columns are left out, and of what helped."""

TOOL = 16

FIRST_TO_GO = ("first", "steps", "tool")


class Column(NamedTuple):
    title: str
    cells: int
    """Where it is shown."""
    text: Callable[[FailureRow, float], str]
    """Of a row, now."""

    @property
    def sort(self) -> str:
        """The key of SORTS."""
        return self.title.split()[-1]


def _ago(when: float | None, now: float) -> str:
    return "" if when is None else age(when, now)


def well(row: FailureRow) -> str:
    """The share of the runs that ended well anyway."""
    share, _ = percentages((row.ended_well, row.runs - row.ended_well))
    return f"{share}%"


COLUMNS = (
    Column("runs", 8, lambda row, now: f"{row.runs:,}"),
    Column("steps", 9, lambda row, now: f"{row.steps:,}"),
    Column("first", 8, lambda row, now: _ago(row.first, now)),
    Column("last", 7, lambda row, now: _ago(row.last, now)),
    Column("ended well", 12, lambda row, now: well(row)),
    Column("recovered", 12, lambda row, now: f"{row.recovered:,}" if row.recovered else ""),
)
"""Right of what failed; a click on a title sorts by it."""


class Layout(NamedTuple):
    """Cells of what failed, of the tool, of each column, and of what helped."""

    name: int
    tool: int
    columns: Sequence[int]
    helped: int


def line_of(row: FailureRow) -> str:
    """What failed, on one line."""
    return row.failure.words


class FailureList(RowList):
    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(id="failures")
        self._clock = clock
        self.failures: tuple[FailureRow, ...] = ()
        self.sort = ""

    @property
    def current(self) -> FailureRow | None:
        return self.failures[self.cursor] if self.cursor < len(self.failures) else None

    def show(self, rows: tuple[FailureRow, ...], cursor: int, sort: str) -> None:
        self.failures, self.sort = rows, sort
        self.rows_changed(cursor, keep_line=True)

    def row_count(self) -> int:
        return len(self.failures)

    def row_text(self, row: int) -> str:
        found = self.failures[row]
        return "\n".join((line_of(found), found.failure.tool, *(what for what, _ in found.helped)))

    def _layout(self, width: int) -> Layout:
        columns = [column.cells for column in COLUMNS]
        titles, tool = [column.title for column in COLUMNS], TOOL + 2

        def room() -> int:
            return width - sum(columns) - tool

        for title in FIRST_TO_GO:
            if room() >= LEAST_NAME:
                break
            if title == "tool":
                tool = 0
            else:
                columns[titles.index(title)] = 0
        name, helped = max(8, room()), 0
        if room() >= LEAST_NAME + LEAST_HELPED + 2:
            helped = min(room() // 3, room() - LEAST_NAME - 2)
            name = room() - helped - 2
        return Layout(name, tool, columns, helped)

    def sorts(self) -> list[str]:
        """What the columns that are shown can be sorted by."""
        shown = zip(COLUMNS, self._layout(self.row_width).columns, strict=True)
        return ["what", *(column.sort for column, cells in shown if cells)]

    def head(self) -> list[HeadCell]:
        if not self.failures:
            return []
        name, tool, columns, helped = self._layout(self.row_width)
        cells = [
            HeadCell(f" {self._titled('what failed', 'what', -name)}", "what", self._is("what"))
        ]
        if tool:
            cells.append(HeadCell(f"  {fit('tool', tool - 2)}"))
        for column, room in zip(COLUMNS, columns, strict=True):
            if room:
                title = self._titled(column.title, column.sort, room)
                cells.append(HeadCell(title, column.sort, self._is(column.sort)))
        return [*cells, HeadCell(f"  {fit('what helped', helped)}")] if helped else cells

    def _is(self, sort: str) -> bool:
        return sort == self.sort

    def _titled(self, title: str, sort: str, room: int) -> str:
        """At the right of the room, or at its left where that is negative."""
        sign = self.sort_sign(falling=sort != "what") if self._is(sort) else ""
        return fit(title + sign, -room) if room < 0 else f"{title + sign:>{room}}"

    def pieces(self, row: int, width: int) -> list[Piece]:
        found, now = self.failures[row], self._clock()
        name, tool, columns, helped = self._layout(width)
        more = self.glyphs.more
        pieces: list[Piece] = [(fit(line_of(found), name, more), "")]
        if tool:
            pieces.append((f"  {fit(found.failure.tool, tool - 2, more)}", "dim"))
        for column, room in zip(COLUMNS, columns, strict=True):
            if room:
                hue = "dim" if column.title in ("first", "last") else ""
                pieces.append((f"{column.text(found, now):>{room}}", hue))
        if helped:
            pieces.append((f"  {fit(most_helped(found), helped, more)}", "dim"))
        return pieces


def most_helped(row: FailureRow) -> str:
    """What helped most of the runs that recovered, with their number if it was not all."""
    if not row.helped:
        return ""
    what, runs = row.helped[0]
    return f"{what} ({runs:,})" if runs < row.recovered else what


def detail(row: FailureRow, runs: int, example: str, now: float) -> list[Block]:
    """All that is known of a failure in so many runs; `example` is the title of the run in which
    it was last seen."""
    return [FailureText(line_of(row)), Fields(tuple(_fields(row, runs, example, now)))]


def _fields(row: FailureRow, runs: int, example: str, now: float) -> Iterator[tuple[str, str]]:
    yield "tool", row.failure.tool
    yield "seen", f"in {row.runs:,} of {plural(runs, 'run')}, {plural(row.steps, 'step')}"
    times = [day_time(when, now) for when in (row.first, row.last) if when is not None]
    if times:
        yield "when", " to ".join(dict.fromkeys(times))
    yield "ended well", f"{row.ended_well:,} of {plural(row.runs, 'run')}, {well(row)}"
    later = "worked later" if row.recovered else "was not made again, or did not work"
    yield "recovered", f"{row.recovered:,} of {plural(row.runs, 'run')}: the same call {later}"
    for place, (what, count) in enumerate(row.helped):
        yield "" if place else "before it", f"{what} ({plural(count, 'run')})"
    yield "example", f"step {row.example.step:,} of {example}"


def all_or_none(row: FailureRow) -> str:
    """That all of its runs recovered, or none."""
    if row.runs == 1:
        return (
            f"the same call {'worked' if row.recovered else 'did not work'} later in its only run"
        )
    runs = "all" if row.recovered else "none"
    return f"the same call worked later in {runs} of {row.runs:,} runs"


def by_group(
    row: FailureRow, by: str, runs: Mapping[tuple[str, ...], int], asked: AskedRange
) -> Block:
    """The same counts for each group; `runs` are all runs of each. Days and weeks are in their
    order, and say what of them the range leaves that was asked for."""
    groups = sorted(row.groups, key=itemgetter(0)) if by in PERIODS else row.groups
    head = (NAMES[by], "runs", "steps", "ended well", "recovered")
    rows = tuple(
        (
            " ".join(
                (name or NOT_TOLD.get(by, "not known"), counted_part(by, name, asked))
            ).strip(),
            f"{count.runs:,} of {runs[name,]:,}",
            f"{count.steps:,}",
            f"{count.ended_well:,}",
            f"{count.recovered:,}",
        )
        for (name,), count in groups
    )
    return Table(head, rows)
