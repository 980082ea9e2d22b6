"""Another client answers at each moment of a command: what the command runs and reports."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from oh_tui.actions import agent_actions
from tests.commands.shell import Shell, shell
from tests.races import NEXT, OAUTH, RESPOND, RUN, SEND, SHOWN, Other

__all__ = ["shell"]

LOOK = "GET /runtime/*/events/search"
NOW_ASKS = f"Answered by somebody else; now it asks: $ {NEXT}"
UNSEEN = f"a call that was not shown got an answer too: $ {NEXT}"


def first_look(other: Other) -> None:
    other.between.after(LOOK, other.approves_and_it_asks_anew)


STAGES: dict[str, tuple[Callable[[Other], object], str, list[str]]] = {
    "after the first look": (first_look, NOW_ASKS, [SHOWN]),
    "between a refusal and the next try": (Other.around_a_refusal, NOW_ASKS, [SHOWN]),
    "between the look and the answer": (
        lambda other: other.before(RUN), UNSEEN, [SHOWN, NEXT],
    ),
}  # fmt: skip
"""When -> what somebody else does, what is said, what was run."""


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_actions, "SETTLE", 0.3)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("more", ["", " --json"])
def test_approve_runs_what_was_shown_or_says_what_it_ran(
    shell: Shell, stage: str, more: str
) -> None:
    does, words, ran = STAGES[stage]
    other = Other(shell.demo, shell.between)
    does(other)
    said = shell(f"approve {OAUTH}{more}")
    assert said.code == 1 and said.out == "" and words in said.err
    assert "approved" not in said.err
    assert other.ran == ran


def test_reject_says_that_somebody_else_has_answered(shell: Shell) -> None:
    other = Other(shell.demo, shell.between)
    first_look(other)
    said = shell(f"reject {OAUTH} no")
    assert said.code == 1 and NOW_ASKS in said.complaint
    assert shell.between.count("POST *") == 0
    assert other.ran == [SHOWN]


@pytest.mark.parametrize("flag", ["--approve", "--reject"])
def test_send_runs_nothing_that_was_not_shown(shell: Shell, flag: str) -> None:
    other = Other(shell.demo, shell.between)
    other.before(SEND)
    said = shell(f"send {OAUTH} hello {flag}")
    assert said.code == 1 and "The message arrived, but the agent did not continue" in said.err
    assert shell.between.count(RUN) == 0
    assert NEXT not in other.ran


def test_reject_then_send_sends_nothing_when_another_call_was_met(shell: Shell) -> None:
    other = Other(shell.demo, shell.between)
    other.before(RESPOND)
    said = shell(f"send {OAUTH} hello --reject")
    assert said.code == 1 and UNSEEN in said.err
    assert shell.between.count(SEND) == shell.between.count(RUN) == 0
    assert other.ran == [SHOWN]


def test_continue_runs_no_call_that_came_meanwhile(shell: Shell) -> None:
    other = Other(shell.demo, shell.between)
    assert shell(f"reject {OAUTH} no").code == 0
    first_look(other)
    said = shell(f"continue {OAUTH} --yes")
    assert said.code == 1 and f"Now it asks: $ {NEXT}" in said.complaint
    assert shell.between.count(RUN) == 0
    assert other.ran == []
