"""What rules find in runs, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from oh_tui.batch.rule_rows import RuleRow, RunAudit
from oh_tui.batch.rules.rule import Finding, Rule
from oh_tui.text.amounts import number
from oh_tui.trajectory.analysis.rules.question import State


class Audited(NamedTuple):
    """A run that was read, with what the rules find in it."""

    run: str
    title: str
    found: RunAudit

    def of_state(self, state: State) -> list[Finding]:
        return [one for one in self.found.findings if one.state is state]


class Found(NamedTuple):
    """What rules find in runs."""

    rows: Sequence[RuleRow]
    runs: Sequence[Audited]
    """As many as were to be kept."""
    breaking: int
    """Runs that break a rule."""
    read: int
    left_out: Mapping[str, int]
    is_broken: bool
    """Whether a rule of the severity that fails is broken in some run."""
    code: int
    """Exit code: whether all could be read."""

    def document(self) -> dict[str, object]:
        """What `--json` prints."""
        return {
            "rules": [row_json(row) for row in self.rows],
            "runs": [run_json(run) for run in self.runs],
            "read": self.read,
            "left_out": self.left_out,
        }


def rule_json(rule: Rule) -> dict[str, object]:
    return {
        "name": rule.name,
        "severity": rule.severity,
        "why": rule.why,
        "asks": dict(rule.asked),
        "file": rule.origin or None,
    }


def row_json(row: RuleRow) -> dict[str, object]:
    return {
        **rule_json(row.rule),
        "holds": row.holds,
        "broken": row.broken,
        "not_known": row.unknown,
        "nothing_to_check": row.nothing,
        "examples": [one._asdict() for one in row.examples],
        "against_resolved": {
            **row.against._asdict(),
            "precision": number(row.against.precision, 4),
            "recall": number(row.against.recall, 4),
        },
    }


def run_json(run: Audited) -> dict[str, object]:
    """The rules that are not among these hold."""
    return {
        "run": run.run,
        "title": run.title,
        "label": run.found.label,
        "broken": [
            {
                "rule": one.rule,
                "severity": one.severity,
                "steps": one.answer.steps,
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
