"""Calls whose format tells no result, or no time of it."""

from __future__ import annotations

import json

from oh_tui.commands.check import report
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.steps import Outcome
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.block import plain_text
from oh_tui.trajectory.presentation.blocks import result_blocks, result_title
from oh_tui.trajectory.reading.describe import describe

from ..made import call, message, output, shell, state

FINISH = {"kind": "FinishAction", "message": "All is done."}


def test_a_finish_without_a_result_is_no_defect() -> None:
    run = Trajectory()
    run.extend([message("1", "Do it."), call("2", FINISH, tool="finish")])
    step, found = run.steps[-1], report(run)
    assert run.outcome(step) is Outcome.OK
    assert (found["calls"], found["ok"], found["open"], found["running"]) == (1, 1, 0, 0)
    assert plain_text(result_blocks(step, Outcome.OK)) == "All is done."
    assert result_title(step, Outcome.OK) == ""
    assert describe(step, Outcome.OK).result == "All is done."
    assert (Study(run).verdict.word, Study(run).verdict.cause) == ("finished", "All is done.")


def test_a_finish_that_waits_for_an_answer_does_so() -> None:
    run = Trajectory()
    run.extend([call("2", FINISH, tool="finish"), state("3", "waiting_for_confirmation")])
    assert run.outcome(run.steps[0]) is Outcome.WAITING


def test_the_time_of_a_tool_is_not_taken_for_that_of_the_model() -> None:
    done = output("1")
    body = {name: value for name, value in done.body().items() if name != "timestamp"}
    run = Trajectory()
    run.extend([shell("1"), parse_event(json.dumps(body).encode()), shell("2", second=50)])
    accounts = Study(run).accounts
    assert accounts.llm(run.steps[1]) is None
    run = Trajectory()
    run.extend([shell("1"), done, shell("2", second=50)])
    assert Study(run).accounts.llm(run.steps[1]) == 49
