"""How runs of V0 ended, and how long they worked: their rows and states tell it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from oh_tui.conversation import Conversation
from oh_tui.documents.why import report
from oh_tui.sources.file_runs import end_of, run_of
from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.findings.verdict import judge
from oh_tui.trajectory.formats.table import open_runs
from oh_tui.trajectory.model.steps import Outcome
from oh_tui.trajectory.model.trajectory import Trajectory

MAXIMUM = (
    "RuntimeError: Agent reached maximum iteration in headless mode. "
    "Current iteration: 50, max iteration: 50"
)
HIT = "The run hit its limit of 50 iterations, so OpenHands stopped it."


class History:
    """A V0 history under the pen."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.second = 0

    def add(self, source: str, **fields: Any) -> int:
        when = f"2025-01-27T10:{self.second // 60:02}:{self.second % 60:02}.000000"
        place = len(self.events)
        self.events.append({"id": place, "timestamp": when, "source": source} | fields)
        return place

    def state(self, name: str) -> None:
        extras = {"agent_state": name, "reason": ""}
        self.add("environment", observation="agent_state_changed", content="", extras=extras)

    def says(self, text: str, source: str = "user") -> None:
        self.add(source, action="message", args={"content": text, "image_urls": None})

    def runs(self, command: str, code: int = 0) -> None:
        call = f"call-{len(self.events)}"
        metadata: dict[str, Any] = {"tool_call_id": call, "function_name": "execute_bash"}
        metadata["model_response"] = {"id": f"answer-{call}", "choices": []}
        args = {"command": command, "thought": ""}
        beside = {"tool_call_metadata": metadata}
        cause = self.add("agent", action="run", args=args, **beside)
        extras = {"command": command, "metadata": {"exit_code": code}}
        self.add("agent", observation="run", content="out", cause=cause, extras=extras, **beside)

    def error(self, text: str) -> None:
        self.add("environment", observation="error", content=text, extras={"error_id": ""})


def opened(tmp_path: Path, history: History, **row: Any) -> tuple[Trajectory, Trajectory]:
    """The run of a row, and the end that the list reads of it."""
    told = {"instance_id": "acme-1", "metadata": {"max_iterations": 50}, "error": None}
    path = tmp_path / "output.jsonl"
    path.write_text(json.dumps(told | {"history": history.events} | row) + "\n")
    runs = open_runs(path)
    list(runs.entries())
    run = runs.open(0)
    return run_of(run, run.events()), end_of(run)


def worked(answers: int, last_state: str = "", error_at: int = 0) -> History:
    history = History()
    history.says("fix it")
    history.state("running")
    for number in range(answers):
        history.runs(f"ls {number}")
        if number == error_at - 1:
            history.error("The action was malformed.")
    if last_state:
        history.state(last_state)
    return history


@pytest.mark.parametrize("last_state", ["error", "running", "", "stopped", "awaiting_user_input"])
def test_the_error_of_a_row_is_the_cause(tmp_path: Path, last_state: str) -> None:
    history = worked(49, last_state, error_at=27)
    for run in opened(tmp_path, history, error=MAXIMUM):
        assert (judge(run).word, judge(run).cause) == ("error", MAXIMUM)


@pytest.mark.parametrize("last_state", ["error", "running", "", "stopped"])
def test_a_run_of_as_many_answers_as_its_limit_hit_it(tmp_path: Path, last_state: str) -> None:
    for run in opened(tmp_path, worked(50, last_state, error_at=27)):
        assert (judge(run).word, judge(run).cause) == ("error", HIT)
    for run in opened(tmp_path, worked(49, last_state)):
        assert judge(run).cause != HIT


def test_one_that_finished_with_its_last_answer_finished(tmp_path: Path) -> None:
    history = worked(50)
    history.add("agent", action="finish", args={"outputs": {}, "final_thought": "done"})
    history.state("finished")
    for run in opened(tmp_path, history):
        assert judge(run).word == "finished"


def test_an_error_at_the_very_end_keeps_its_step(tmp_path: Path) -> None:
    history = worked(3)
    history.error("litellm.AuthenticationError: no key")
    history.state("error")
    run, _ = opened(tmp_path, history, error="AuthenticationError: no key")
    assert judge(run).steps == (5,)


def test_waiting_for_the_first_message_is_no_work(tmp_path: Path) -> None:
    history = History()
    history.state("loading")
    history.state("awaiting_user_input")
    history.add("user", action="change_agent_state", args={"agent_state": "init", "thought": ""})
    history.second = 800
    history.says("fix it")
    history.state("running")
    history.second = 810
    history.runs("ls")
    history.state("finished")
    history.second = 2000
    history.add("user", action="change_agent_state", args={"agent_state": "stopped"})
    run, _ = opened(tmp_path, history)
    assert Accounts(run).active == 10.0


def test_a_command_that_still_runs_has_not_failed(tmp_path: Path) -> None:
    history = worked(1)
    history.runs("make serve", code=-1)
    run, _ = opened(tmp_path, history)
    assert run.outcome(run.steps[-1]) is Outcome.OK
    assert run.counts.failed_commands == 0


def test_a_test_that_is_written_first_is_no_trouble(tmp_path: Path) -> None:
    def first(history: History) -> Any:
        found = report(Conversation("c"), Study(opened(tmp_path, history)[0]))["first"]
        return found and found["what"]

    history = worked(0)
    history.runs("cd /w && pytest -q tests/test_new.py", code=1)
    history.runs("pytest -q")
    assert first(history) is None
    history = worked(0)
    history.runs("python a.py", code=1)
    history.runs("python b.py")
    assert first(history) == "$ python a.py"
    history.runs("python a.py")
    assert first(history) is None
