"""What the index tells of runs whose entry is up to date: statistics rows, failures, rules, and
that a run has nothing of what is looked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from oh_tui.batch import searching
from oh_tui.batch.failure_rows import (
    COLUMNS,
    FailureRow,
    Failures,
    RunFailures,
    ended_well,
    run_failure,
)
from oh_tui.batch.index_snapshot import WITH_FAILURES, IndexSnapshot
from oh_tui.batch.rules.cached_answers import read_states
from oh_tui.batch.rules.rule import Rule
from oh_tui.batch.run_batch import Ahead, Result
from oh_tui.batch.run_stats import Summand, names_of
from oh_tui.conversation import Conversation
from oh_tui.library.library import Library, columns_of
from oh_tui.sources.source import Source
from oh_tui.trajectory.findings.failure_signatures.failed_steps import Failure
from oh_tui.trajectory.rules.question import State
from oh_tui.trajectory.search import scan, step_filter

T = TypeVar("T")

_OF_RUN = columns_of("runs", Summand._fields)


class Known(Generic[T]):
    """Takes results from the index, for `known` of `RunBatch`."""

    def __init__(
        self,
        cache_folder: Path | None,
        source: Source,
        find: Callable[[IndexSnapshot, Sequence[Conversation]], Mapping[str, T | None]],
    ) -> None:
        """`find` gives what the index has, by place; None for a run to be read all the same."""
        self._folder, self._source, self._find = cache_folder, source, find

    def __call__(self, meant: list[Conversation], listed: list[Conversation] | None) -> Ahead[T]:
        with IndexSnapshot(self._folder, self._source) as index:
            found, vanished = self._find(index, meant), index.vanished(listed)
            places = [(row, index.place(row)) for row in meant]
        values = [(row, place, found.get(place)) for row, place in places]
        results = [Result(row, value) for row, _, value in values if value is not None]
        remaining = [row for row, _, value in values if value is None]
        indexed = {row.id for row, place, value in values if value is None and place in found}
        return Ahead(results, remaining, vanished, indexed)


def known_columns(cache_folder: Path | None, source: Source, kind: Any) -> Known[Any]:
    """For each run its columns that a kind of NamedTuple has as fields."""
    columns = columns_of("runs", kind._fields)

    def find(index: IndexSnapshot, rows: Sequence[Conversation]) -> dict[str, Any]:
        found = index.as_now(rows, columns)
        return {place: kind._make(values) for place, [values] in found.items()}

    return Known(cache_folder, source, find)


def known_rows(cache_folder: Path | None, source: Source) -> Known[Summand]:
    return known_columns(cache_folder, source, Summand)


def known_rules(
    cache_folder: Path | None, source: Source, rules: Sequence[Rule]
) -> Known[Mapping[str, State]]:
    """What rules find, where a filter left it in the index."""

    def find(
        index: IndexSnapshot, rows: Sequence[Conversation]
    ) -> dict[str, Mapping[str, State] | None]:
        states = {
            place: read_states(rules, text)
            for place, [[text]] in index.as_now(rows, ["rules"]).items()
        }
        return {place: one for place, one in states.items() if one is not None}

    return Known(cache_folder, source, find)


def known_failures(
    cache_folder: Path | None, source: Source, by: Sequence[str] = ()
) -> Known[RunFailures]:
    columns = [*_OF_RUN, "failures.run_id", *columns_of("failures", COLUMNS)]

    def find(index: IndexSnapshot, rows: Sequence[Conversation]) -> dict[str, RunFailures | None]:
        found = index.as_now(rows, columns, WITH_FAILURES)
        return {place: failures_of(joined) for place, joined in found.items()}

    def failures_of(joined: list[Sequence[Any]]) -> RunFailures:
        of_run = Summand._make(joined[0][: len(_OF_RUN)])
        each = [values[len(_OF_RUN) :] for values in joined]
        failures = [run_failure(values) for is_one, *values in each if is_one is not None]
        well = bool(failures) and ended_well(of_run.label, of_run.verdict)
        return RunFailures(well, failures, names_of(of_run, by))

    return Known(cache_folder, source, find)


def known_misses(
    cache_folder: Path | None, source: Source, query: step_filter.Query
) -> Known[searching.Found]:
    """Finds nothing in runs that lack a text or a failure. Rules out no run that has sub-agents:
    the library does not hold their steps."""

    def find(
        index: IndexSnapshot, rows: Sequence[Conversation]
    ) -> dict[str, searching.Found | None]:
        texts = [
            text
            for one in query.texts
            for text in ([one.text] if isinstance(one, scan.Needle) else one.folded)
        ]
        candidates = [*map(index.candidates, texts), *map(index.failing, query.failures)]
        having = [places for places in candidates if places is not None]
        return {
            place: None
            if sub_agents or all(place in one for one in having)
            else searching.Found([])
            for place, [[sub_agents]] in index.as_now(rows, ["sub_agents"]).items()
        }

    return Known(cache_folder, source, find)


def most_are_indexed(
    cache_folder: Path | None, source: Source, rows: Sequence[Conversation]
) -> bool:
    """Whether the index has half of these runs or more, as they are now."""
    with IndexSnapshot(cache_folder, source) as index:
        known = index.as_now(rows, ["sub_agents"])
    return len(known) * 2 >= max(1, len(rows))


def failure_in_index(cache_folder: Path | None, failure: Failure) -> tuple[FailureRow, int] | None:
    """A failure in all runs of the index, and how many these are. None where none has it."""
    with Library(cache_folder) as library:
        runs, found = library.with_failure(failure.id, ("place", "label", "verdict"), COLUMNS)
    sums = Failures()
    for place, label, verdict, *values in found:
        sums.add(place, RunFailures(ended_well(label, verdict), [run_failure(values)]))
    row = sums.row(failure)
    return (row, runs) if row else None
