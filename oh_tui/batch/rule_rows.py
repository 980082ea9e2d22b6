"""What rules find in many runs: how many hold, break or do not tell each or give it nothing to
check, and how well that fits the labels of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from oh_tui.batch.rules.rule import Finding, Rule, findings
from oh_tui.batch.worker import RunFacts
from oh_tui.trajectory.analysis.rules.question import State
from oh_tui.trajectory.analysis.study import Study
from oh_tui.trajectory.model.branches import shown
from oh_tui.trajectory.model.recorded import Label
from oh_tui.trajectory.model.trajectory import Trajectory

MOST_EXAMPLES = 3
"""Runs that break a rule which are told as examples."""


class RunAudit(NamedTuple):
    """What the rules find in one run."""

    findings: Sequence[Finding]
    """Of each rule, in their order."""
    label: Label | None = None


class RulesJob(NamedTuple):
    """The job that asks the rules of a run, on its active branch."""

    rules: tuple[Rule, ...]

    def __call__(self, run: Trajectory, about: RunFacts) -> RunAudit:
        study = Study(shown(run))
        found = findings(self.rules, study, about.conversation, about.kept)
        return RunAudit(found, run.recorded.label)


class StatesJob(NamedTuple):
    """The job that tells what each rule finds in a run."""

    rules: tuple[Rule, ...]

    def __call__(self, run: Trajectory, about: RunFacts) -> Mapping[str, State]:
        return {one.rule: one.state for one in RulesJob(self.rules)(run, about).findings}


class Example(NamedTuple):
    run: str
    step: int | None
    """The first that breaks the rule; None for a rule about the whole run."""


class Against(NamedTuple):
    """How a rule fits what an evaluation says: of the runs with a label that hold or break it."""

    broken_unresolved: int = 0
    broken_resolved: int = 0
    holds_unresolved: int = 0
    holds_resolved: int = 0
    without_label: int = 0
    """Runs that hold or break it, and have no label."""

    @property
    def precision(self) -> float | None:
        """The share of the runs that break it which are not resolved; None where there is none."""
        return _share(self.broken_unresolved, self.broken_resolved)

    @property
    def recall(self) -> float | None:
        """The share of the runs that are not resolved which break it; None where there is none."""
        return _share(self.broken_unresolved, self.holds_unresolved)


class RuleRow(NamedTuple):
    """A rule over many runs."""

    rule: Rule
    holds: int
    broken: int
    unknown: int
    nothing: int
    """Runs in which there is nothing to check."""
    examples: Sequence[Example]
    against: Against


class Audit:
    """Adds up what rules find. Its size grows with the rules, not with the runs."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._sums = [_Sum(rule) for rule in rules]

    def add(self, run: str, found: RunAudit) -> None:
        for one, finding in zip(self._sums, found.findings, strict=True):
            one.add(run, finding, found.label)

    def rows(self) -> list[RuleRow]:
        """In the order of the rules."""
        return [one.row() for one in self._sums]


class _Sum:
    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._counts = dict.fromkeys(State, 0)
        self._examples: list[Example] = []
        self._against = dict.fromkeys(Against._fields, 0)

    def add(self, run: str, finding: Finding, label: Label | None) -> None:
        self._counts[finding.state] += 1
        if finding.state in (State.UNKNOWN, State.NOTHING):
            return
        if finding.state is State.BROKEN and len(self._examples) < MOST_EXAMPLES:
            steps = finding.answer.steps
            self._examples.append(Example(run, steps[0] if steps else None))
        if label in (Label.RESOLVED, Label.UNRESOLVED):
            self._against[f"{finding.state}_{label}"] += 1
        else:
            self._against["without_label"] += 1

    def row(self) -> RuleRow:
        return RuleRow(
            self._rule,
            self._counts[State.HOLDS],
            self._counts[State.BROKEN],
            self._counts[State.UNKNOWN],
            self._counts[State.NOTHING],
            tuple(self._examples),
            Against(**self._against),
        )


def _share(part: int, rest: int) -> float | None:
    return part / (part + rest) if part + rest else None
