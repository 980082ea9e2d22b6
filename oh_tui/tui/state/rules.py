"""The rules in force, and what they find in the run at the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from weakref import ref

from oh_tui.batch.rules.agreed import here
from oh_tui.batch.rules.rule import Finding, Rule, Severity
from oh_tui.batch.rules.rule_places import Rules, builtin_rules, rules_in_force
from oh_tui.text.problem import Problem
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.rules.question import State
from oh_tui.tui.remedies import hint_of

_ORDER = {State.BROKEN: 0, State.UNKNOWN: 1, State.HOLDS: 2, State.NOTHING: 3}


def in_force(environment: Mapping[str, str]) -> Rules:
    """Reads files: call it in a thread."""
    try:
        return rules_in_force(environment, here())
    except Problem as problem:
        return Rules(builtin_rules(), None, problem.sentence, hint_of(problem))


class RunState(NamedTuple):
    """Differs where rules may find something else in a run, which it does not hold."""

    study: ref[Study]
    events: int
    status: str
    live: bool

    @classmethod
    def of(cls, study: Study) -> RunState:
        run = study.trajectory
        return cls(ref(study), len(run.events), run.status, run.live)


class RunFindings(NamedTuple):
    """What rules find in a run, as far as it was read."""

    in_force: Rules
    state: RunState
    findings: Sequence[Finding]

    def rows(self) -> list[tuple[Rule, Finding]]:
        """Each rule with what it finds: broken ones first, the most severe first of all."""
        rows = zip(self.in_force.rules, self.findings, strict=True)
        return sorted(rows, key=lambda row: (_ORDER[row[1].state], -row[1].severity.rank))

    @property
    def broken(self) -> int:
        """How many rules of high severity are broken."""
        return sum(
            one.state is State.BROKEN and one.severity is Severity.HIGH for one in self.findings
        )
