"""The rules find each planted violation, and none that is not there."""

from __future__ import annotations

import pytest

from oh_tui.api.models import Conversation
from oh_tui.sources.rules.rule import findings
from oh_tui.sources.rules.rule_places import builtin_rules
from oh_tui.trajectory.analysis.rules.question import State
from oh_tui.trajectory.analysis.study import Study
from tests.trajectory.planted_rules import Broken, expected, planted, run_of

RULES = [
    rule for rule in builtin_rules() if rule.name not in ("context-nearly-full", "within-limits")
]


def found(deeds: list[str]) -> Broken:
    study = Study(run_of(deeds))
    return {
        one.rule: None if one.state is State.UNKNOWN else list(one.answer.steps)
        for one in findings(RULES, study, Conversation(id="x"))
    }


@pytest.mark.parametrize("first", range(0, 500, 50))
def test_each_violation_is_found_and_no_other(first: int) -> None:
    for seed in range(first, first + 50):
        deeds = planted(seed)
        wanted = expected(deeds)
        has = found(deeds)
        assert has == {name: wanted[name] for name in has}, f"seed {seed}: {' '.join(deeds)}"
