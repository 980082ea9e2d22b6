"""Which rules hold in runs, which are broken, and of which nobody knows."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from oh_tui.api.errors import NotFound
from oh_tui.batch.reports.one_run import chosen, read_run, whole
from oh_tui.batch.reports.over_runs import LEFT_OUT, OK, left_out, results_of, runs_of, say_rest
from oh_tui.batch.reports.reader import Reader
from oh_tui.batch.rule_rows import RuleRow, RulesJob, RunAudit
from oh_tui.batch.rules.rule import Finding, Rule, Severity, findings
from oh_tui.batch.rules.rule_places import rules_in_force
from oh_tui.batch.run_batch import Result, RunBatch
from oh_tui.batch.worker import RunFacts, Unread
from oh_tui.catalog.names import WHOLE, conversation_id, read_id, title
from oh_tui.conversation import Conversation
from oh_tui.sources.file_source import FileSource
from oh_tui.text.clean import clean_line
from oh_tui.text.human import number
from oh_tui.text.problem import Problem
from oh_tui.text.remarks import say
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.rules.question import State

if TYPE_CHECKING:
    from oh_tui.documents.shapes import many


class Audited(NamedTuple):
    run: str
    title: str
    found: RunAudit

    def of_state(self, state: State) -> list[Finding]:
        return [one for one in self.found.findings if one.state is state]


class AuditFound:
    def __init__(self, rules: Sequence[Rule], most: int | None = None) -> None:
        """Keeps the first run and those that break a rule, at most `most`; None for all."""
        self._most = most
        self.rows = [RuleRow(rule) for rule in rules]
        self.runs: list[Audited] = []
        self.breaking = 0
        self.read = 0
        self.left_out: Mapping[str, int] = dict.fromkeys(LEFT_OUT, 0)
        self.code = OK

    def add(self, conversation: Conversation, found: RunAudit) -> None:
        audited = Audited(conversation_id(conversation), title(conversation), found)
        for row, finding in zip(self.rows, found.findings, strict=True):
            row.add(audited.run, finding, found.label)
        breaks = bool(audited.of_state(State.BROKEN))
        self.read += 1
        self.breaking += breaks
        if self._most is None or not self.runs or (breaks and len(self.runs) < self._most):
            self.runs.append(audited)

    def is_broken(self, least: Severity) -> bool:
        return any(
            row.counts[State.BROKEN] and row.rule.severity.rank >= least.rank for row in self.rows
        )

    def document(self) -> dict[str, Any]:
        return {
            "rules": [_row_json(row) for row in self.rows],
            "runs": [_run_json(run) for run in self.runs],
            "read": self.read,
            "left_out": self.left_out,
        }


def rules_of(files: Sequence[Path] = ()) -> tuple[Rule, ...]:
    """The rules in force here; says whose rules of a repository are among them. Raises Problem."""
    found = rules_in_force(os.environ, Path.cwd(), files)
    if found.of_repository:
        say(f"with the rules of this repository: {clean_line(str(found.of_repository))}")
    if not found.rules:
        raise Problem("All rules are switched off", "oh-tui audit --list shows those in force")
    return tuple(found.rules)


async def audit_in(
    reader: Reader,
    rules: tuple[Rule, ...],
    words: str,
    *,
    live: bool = False,
    most: int | None = None,
    each: Callable[[Result[RunAudit]], None] = lambda one: None,
) -> AuditFound:
    """Asks the rules of the runs that match the words, and says what was left out; keeps `most` of
    them. `each` gets what is found in each run. Raises Problem."""
    found, reading = AuditFound(rules, most), runs_of(reader, RulesJob(rules), words, live=live)
    async for one in _results(reader, rules, words, reading):
        each(one)
        if not isinstance(one.value, Unread):
            found.add(one.conversation, one.value)
    found.code, found.left_out = say_rest(reader, reading), left_out(reading)
    return found


def audit_of(conversation: Conversation, study: Study, rules: tuple[Rule, ...]) -> AuditFound:
    found = AuditFound(rules)
    label = study.trajectory.recorded.label
    found.add(conversation, RunAudit(findings(rules, study, conversation), label))
    return found


async def _results(
    reader: Reader, rules: tuple[Rule, ...], words: str, reading: RunBatch[RunAudit]
) -> AsyncIterator[Result[RunAudit]]:
    """What each run gives. One that its id names is read from the server; a word that could begin
    an id and begins none is a word of the filter. Raises Problem where it is neither."""
    missing: NotFound | None = None
    if (identifier := read_id(words)) and not isinstance(reader.source, FileSource):
        try:
            conversation = await chosen(reader.source, identifier)
        except NotFound as problem:
            if len(identifier) == WHOLE:
                raise
            missing = problem
        else:
            run = whole(await read_run(reader, conversation, sub_agents=True))
            facts = RunFacts(conversation, reader.annotations().of(conversation))
            reading.read = reading.runs = 1
            yield Result(conversation, RulesJob(rules)(run, facts))
            return
    async for one in results_of(reading):
        yield one
    if missing and not (reading.read or any(left_out(reading).values())):
        raise missing


def rule_json(rule: Rule) -> many.Rule:
    return {
        "name": rule.name,
        "severity": rule.severity,
        "why": rule.why,
        "asks": dict(rule.fields),
        "file": rule.origin or None,
    }


def _row_json(row: RuleRow) -> many.AuditedRule:
    return {
        **rule_json(row.rule),
        "holds": row.counts[State.HOLDS],
        "broken": row.counts[State.BROKEN],
        "not_known": row.counts[State.UNKNOWN],
        "nothing_to_check": row.counts[State.NOTHING],
        "examples": [{"run": one.run, "step": one.step} for one in row.examples],
        "against_resolved": {
            "broken_unresolved": row.against.broken_unresolved,
            "broken_resolved": row.against.broken_resolved,
            "holds_unresolved": row.against.holds_unresolved,
            "holds_resolved": row.against.holds_resolved,
            "without_label": row.against.without_label,
            "precision": number(row.against.precision, 4),
            "recall": number(row.against.recall, 4),
        },
    }


def _run_json(run: Audited) -> many.AuditedRun:
    """The rules that are not among these hold."""
    return {
        "run": run.run,
        "title": run.title,
        "label": run.found.label,
        "broken": [
            {
                "rule": one.rule,
                "severity": one.severity,
                "steps": [*one.answer.steps],
                "count": one.answer.total,
                "because": one.answer.because or None,
            }
            for one in run.of_state(State.BROKEN)
        ],
        "not_known": [
            {"rule": one.rule, "lacks": one.answer.lacks} for one in run.of_state(State.UNKNOWN)
        ],
        "nothing_to_check": [one.rule for one in run.of_state(State.NOTHING)],
    }
