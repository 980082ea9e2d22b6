"""What fails again and again in many runs, whether it matters, and what helped."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from oh_tui.batch.cached_rows import known_failures
from oh_tui.batch.failure_rows import Count, Example, FailureRow, Failures, FailuresJob
from oh_tui.batch.reports.over_runs import left_out, results_of, runs_of, say_rest
from oh_tui.batch.reports.reader import Reader
from oh_tui.batch.run_stats import NO_NAME
from oh_tui.batch.worker import Unread
from oh_tui.catalog.file_names import run_name
from oh_tui.catalog.names import conversation_id, shortened
from oh_tui.tables.column import Cell, Column, Printer, flat_of, json_of, not_flat
from oh_tui.text.human import stamp
from oh_tui.trajectory.findings.failure_signatures.failed_steps import Failure

if TYPE_CHECKING:
    from oh_tui.documents.shapes import many


class FailuresFound(NamedTuple):
    rows: Sequence[FailureRow]
    by: Sequence[str]
    runs_of_groups: Mapping[tuple[str, ...], int]
    failed_steps: int
    runs: int
    left_out: Mapping[str, int]
    code: int

    def columns(self, *, shows_groups: bool = False) -> Sequence[Column[FailureRow, Printer]]:
        """`shows_groups`: people see the groups in a column too."""

        def groups_of(row: FailureRow) -> list[dict[str, object]]:
            return [
                {"names": self._named(names), **msgspec.structs.asdict(count)}
                for names, count in (row.groups if self.by else ())
            ]

        head = f"by {', '.join(self.by)}" if shows_groups and self.by else None
        groups: Column[FailureRow, object] = Column(
            head, lambda row, _: self.groups_words(row), "groups", groups_of, not_flat
        )
        return (*_OF_FAILURE, groups, *_EXAMPLES)

    def document(self) -> dict[str, Any]:
        groups = sorted(self.runs_of_groups.items()) if self.by else ()
        return {
            "failures": [json_of(self.columns(), row) for row in self.rows],
            "failed_steps": self.failed_steps,
            "runs": self.runs,
            "by": self.by,
            "groups": [{"names": self._named(names), "runs": runs} for names, runs in groups],
            "left_out": self.left_out,
        }

    def flat_rows(self) -> Iterator[dict[str, object]]:
        """For CSV: an empty row, then one of each failure, or failure and group."""
        nothing = ("",) * len(self.by), Count()
        for row in (_NOTHING._replace(groups=[nothing]), *self.rows):
            for names, count in row.groups:
                group = {f"group_{name}": n for name, n in msgspec.structs.asdict(count).items()}
                more = self._named(names) | group if self.by else {}
                yield flat_of(self.columns(), row) | more

    def groups_words(self, row: FailureRow) -> str:
        """The runs in which it failed, of all runs of each group: `gpt-5.1 3 of 52`."""
        parts = []
        for names, count in row.groups:
            known = (one or NO_NAME.get(by, "not known") for by, one in self._named(names).items())
            of = self.runs_of_groups[names]
            parts.append(f"{' '.join(known)} {count.runs:,} of {of:,}")
        return ", ".join(parts)

    def _named(self, names: Sequence[str]) -> dict[str, str]:
        return dict(zip(self.by, names, strict=True))


async def failures_in(
    reader: Reader,
    words: str,
    by: Sequence[str] = (),
    least: int = 1,
    sort: str = "runs",
    *,
    live: bool = False,
) -> FailuresFound:
    """Reads the runs that match the words, and says what was left out. Raises Problem."""
    source, sums = reader.source, Failures()
    known = known_failures(reader.settings.library_folder, source, by)
    reading = runs_of(reader, FailuresJob(source.label, by), words, known=known, live=live)
    async for run, found in results_of(reading):
        if not isinstance(found, Unread):
            sums.add(conversation_id(run), found, run_name(run))
    code, rows = say_rest(reader, reading), sums.rows(least, sort)
    return FailuresFound(
        rows, by, sums.runs, sums.failed_steps, reading.read, left_out(reading), code
    )


def compare_command(row: FailureRow) -> str | None:
    """The command that compares a run that recovered with one that did not; None without both."""
    both = row.recovered_example, row.failed_example
    names = [one.name for one in both if one]
    return shlex.join(("oh-tui", "compare", *names)) if len(names) == len(both) else None


def _example(one: Example | None) -> many.FailureExample | None:
    return {"run": one.run, "step": one.step} if one else None


def _at(row: FailureRow, style: Printer) -> Cell:
    one = row.example
    return Cell(f"{one.step} of {one.run if style.piped else shortened(one.run)}", "dim")


def _recovered(row: FailureRow, _style: Printer) -> str:
    """How many runs recovered, and what helped most of them: `9: $ pip install -e . (7)`."""
    return f"{row.recovered:,}: {row.most_helped}" if row.helped else ""


def _next(row: FailureRow) -> Mapping[str, object]:
    """The most common."""
    return dict(zip(("next", "next_runs"), row.helped[0] if row.helped else ("", ""), strict=True))


def _moment(when: float | None) -> str | None:
    return (stamp(when) or None) if when is not None else None


LEAST_TEXT, _LEAST_NEXT, _LEAST_EXAMPLE = 30, 12, 16
"""Cells of what failed, of what helped and of an example with a short id, for which columns are
left out."""

_OF_FAILURE: tuple[Column[FailureRow, Printer], ...] = (
    Column("id", json="id", get=lambda row: row.failure.id),
    Column(
        "what failed", lambda row, _: f"{row.failure.words} ({row.failure.tool})",
        "tool", lambda row: row.failure.tool, share=3, least=LEAST_TEXT,
    ),
    Column(json="kind", get=lambda row: row.failure.kind),
    Column(json="line", get=lambda row: row.failure.line),
    Column("runs", json="runs", right=True),
    Column("steps", json="steps", right=True, goes=3),
    Column(json="first", get=lambda row: _moment(row.first)),
    Column(
        "last", lambda row, style: style.when(row.last),
        "last", lambda row: _moment(row.last), right=True, goes=1,
    ),
    Column(
        "ended well", lambda row, _: f"{row.well} %", "ended_well", right=True, goes=2,
    ),
    Column("recovered by", _recovered, "recovered", share=2, least=_LEAST_NEXT, goes=4),
    Column(
        json="next", get=lambda row: [{"what": what, "runs": runs} for what, runs in row.helped],
        flat=_next,
    ),
)  # fmt: skip

_EXAMPLES: tuple[Column[FailureRow, Printer], ...] = (
    Column(
        "example", _at, "example", lambda row: _example(row.example),
        share=1, least=_LEAST_EXAMPLE,
    ),
    Column(
        json="recovered_example", get=lambda row: _example(row.recovered_example), flat=not_flat
    ),
    Column(json="failed_example", get=lambda row: _example(row.failed_example), flat=not_flat),
    Column(json="compare", get=compare_command, flat=not_flat),
)  # fmt: skip

_NOTHING = FailureRow(
    Failure("", "", ""), 0, 0, None, None, 0, 0, (), [Example("", 0)], None, None, ()
)
"""Has the names of all columns."""
