"""Sums over many runs, and over those of the range of time before."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from oh_tui.batch.cached_rows import known_rows
from oh_tui.batch.over_time import PERIODS, Table, table_of
from oh_tui.batch.reports.over_runs import OK, PARTIAL, left_out, results_of, runs_of, say_rest
from oh_tui.batch.reports.reader import Reader
from oh_tui.batch.run_batch import RunBatch
from oh_tui.batch.run_stats import GROUP_COLUMNS, Group, Summand, listed_as, summed
from oh_tui.batch.stats_rows import RowJob
from oh_tui.batch.worker import Unread
from oh_tui.catalog import conversation_query
from oh_tui.catalog.conversation_query import ConversationQuery
from oh_tui.catalog.range_before import Ranges, ranges
from oh_tui.catalog.run_status import conversation_state
from oh_tui.catalog.status_cache import LastKnown
from oh_tui.tables.column import Column, json_of
from oh_tui.text.clean import clean_line
from oh_tui.text.human import stamp
from oh_tui.text.remarks import say

OF_PERIODS: tuple[Column[Group, object], ...] = (
    Column(json="finished"), Column(json="failed"), Column(json="failed_steps"),
)  # fmt: skip
"""What is drawn of days and weeks, which these have too."""


class Before(NamedTuple):
    ranges: Ranges
    total: Group
    left_out: Mapping[str, int]


class Sums(NamedTuple):
    source: str
    by: Sequence[str]
    table: Table
    total: Group
    left_out: Mapping[str, int]
    before: Before | None
    code: int

    @property
    def columns(self) -> Sequence[Column[Group, object]]:
        def names(group: Group) -> dict[str, object]:
            return dict(zip(self.by, group.names, strict=True))

        named: Column[Group, object] = Column(json="names", get=names, flat=names)
        return (named, *GROUP_COLUMNS, *(OF_PERIODS if set(self.by) & PERIODS.keys() else ()))

    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            "source": self.source,
            "by": self.by,
            "groups": [json_of(self.columns, group) for group in self.table.groups],
            "total": json_of(GROUP_COLUMNS, self.total),
            "left_out": self.left_out,
        }
        if self.before:
            began, met, *_ = self.before.ranges
            total = self.before.total
            document["before"] = {
                "from": stamp(began),
                "to": stamp(met),
                "sums": json_of(GROUP_COLUMNS, total) if total.runs else None,
                "left_out": self.before.left_out,
            }
        return document


async def sums_of(
    reader: Reader,
    words: str,
    by: Sequence[str],
    sort: str = "",
    *,
    live: bool = False,
    compare_before: bool = False,
) -> Sums:
    """Sums the runs that match the words, and says what was left out. Raises Problem."""
    query, both = conversation_query.parse(words), None
    if compare_before:
        both = ranges(query, time.time())
        query = both.query
    rows, reading = await _read(reader, query, live=live)
    code = say_rest(reader, reading)
    before = None
    if both:
        earlier, rest = await _read(reader, both.before, live=live)
        code = max(code, PARTIAL if rest.unread else OK)
        if rest.left_out:
            say(f"of the range before: {', '.join(map(clean_line, rest.left_out))}")
        before = Before(both, summed((), earlier), left_out(rest))
    return Sums(
        clean_line(reader.source.label),
        by,
        table_of(rows, by, sort),
        summed((), rows),
        left_out(reading),
        before,
        code,
    )


async def _read(
    reader: Reader, query: ConversationQuery, *, live: bool
) -> tuple[list[Summand], RunBatch[Summand]]:
    known = known_rows(reader.settings.library_folder, reader.source)
    reading = runs_of(reader, RowJob(reader.source.label), query, known=known, live=live)
    rows = list[Summand]()
    async for run, row in results_of(reading):
        if not isinstance(row, Unread):
            rows.append(listed_as(row, conversation_state(run, LastKnown()).status.value))
    return rows, reading
