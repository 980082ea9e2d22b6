"""Failure is recognised in results of every version, in counts, rows, titles and checks."""

from __future__ import annotations

from typing import Any

import pytest

from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.steps import Outcome
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.block import Note
from oh_tui.trajectory.presentation.blocks import result_blocks, result_title
from oh_tui.trajectory.reading.describe import describe
from tests.trajectory.made import event, message, output, result, shell, state

OK, FAILED, ERROR = Outcome.OK, Outcome.COMMAND_FAILED, Outcome.ERROR
TERMINAL: dict[str, Any] = {"kind": "TerminalObservation", "content": [], "is_error": False}
ODD_CODES: tuple[Any, ...] = ("zero", True, [], {}, 1.5, float("inf"))
OLD: dict[str, Any] = {"kind": "ExecuteBashObservation", "output": "x", "timeout": False}


def run_of(*events: Any) -> Trajectory:
    run = Trajectory()
    run.extend(events)
    return run


@pytest.mark.parametrize(
    ("observation", "outcome"),
    [
        (TERMINAL | {"exit_code": 0}, OK),
        (TERMINAL | {"exit_code": 2}, FAILED),
        (TERMINAL | {"exit_code": 2.0}, FAILED),
        (TERMINAL | {"exit_code": None, "metadata": {"exit_code": 127}}, FAILED),
        (TERMINAL | {"exit_code": None, "metadata": {"exit_code": 0}}, OK),
        (TERMINAL | {"exit_code": 0, "metadata": {"exit_code": 1}}, OK),
        (TERMINAL | {"exit_code": None, "metadata": "1"}, OK),
        *((TERMINAL | {"exit_code": odd}, Outcome.WITH_RESULT) for odd in ODD_CODES),
        *(
            (TERMINAL | {"exit_code": None, "metadata": {"exit_code": odd}}, Outcome.WITH_RESULT)
            for odd in ODD_CODES
        ),
        (TERMINAL | {"exit_code": "zero", "metadata": {"exit_code": 0}}, OK),
        (TERMINAL | {"exit_code": "1"}, FAILED),
        (TERMINAL | {"exit_code": 1.0}, FAILED),
        (TERMINAL | {"exit_code": "0"}, OK),
        (TERMINAL | {"exit_code": []} | {"is_error": True}, ERROR),
        (TERMINAL | {"exit_code": None, "metadata": None}, OK),
        (TERMINAL | {"exit_code": -1}, OK),
        (TERMINAL | {"exit_code": -1, "timeout": True}, FAILED),
        (OLD | {"error": False, "metadata": {"exit_code": -1}}, OK),
        (TERMINAL | {"timeout": True}, FAILED),
        (TERMINAL | {"is_error": True, "exit_code": None, "metadata": {"exit_code": -1}}, ERROR),
        (TERMINAL | {"is_error": True, "exit_code": 1}, ERROR),
        (OLD | {"error": False, "exit_code": None, "metadata": {"exit_code": 0}}, OK),
        (OLD | {"error": False, "exit_code": None, "metadata": {"exit_code": 127}}, FAILED),
        (OLD | {"error": True, "exit_code": None}, ERROR),
        ({"kind": "FileEditorObservation", "output": "", "error": "no such file"}, ERROR),
        ({"kind": "FileEditorObservation", "output": "", "error": "lone \ud800"}, ERROR),
        ({"kind": "FileEditorObservation", "output": "", "error": None}, OK),
        ({"kind": "GlobObservation", "files": [], "error": ""}, OK),
        ({"kind": "NewObservation", "error": {"code": 5}}, ERROR),
        ({"kind": "NewObservation", "error": [], "is_error": "no"}, OK),
        ({"kind": "WorkflowObservation", "status": "error"}, ERROR),
        ({"kind": "WorkflowObservation", "status": "completed"}, OK),
        ({"kind": "TaskObservation", "status": {"of": "error"}}, OK),
    ],
)
def test_a_result_of_any_version_failed_or_did_not(
    observation: dict[str, Any], outcome: Outcome
) -> None:
    given = {"content": None, "is_error": None} | observation
    run = run_of(shell("1"), result("1", given))
    assert run.outcome(run.steps[0]) is outcome
    counts = run.counts
    assert (counts.ok, counts.failed_commands, counts.call_errors) == (
        int(outcome is OK),
        int(outcome is FAILED),
        int(outcome is ERROR),
    )


@pytest.mark.parametrize(("status", "outcome"), [("completed", OK), ("failed", ERROR)])
def test_a_call_of_another_agent_fails_by_its_status(status: str, outcome: Outcome) -> None:
    run = run_of(event("ACPToolCallEvent", "1", tool_call_id="c", title="t", status=status))
    assert run.outcome(run.steps[0]) is outcome


def test_a_failed_call_without_an_exit_code_is_not_still_running() -> None:
    seen = {
        "kind": "TerminalObservation",
        "content": [{"type": "text", "text": "No previous running command to interact with."}],
        "is_error": True,
        "exit_code": None,
        "metadata": {"exit_code": -1},
    }
    run = run_of(shell("1", ""), result("1", seen))
    step = run.steps[0]
    shown = describe(step, run.outcome(step)).result
    assert shown == "No previous running command to interact with."
    assert result_title(step, run.outcome(step)).startswith("error")


def test_a_command_that_timed_out_is_not_still_running() -> None:
    run = run_of(shell("1"), _timed_out())
    step = run.steps[0]
    assert describe(step, run.outcome(step)).result == "timed out after 30 s  tick"
    assert result_title(step, run.outcome(step)).startswith("timed out")


def _timed_out() -> Any:
    seen = {"kind": "TerminalObservation", "exit_code": -1, "timeout": True}
    return result("1", seen | {"content": [{"type": "text", "text": "tick"}]}, second=30)


def test_the_seconds_of_a_call_count_from_its_approval() -> None:
    run = run_of(
        message("m", "go"),
        shell("1", second=1),
        state("s1", "waiting_for_confirmation"),
        event("ConversationStateUpdateEvent", "s2", 40, key="execution_status", value="running"),
        output("1", "tick", -1, second=40.6),
    )
    step = run.steps[1]
    assert describe(step, run.outcome(step)).result == "still running after 0.6 s  tick"
    assert "0.6 s" in result_title(step, run.outcome(step))
    assert Accounts(run).ran(step) == pytest.approx(0.6)


def test_only_a_text_that_was_clipped_is_called_cut() -> None:
    where = {"full_output_save_dir": "/workspace/.outputs", "exit_code": 0}
    for text, cut in (("all of it", False), ("a\n<response clipped>\nz", True)):
        seen = {"kind": "TerminalObservation", "content": [{"type": "text", "text": text}]}
        run = run_of(shell("1"), result("1", seen | where))
        told = [block.text for block in result_blocks(run.steps[0], OK) if isinstance(block, Note)]
        assert any("cut by the tool" in line for line in told) is cut


def test_a_head_that_cannot_be_decoded_at_once_fails_alike() -> None:
    head = b'{"kind":"ObservationEvent","id":"1","source":5,"observation":'
    assert parse_event(head + b'{"error":"no","timeout":1}}').failed
    assert parse_event(head + b'{"timeout":true}}').command_failed
