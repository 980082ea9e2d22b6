"""The failures of many runs: a row for each that is the same in several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from oh_tui.sources.across_runs.worker import RunFacts
from oh_tui.trajectory.analysis.alike.failed_steps import Failure, RunFailure, failures_of
from oh_tui.trajectory.analysis.study import Study
from oh_tui.trajectory.model.trajectory import Trajectory

MOST_HELPED = 3
"""What helped most often, of each failure."""


class RunFailures(NamedTuple):
    """What failed in one run."""

    ended_well: bool
    """As an evaluation says; without its label: it finished."""
    failures: Sequence[RunFailure]


class FailuresJob(NamedTuple):
    """The job that finds the failures of a run."""

    def __call__(self, run: Trajectory, about: RunFacts) -> RunFailures:
        found = failures_of(run)
        return RunFailures(bool(found) and _ended_well(run), found)


def _ended_well(run: Trajectory) -> bool:
    label = run.recorded.label
    return label == "resolved" if label else Study(run).verdict.word == "finished"


class Example(NamedTuple):
    run: str
    step: int


class FailureRow(NamedTuple):
    """A failure over many runs."""

    failure: Failure
    runs: int
    steps: int
    first: float | None
    """When its first step began, in seconds since 1970."""
    last: float | None
    ended_well: int
    """Runs that ended well anyway."""
    recovered: int
    """Runs in which the call that failed so last was made again and worked."""
    helped: Sequence[tuple[str, int]]
    """What was done right before that, and in how many runs; the most common."""
    example: Example
    """Of the run in which it was last seen; so are the other two."""
    recovered_example: Example | None
    """Of the runs that recovered; None where none did."""
    failed_example: Example | None
    """Of those that did not."""


class Failures:
    """Adds up the failures of runs. Its size grows with the failures, not with the runs."""

    def __init__(self) -> None:
        self._sums: dict[Failure, _Sum] = {}
        self.failed_steps = 0

    def add(self, run: str, found: RunFailures) -> None:
        for one in found.failures:
            self.failed_steps += one.steps
            self._sums.setdefault(one.failure, _Sum()).add(run, one, found.ended_well)

    def rows(self, least: int = 1) -> list[FailureRow]:
        """Those in at least so many runs, that in the most runs first."""
        sums = list(self._sums.items())  # of now: a thread may ask while runs are added
        rows = [each.row(failure) for failure, each in sums if each.runs >= least]
        return sorted(rows, key=lambda row: (-row.runs, -row.steps, row.failure))


class _Sum:
    def __init__(self) -> None:
        self.runs = self._steps = self._ended_well = self._recovered = 0
        self._first: float | None = None
        self._last: float | None = None
        self._helped = Counter[str]()
        self._latest: dict[bool, tuple[float, Example]] = {}
        """Whether a run recovered -> when it was last seen in such a run, and where."""

    def add(self, run: str, one: RunFailure, ended_well: bool) -> None:
        self.runs += 1
        self._steps += one.steps
        self._ended_well += ended_well
        self._recovered += one.recovered
        if one.recovered:
            self._helped[one.helped] += 1
        self._first = _known(min, self._first, one.first)
        self._last = _known(max, self._last, one.last)
        # that of the last run, so that the order in which runs are read does not matter
        at = (one.last or 0.0, Example(run, one.example))
        self._latest[one.recovered] = max(self._latest.get(one.recovered, at), at)

    def row(self, failure: Failure) -> FailureRow:
        recovered, failed = self._latest.get(True), self._latest.get(False)
        helped = sorted(self._helped.items(), key=lambda each: (-each[1], each[0]))
        return FailureRow(
            failure,
            self.runs,
            self._steps,
            self._first,
            self._last,
            self._ended_well,
            self._recovered,
            helped[:MOST_HELPED],
            max(self._latest.values())[1],
            recovered[1] if recovered else None,
            failed[1] if failed else None,
        )


def _known(
    choose: Callable[[float, float], float], one: float | None, other: float | None
) -> float | None:
    return other if one is None else one if other is None else choose(one, other)
