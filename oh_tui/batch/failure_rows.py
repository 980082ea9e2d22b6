"""The failures of many runs: a row for each that is the same in several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from oh_tui.batch.run_stats import names_of, summand
from oh_tui.batch.stats_rows import about_with_file
from oh_tui.batch.worker import RunFacts
from oh_tui.text.human import percentages
from oh_tui.trajectory import table_rows
from oh_tui.trajectory.findings.failure_signatures.failed_steps import Failure, RunFailure
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.trajectory import Trajectory

COLUMNS = ("tool", "kind", "line", "steps", "first", "last", "step", "recovered", "helped")
"""Those of `RunFailureRow` that the sums need."""


class RunFailures(NamedTuple):
    ended_well: bool
    failures: Sequence[RunFailure]
    names: tuple[str, ...] = ()
    """What the run is, by the groupings that are asked for."""


class FailuresJob(NamedTuple):
    source: str = ""
    by: Sequence[str] = ()
    """Names of GROUPINGS."""

    def __call__(self, run: Trajectory, about: RunFacts) -> RunFailures:
        each = map(attrgetter(*COLUMNS), table_rows.failure_rows(run))
        found = [run_failure(values) for values in each]
        names: tuple[str, ...] = ()
        if self.by:
            row = table_rows.run_row(run, about_with_file(about, self.source))
            names = names_of(summand(row), self.by)
        label = str(run.recorded.label or "")
        return RunFailures(bool(found) and ended_well(label, Study(run).verdict.word), found, names)


def run_failure(values: Sequence[Any]) -> RunFailure:
    tool, kind, line, steps, first, last, step, recovered, helped = values
    return RunFailure(Failure(tool, kind, line), steps, first, last, step, bool(recovered), helped)


def ended_well(label: str, verdict: str) -> bool:
    """As an evaluation says; without its label: it finished."""
    return label == "resolved" if label else verdict == "finished"


class Example(NamedTuple):
    run: str
    step: int
    name: str = ""
    """What commands call the run."""


class Count(msgspec.Struct):
    runs: int = 0
    steps: int = 0
    ended_well: int = 0
    recovered: int = 0
    """Runs in which the call that failed so last was made again and worked."""

    def add(self, one: RunFailure, *, ended_well: bool) -> None:
        self.runs += 1
        self.steps += one.steps
        self.ended_well += ended_well
        self.recovered += one.recovered


class FailureRow(NamedTuple):
    failure: Failure
    runs: int
    steps: int
    first: float | None
    """When its first step began, in seconds since 1970."""
    last: float | None
    ended_well: int
    recovered: int
    helped: Sequence[tuple[str, int]]
    """What was done right before that, and in how many runs; the most common."""
    examples: Sequence[Example]
    """Of the runs in which it was seen last, at most EXAMPLES; so are the other two."""
    recovered_example: Example | None
    """Of the runs that recovered; None where none did."""
    failed_example: Example | None
    """Of those that did not."""
    groups: Sequence[tuple[tuple[str, ...], Count]]
    """The same counts of each group, that with the most runs first."""

    @property
    def example(self) -> Example:
        return self.examples[0]

    @property
    def most_helped(self) -> str:
        """What helped most of the runs that recovered, with their number if it was not all."""
        if not self.helped:
            return ""
        what, runs = self.helped[0]
        return f"{what} ({runs:,})" if runs < self.recovered else what

    @property
    def well(self) -> int:
        return percentages((self.ended_well, self.runs - self.ended_well))[0]


EXAMPLES = 3

SORTS: dict[str, Callable[[FailureRow], float | None]] = {
    "runs": lambda row: row.runs,
    "steps": lambda row: row.steps,
    "first": lambda row: row.first,
    "last": lambda row: row.last,
    "well": lambda row: row.ended_well / row.runs,
    "recovered": lambda row: row.recovered,
}
"""What rows are sorted by. The highest value comes first, unknown values last; equal rows by their
runs and steps."""


class Failures:
    """Adds up the failures of runs. Its size grows with the failures, not with the runs."""

    def __init__(self) -> None:
        self._sums: dict[Failure, _Sum] = {}
        self.failed_steps = 0
        self.runs = Counter[tuple[str, ...]]()
        """All runs of each group, with and without a failure."""

    def add(self, run: str, found: RunFailures, name: str = "") -> None:
        """`name` is what commands call the run."""
        self.runs[found.names] += 1
        for one in found.failures:
            self.failed_steps += one.steps
            example = Example(run, one.example, name)
            self._sums.setdefault(one.failure, _Sum()).add(example, one, found)

    def row(self, failure: Failure) -> FailureRow | None:
        found = self._sums.get(failure)
        return found.row(failure) if found else None

    def rows(self, least: int = 1, sort: str = "runs") -> list[FailureRow]:
        """Those in at least so many runs. `sort` is a key of SORTS."""
        sums = list(self._sums.items())  # of now: a thread may ask while runs are added
        found = [row for failure, each in sums if (row := each.row(failure)).runs >= least]
        found.sort(key=lambda row: (-row.runs, -row.steps, row.failure))

        def order(row: FailureRow) -> tuple[bool, float]:
            value = SORTS[sort](row)
            return value is None, -(value or 0.0)

        return sorted(found, key=order)


class _Sum:
    def __init__(self) -> None:
        self._count, self._groups = Count(), dict[tuple[str, ...], Count]()
        self._first: float | None = None
        self._last: float | None = None
        self._helped = Counter[str]()
        self._examples: dict[bool, list[tuple[float, Example]]] = {True: [], False: []}
        """By whether the run recovered, with the time, the last first."""

    def add(self, example: Example, one: RunFailure, found: RunFailures) -> None:
        for count in (self._count, self._groups.setdefault(found.names, Count())):
            count.add(one, ended_well=found.ended_well)
        if one.recovered:
            self._helped[one.helped] += 1
        self._first = _known(min, self._first, one.first)
        self._last = _known(max, self._last, one.last)
        # those of the last runs, so that the order in which runs are read does not matter
        known = self._examples[one.recovered]
        known.append((one.last or 0.0, example))
        known.sort(reverse=True)
        del known[EXAMPLES:]

    def row(self, failure: Failure) -> FailureRow:
        helped = sorted(self._helped.items(), key=lambda each: (-each[1], each[0]))
        return FailureRow(
            failure,
            self._count.runs,
            self._count.steps,
            self._first,
            self._last,
            self._count.ended_well,
            self._count.recovered,
            helped[:3],
            [one for _, one in sorted(chain(*self._examples.values()), reverse=True)[:EXAMPLES]],
            self._example(recovered=True),
            self._example(recovered=False),
            sorted(self._groups.items(), key=lambda each: (-each[1].runs, each[0])),
        )

    def _example(self, *, recovered: bool) -> Example | None:
        found = self._examples[recovered]
        return found[0][1] if found else None


def _known(
    choose: Callable[[float, float], float], one: float | None, other: float | None
) -> float | None:
    return other if one is None else one if other is None else choose(one, other)
