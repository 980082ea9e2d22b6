"""What rules find in many runs: how many hold, break or do not tell each or give it nothing to
check, and how well that fits the labels of an evaluation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from oh_tui.batch.rules.rule import Finding, Rule, findings
from oh_tui.batch.worker import RunFacts
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.branches import shown
from oh_tui.trajectory.model.recorded import Label
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.rules.question import State


class RunAudit(NamedTuple):
    findings: Sequence[Finding]
    label: Label | None = None


class RulesJob(NamedTuple):
    """The job that asks the rules of a run, on its active branch."""

    rules: tuple[Rule, ...]

    def __call__(self, run: Trajectory, about: RunFacts) -> RunAudit:
        found = findings(self.rules, Study(shown(run)), about.conversation, about.annotations)
        return RunAudit(found, run.recorded.label)


class StatesJob(NamedTuple):
    rules: tuple[Rule, ...]

    def __call__(self, run: Trajectory, about: RunFacts) -> Mapping[str, State]:
        return {one.rule: one.state for one in RulesJob(self.rules)(run, about).findings}


class RuleExample(NamedTuple):
    run: str
    step: int | None
    """The first that breaks the rule; None for a rule about the whole run."""


class Against(msgspec.Struct):
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


class RuleRow(msgspec.Struct):
    """A rule over many runs. Its size does not grow with them."""

    rule: Rule
    counts: Counter[State] = msgspec.field(default_factory=Counter)
    examples: list[RuleExample] = []
    against: Against = msgspec.field(default_factory=Against)

    def add(self, run: str, finding: Finding, label: Label | None) -> None:
        state = finding.state
        self.counts[state] += 1
        if state in (State.UNKNOWN, State.NOTHING):
            return
        if state is State.BROKEN and len(self.examples) < 3:
            steps = finding.answer.steps
            self.examples.append(RuleExample(run, steps[0] if steps else None))
        is_labelled = label in (Label.RESOLVED, Label.UNRESOLVED)
        name = f"{state}_{label}" if is_labelled else "without_label"
        setattr(self.against, name, getattr(self.against, name) + 1)


def _share(part: int, rest: int) -> float | None:
    return part / (part + rest) if part + rest else None
