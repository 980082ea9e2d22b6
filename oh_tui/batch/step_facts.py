"""What a filter of conversations asks of the steps of runs: from the index, else from the runs."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from oh_tui.batch import rule_rows
from oh_tui.batch.index_snapshot import WITH_FAILURES, IndexSnapshot
from oh_tui.batch.rules import agreed, cached_answers, rule, rule_places
from oh_tui.batch.worker import RunFacts
from oh_tui.catalog.conversation_query import ConversationQuery
from oh_tui.catalog.filter_words import NOT_READ, OfSteps
from oh_tui.catalog.user_annotations import NOTHING, RunAnnotations
from oh_tui.conversation import Conversation, bare_id
from oh_tui.library.library import Library
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.results import joined
from oh_tui.sources.source import Source
from oh_tui.text.problem import Problem
from oh_tui.trajectory.findings.failure_signatures.failed_steps import failures_of
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.rules.question import State


class StepFactsLoader:
    """Answers one filter. What it does not ask is not read."""

    def __init__(self, cache_folder: Path | None, source: Source, query: ConversationQuery) -> None:
        self._folder, self._source, self._words = cache_folder, source, query.of_steps
        self._rule_names = {term.value for term in query.terms if term.field == "rule"}
        self._failures: dict[str, list[str]] = {}
        """The failures of runs, by the ids of these."""
        self._rules: tuple[rule.Rule, ...] = ()
        self._indexed: dict[str, _Indexed] = {}
        """What the index keeps of the rules of a run, by its id."""

    async def look_up(self, rows: Sequence[Conversation]) -> None:
        """Asks the index about all at once. Raises Problem for unknown or faulty rules."""
        if "rule" in self._words and not self._rules:
            self._rules = await asyncio.to_thread(_rules_with, self._rule_names)
        if self._words & {"failure", "rule"}:
            await asyncio.to_thread(self._look_up, rows)

    def _look_up(self, rows: Sequence[Conversation]) -> None:
        with IndexSnapshot(self._folder, self._source) as index:
            of = ["failures.id"]
            failed = index.as_now(rows, of, WITH_FAILURES) if "failure" in self._words else {}
            indexed = index.as_now(rows, _Indexed._fields) if "rule" in self._words else {}
            places = {row.id: index.place(row) for row in rows}
        for id, place in places.items():
            if found := failed.get(place):
                self._failures[id] = [one for (one,) in found if one is not None]
            if known := indexed.get(place):
                self._indexed[id] = _Indexed._make(known[0])

    async def of(self, row: Conversation, annotations: RunAnnotations = NOTHING) -> OfSteps:
        """None stands for what a server would have to be read for, or cannot be read. `annotations`
        are those of the run. Raises Problem."""
        found = NOT_READ
        if "changed" in self._words:
            try:
                found = found._replace(changed=await self._source.runs.changed_paths(row))
            except Problem:
                if not isinstance(self._source, FileSource):
                    raise
        failures = self._failures.get(row.id) if "failure" in self._words else None
        indexed = self._indexed.get(row.id)
        rules = cached_answers.read_states(self._rules, indexed.rules) if indexed else None
        lacks_failures = "failure" in self._words and failures is None
        lacks_rules = "rule" in self._words and rules is None
        run = None
        if lacks_failures or lacks_rules:
            with contextlib.suppress(Problem):
                run = await read_here(self._source, row)
        if run is not None and lacks_failures:
            failures = [one.failure.id for one in await asyncio.to_thread(failures_of, run)]
        if run is not None and lacks_rules:
            rules = await asyncio.to_thread(self._ask_rules, run, row, annotations)
        return found._replace(failures=failures, rules=rules)

    # Rules

    def _ask_rules(
        self, run: Trajectory, row: Conversation, annotations: RunAnnotations
    ) -> Mapping[str, State]:
        """Asks the rules of a run, and keeps the answers where the index has the run."""
        found = rule_rows.StatesJob(self._rules)(run, RunFacts(row, annotations))
        indexed = self._indexed.get(row.id)
        if indexed is not None and all(map(cached_answers.is_stable, self._rules)):
            with Library(self._folder, writes=True) as library:
                text = cached_answers.states_text(self._rules, found)
                library.keep_rules(indexed.place, indexed.fingerprint, text)
        return found


class _Indexed(NamedTuple):
    """The columns of a run in the index."""

    place: str
    fingerprint: str
    rules: str


def _rules_with(names: set[str]) -> tuple[rule.Rule, ...]:
    """The rules in force, of which these have to be some. Raises Problem."""
    rules = tuple(rule_places.rules_in_force(os.environ, agreed.here()).rules)
    if missing := sorted(names - {rule.name for rule in rules}):
        raise Problem(f"There is no rule {missing[0]}", "oh-tui audit --list names them")
    return rules


async def read_here(source: Source, row: Conversation) -> Trajectory | None:
    """The whole run; None if it is not on this machine. Raises Problem."""
    source = source.holder(row)
    if isinstance(source, FileSource):
        return await asyncio.to_thread(source.runs.read, row)
    if source.address and source.remote:
        return await source.remote.cached(row)
    return await load(source, row)


async def load(source: Source, row: Conversation) -> Trajectory:
    """The whole run, of a server too. Raises Problem, for a run too long for a download as well: a
    part of it would be counted as if it were all."""
    source, run, via = source.holder(row), Trajectory(), ""
    async for state in source.runs.load(row):
        run, via = state.trajectory or run, state.via
    if run.complete or source.remote is None:
        return run
    if source.address:  # for each page the server reads the whole run
        short = bare_id(row.id)[:12]
        raise Problem(f"{short} is too long for a download; oh-tui why {short} reads it in pages")
    return joined(run, [page async for page in source.remote.older(row, run, via)])
