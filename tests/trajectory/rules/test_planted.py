"""The rules find each planted violation, and none that is not there."""

from __future__ import annotations

import pytest

from oh_tui.batch.rules.rule import findings
from oh_tui.batch.rules.rule_places import builtin_rules
from oh_tui.conversation import Conversation
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.rules.question import State
from tests.trajectory.edited import edit
from tests.trajectory.made import event, message, output, shell
from tests.trajectory.planted_rules import (
    Bill,
    Broken,
    billed,
    expected,
    planted,
    run_of,
    told,
)

RULES = builtin_rules()


def found(deeds: list[str], bill: Bill) -> Broken:
    found = findings(RULES, Study(run_of(deeds, bill)), Conversation(id="planted"))
    return {one.rule: told(one) for one in found}


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("first", range(0, 500, 50))
def test_each_violation_is_found_and_no_other(first: int) -> None:
    for seed in range(first, first + 50):
        deeds = planted(seed)
        bill = billed(seed, deeds)
        assert found(deeds, bill) == expected(deeds, bill), f"seed {seed}: {' '.join(deeds)} {bill}"


def test_what_was_rejected_or_failed_was_not_done() -> None:
    no = event("UserRejectObservation", "no", source="user", action_id="b", tool_call_id="call-b")
    pushed, tested = shell("b", "git push"), shell("b", "pytest -q")
    edited = list(edit("a", "/workspace/app/a.py", "a", "b", old_str="a", new_str="b"))

    def broken(*events: Event) -> set[str]:
        run = Trajectory()
        run.extend([message("task", "Make it work"), *events])
        found = findings(RULES, Study(run), Conversation(id="x"))
        return {one.rule for one in found if one.state is State.BROKEN}

    assert broken(*edited, tested, output("b", "", 0)) == set()
    assert broken(*edited, tested, no) == {"tests-after-last-edit"}
    assert "tested-before-commit" in broken(*edited, pushed, output("b", "", 0))
    for end in (no, output("b", "rejected", 1)):
        assert "tested-before-commit" not in broken(*edited, pushed, end)
