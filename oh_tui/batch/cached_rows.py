"""What the index tells of runs whose entry is up to date: statistics rows and failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from oh_tui.api.models import Conversation
from oh_tui.batch.each_run import Ahead, Result
from oh_tui.batch.failure_rows import (
    COLUMNS,
    FailureRow,
    Failures,
    RunFailures,
    ended_well,
    run_failure,
)
from oh_tui.batch.rules.kept_answers import kept_states
from oh_tui.batch.rules.rule import Rule
from oh_tui.batch.run_stats import Summand, names_of
from oh_tui.batch.up_to_date import Held
from oh_tui.library.library import Library
from oh_tui.sources.source import Source
from oh_tui.trajectory.analysis.alike.failed_steps import Failure
from oh_tui.trajectory.analysis.rules.question import State


class KnownRows:
    """Takes the rows from the library, for `known` of `ManyRuns`."""

    def __init__(self, cache_folder: Path | None, source: Source) -> None:
        self._folder, self._source = cache_folder, source

    def __call__(
        self, meant: list[Conversation], listed: list[Conversation] | None
    ) -> Ahead[Summand]:
        with Library(self._folder) as library:
            held = Held(library, self._source)
            known, vanished = held.as_now(meant, Summand._fields), held.vanished(listed)
        found = [(row, known.get(held.place(row))) for row in meant]
        results = [Result(row, Summand._make(values)) for row, values in found if values]
        return Ahead(results, [row for row, values in found if not values], vanished)


class KnownRules:
    """Takes what rules find from the library, where a filter left it there, for `known` of
    `ManyRuns`."""

    def __init__(self, cache_folder: Path | None, source: Source, rules: Sequence[Rule]) -> None:
        self._folder, self._source, self._rules = cache_folder, source, rules

    def __call__(
        self, meant: list[Conversation], listed: list[Conversation] | None
    ) -> Ahead[Mapping[str, State]]:
        with Library(self._folder) as library:
            held = Held(library, self._source)
            kept = held.as_now(meant, ["rules"])
            vanished = held.vanished(listed)
        results, left = list[Result[Mapping[str, State]]](), list[Conversation]()
        for row in meant:
            (text,) = kept.get(held.place(row), ("",))
            states = kept_states(self._rules, text)
            if states is None:
                left.append(row)
            else:
                results.append(Result(row, states))
        return Ahead(results, left, vanished)


class KnownFailures:
    """Takes the failures from the library, for `known` of `ManyRuns`."""

    def __init__(self, cache_folder: Path | None, source: Source, by: Sequence[str] = ()) -> None:
        self._folder, self._source, self._by = cache_folder, source, by

    def __call__(
        self, meant: list[Conversation], listed: list[Conversation] | None
    ) -> Ahead[RunFailures]:
        with Library(self._folder) as library:
            held = Held(library, self._source)
            known = held.failures_as_now(meant, Summand._fields, COLUMNS)
            vanished = held.vanished(listed)
        results, left = list[Result[RunFailures]](), list[Conversation]()
        for row in meant:
            if found := known.get(held.place(row)):
                values, failures = found
                of_run = Summand._make(values)
                told = RunFailures(
                    bool(failures) and ended_well(of_run.label, of_run.verdict),
                    list(map(run_failure, failures)),
                    names_of(of_run, self._by),
                )
                results.append(Result(row, told))
            else:
                left.append(row)
        return Ahead(results, left, vanished)


def failure_in_index(cache_folder: Path | None, failure: Failure) -> tuple[FailureRow, int] | None:
    """A failure in all runs of the index, and how many these are. None where none has it."""
    with Library(cache_folder) as library:
        runs, found = library.with_failure(failure.id, ("place", "label", "verdict"), COLUMNS)
    sums = Failures()
    for place, label, verdict, *values in found:
        sums.add(place, RunFailures(ended_well(label, verdict), [run_failure(values)]))
    row = sums.row(failure)
    return (row, runs) if row else None
