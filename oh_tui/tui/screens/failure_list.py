"""The rows of what failed in many runs, and the detail of one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import itemgetter

from oh_tui.batch.failure_rows import SORTS, FailureRow
from oh_tui.batch.over_time import PERIODS, counted_part
from oh_tui.batch.run_stats import NO_NAME
from oh_tui.catalog.range_before import TimeRange
from oh_tui.tables.column import FILL, Column
from oh_tui.text.human import age, day_time, plural
from oh_tui.trajectory.presentation.block import Block, Fields, Table
from oh_tui.trajectory.presentation.block import Failure as FailureText
from oh_tui.tui.state.across_runs.board import NAMES
from oh_tui.tui.widgets.table_list import Columns, TableList


def line_of(row: FailureRow) -> str:
    """What failed, on one line."""
    return row.failure.words


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
                "what failed", lambda row, _: line_of(row),
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
        return "\n".join((line_of(found), found.failure.tool, *(what for what, _ in found.helped)))


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
    yield "ended well", f"{row.ended_well:,} of {plural(row.runs, 'run')}, {row.well}%"
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
