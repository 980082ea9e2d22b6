"""Files as other programs and versions write them: numbers as texts, empty halves, odd items."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from oh_tui.sources.file_runs import run_of
from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.findings.verdict import judge
from oh_tui.trajectory.formats import harbor
from oh_tui.trajectory.formats.table import open_runs
from oh_tui.trajectory.model.recorded import Label
from oh_tui.trajectory.model.steps import Outcome
from oh_tui.trajectory.model.trajectory import Trajectory
from tests.trajectory.evaluation_files import action, history, message, metrics, result, row
from tests.trajectory.evaluation_files import write as write_rows

from .runs import JsonObject, lost


def read(path: Path, value: Any = None) -> Trajectory:
    """The run in a file, or the only row of an output."""
    if value is not None:
        path.write_text(json.dumps(value, ensure_ascii=False))
    source = FileSource([path])
    (found,) = source.conversations()
    file = source.runs.run(found)
    run = run_of(file, file.events())
    for event in run.events:
        event.body()
    return run


def call(number: Any, response: str, cost: Any, tokens: Any) -> JsonObject:
    answer = {"id": response, "usage": {"prompt_tokens": tokens, "completion_tokens": 1}}
    return {
        "id": number,
        "source": "agent",
        "action": "run",
        "args": {"command": f"make {number}"},
        "tool_call_metadata": {
            "function_name": "execute_bash",
            "tool_call_id": f"c{number}",
            "model_response": answer,
            "total_calls_in_response": 1,
        },
        "llm_metrics": {"accumulated_cost": cost},
    }


def answer(cause: Any, extras: JsonObject, **more: Any) -> JsonObject:
    return {
        "id": f"r{cause}",
        "source": "agent",
        "observation": "run",
        "content": f"made {cause}",
        "cause": cause,
        "extras": extras,
        **more,
    }


@pytest.mark.parametrize(
    "extras",
    [{"metadata": {"exit_code": "2"}}, {"exit_code": "2"}, {"exit_code": 2.0}, {"exit_code": 2}],
)
def test_an_exit_code_of_v0_may_be_a_text(tmp_path: Path, extras: JsonObject) -> None:
    events = [call(1, "r1", "0.25", "100"), answer("1", extras, success=False)]
    events += [call("3", "r3", 0.75, 50), answer(3, {"metadata": {"exit_code": "0"}}, success=True)]
    run = read(tmp_path / "trajectory.json", events)
    assert [run.outcome(step) for step in run.steps] == [Outcome.COMMAND_FAILED, Outcome.OK]
    accounts = Accounts(run)
    assert [accounts.of(step).cost for step in run.steps] == [0.25, 0.5]  # type: ignore[union-attr]
    assert accounts.total.prompt == 150


def test_an_exit_code_of_v1_may_be_a_text(tmp_path: Path) -> None:
    events = [message("Go."), action(1), result(1), action(2), result(2)]
    for event, code in zip((events[2], events[4]), ("1", "0"), strict=True):
        event["observation"]["exit_code"] = code
    run = read(write_rows(tmp_path / "output.jsonl", [row("acme-1", events)]))
    outcomes = [run.outcome(step) for step in run.steps if step.is_call]
    assert outcomes == [Outcome.COMMAND_FAILED, Outcome.OK]


def test_a_pair_may_lack_its_second_half(tmp_path: Path) -> None:
    pairs = [
        [{"action": "run", "source": "agent", "args": {"command": "ls"}},
         {"observation": "run", "content": "a.py", "extras": {"exit_code": 0}}],
        [{"action": "finish", "source": "agent", "args": {"thought": "Done."}}, None],
    ]  # fmt: skip
    path = write_rows(tmp_path / "output.jsonl", [row("acme-1", pairs)])
    run = read(path)
    assert len(run.steps) == 2 and judge(run).word == "finished"


def test_costs_of_atif_and_of_chats_may_be_texts(tmp_path: Path) -> None:
    step = {"step_id": 1, "source": "agent", "message": "Hm.", "tool_calls": [
        {"tool_call_id": "a", "function_name": "bash", "arguments": {"command": "ls"}}],
        "metrics": {"prompt_tokens": "10", "completion_tokens": 2, "cost_usd": "0.5"}}  # fmt: skip
    run = read(tmp_path / "a.json", {"schema_version": "ATIF-v1.6", "steps": [step]})
    assert (Accounts(run).total.cost, Accounts(run).total.prompt) == (0.5, 10)
    info = {"exit_status": "Submitted", "model_stats": {"instance_cost": "0.125"}}
    chat = {"info": info, "messages": [{"role": "user", "content": "Go."}]}
    assert Accounts(read(tmp_path / "x.traj.json", chat)).total.cost == 0.125


@pytest.mark.parametrize("cost", ["nan", "inf", "-1", "1e99", "x", "", "9" * 500, "0x10"])
def test_a_text_that_is_no_amount_is_none(tmp_path: Path, cost: str) -> None:
    info = {"model_stats": {"instance_cost": cost}}
    run = read(tmp_path / "a.json", {"info": info, "messages": [{"role": "user", "content": "Go"}]})
    assert Accounts(run).total.cost == 0


HISTORIES: list[Any] = [
    [None, 5, "a text", {"kind": "Odd", "id": None, "deep": {"text": "buried ☂"}}],
    [{"no kind": "but a text"}],
    ["a text", ["a list of", "texts"]],
    {"no": "list"},
    "a text alone",
]


@pytest.mark.parametrize("history", HISTORIES, ids=range(len(HISTORIES)))
def test_a_history_of_odd_items_is_shown(tmp_path: Path, history: Any) -> None:
    path = write_rows(tmp_path / "output.jsonl", [row("acme-1") | {"history": history}])
    run = read(path)
    assert not lost(history, run)


def test_an_error_of_a_row_may_be_an_object(tmp_path: Path) -> None:
    error = {"type": "Timeout", "message": "too long"}
    v0 = [{"action": "message", "source": "user", "args": {"content": "Go."}}]
    rows = [row("acme-1") | {"error": error}, row("acme-2", v0) | {"error": error}]
    runs = open_runs(write_rows(tmp_path / "output.jsonl", rows))
    assert [one.open().recorded.error for one in runs.entries()] == ["Timeout: too long"] * 2
    runs.close()


def test_an_attempt_may_be_a_text(tmp_path: Path) -> None:
    rows = [{"instance_id": "acme-1", "attempt": str(n), "history": []} for n in (1, 3)]
    runs = open_runs(write_rows(tmp_path / "output.jsonl", rows))
    assert [one.name for one in runs.entries()] == ["acme-1", "acme-1@3"]
    runs.close()


@pytest.mark.parametrize("failed", [True, False])
def test_an_mcp_server_of_v0_tells_in_its_answer_that_a_call_failed(
    tmp_path: Path, failed: bool
) -> None:
    asked = {"id": 1, "source": "agent", "action": "call_tool_mcp",
             "args": {"name": "fetch", "arguments": {"url": "x"}}}  # fmt: skip
    said = {"isError": failed, "content": [{"type": "text", "text": '"isError": true'}]}
    told = {"id": 2, "observation": "mcp", "content": json.dumps(said), "cause": 1, "extras": {}}
    (step,) = (run := read(tmp_path / "trajectory.json", [asked, told])).steps
    assert run.outcome(step) is (Outcome.ERROR if failed else Outcome.OK)


def test_a_row_is_named_by_its_instance_wherever_that_stands(tmp_path: Path) -> None:
    messages = [{"role": "user", "content": "Go."}]
    rows = [
        {"trajectory_id": "t-1", "instance_id": "acme-1", "messages": messages, "resolved": "1"},
        {"trajectory_id": "t-2", "instance_id": None, "messages": messages, "resolved": "false"},
    ]
    runs = open_runs(write_rows(tmp_path / "output.jsonl", rows))
    entries = list(runs.entries())
    assert [one.name for one in entries] == ["acme-1", "t-2"]
    assert [one.open().recorded.label for one in entries] == [Label.RESOLVED, Label.UNRESOLVED]
    runs.close()


def test_what_a_trial_tells_may_be_written_as_texts(tmp_path: Path) -> None:
    results = {
        "a": {"verifier_result": {"rewards": {"reward": "1.0"}}, "agent_result": {"cost_usd": "2"}},
        "b": {"exception_info": "too long"},
    }
    for name, told in results.items():
        (tmp_path / name / "agent").mkdir(parents=True)
        (tmp_path / name / "result.json").write_text(json.dumps(told))
    (tmp_path / "config.json").write_text("{}")
    first, second = open_runs(tmp_path).entries()
    assert (first.info["label"], first.info["cost"]) == (Label.RESOLVED, 2.0)
    assert second.open().recorded.error == "too long"


def test_a_trial_may_tell_its_reward_alone_or_count_tests_in_texts(tmp_path: Path) -> None:
    counts = {"results": {"summary": {"tests": "3", "passed": "3"}}}
    files: list[tuple[str, Any]] = [
        ("a/result.json", {"verifier_result": {"reward": 0.0}}),
        ("b/result.json", {"verifier_result": {"reward": "1"}}),
        ("c/result.json", {"verifier_result": {"other": 1}}),
        ("d/result.json", {}),
        ("d/verifier/ctrf.json", counts),
    ]
    (tmp_path / "config.json").write_text("{}")
    for name, told in files:
        path = tmp_path / name
        (path.parent / "agent").mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(told))
    labels = [one.info["label"] for one in open_runs(tmp_path).entries()]
    assert labels == [Label.UNRESOLVED, Label.RESOLVED, None, Label.RESOLVED]


def as_texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: as_texts(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [as_texts(inner) for inner in value]
    return str(value)


def test_the_metrics_of_v1_may_be_texts(tmp_path: Path) -> None:
    told = metrics([0.25, 0.5, 0.125])
    totals = []
    for name, one in (("numbers", told), ("texts", as_texts(told))):
        rows = [row("acme-1", history(2)) | {"metrics": one}]
        run = read(write_rows(tmp_path / f"{name}.jsonl", rows))
        accounts = Accounts(run)
        totals.append((accounts.total, [accounts.of(step) for step in run.steps]))
    assert totals[0] == totals[1]
    assert (totals[1][0].cost, totals[1][0].prompt) == (0.875, 300)


@pytest.mark.parametrize("cost", ["nan", "inf", "-1", "1e99", "x", "", "0x10", True, [1]])
def test_what_is_no_amount_in_the_metrics_of_v1_is_none(tmp_path: Path, cost: Any) -> None:
    rows = [row("acme-1", history(2)) | {"metrics": {"accumulated_cost": cost}}]
    assert Accounts(read(write_rows(tmp_path / "output.jsonl", rows))).total.cost == 0


def unreadable(path: Path, most: int) -> bytes:
    raise OSError("a bad place on the disk")


def test_a_trial_whose_result_cannot_be_read_is_listed_with_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "agent").mkdir(parents=True)
        (tmp_path / name / "result.json").write_text("{}")
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setattr(harbor, "start_of", unreadable)
    assert [one.name for one in open_runs(tmp_path).entries()] == ["a", "b"]


def v0_call(action: str, **args: Any) -> JsonObject:
    called = {"function_name": "some_tool", "tool_call_id": "c1"}
    return {"id": 1, "source": "agent", "action": action, "args": args,
            "tool_call_metadata": called}  # fmt: skip


@pytest.mark.parametrize(
    "event",
    [
        v0_call("edit", command="view", path="/a", start=5, end=300),
        v0_call("edit", command="view", path="/a", start="7", end=[93]),
        v0_call("edit", command="view", path="/a", start=1, end="77"),
        v0_call("read", path="/a", start=0.0, end=-1),
        v0_call("write", path="/a", file_path="/b", content="new"),
        v0_call("run", command="ls", kind="one", v0_kind="two"),
        v0_call("finish", final_thought=4711, thought="done", message="three"),
        v0_call("finish", final_thought=4711, thought=4711.0),
        v0_call("call_tool_mcp", name="fetch", arguments={"url": "four"}, data="five"),
        v0_call("delegate", agent="six", inputs={"task": "seven"}, tasks="eight"),
    ],
    ids=lambda event: f"{event['action']}-{len(event['args'])}",
)
def test_arguments_of_v0_are_shown_whatever_their_form(tmp_path: Path, event: JsonObject) -> None:
    assert not lost(event["args"], read(tmp_path / "trajectory.json", [event]))


@pytest.mark.parametrize(
    "event",
    [
        v0_call("edit", command="view", path="/a", start=1, end=-1),
        v0_call("read", path="/a", start=0, end=-1),
        v0_call("read", path="/a", end=None),
    ],
    ids=["edit", "read", "read without a start"],
)
def test_all_lines_of_a_file_go_without_saying(tmp_path: Path, event: JsonObject) -> None:
    (step,) = read(tmp_path / "trajectory.json", [event]).steps
    assert step.event.body()["action"] == {
        "kind": "FileEditorAction", "command": "view", "path": "/a"
    }  # fmt: skip


def test_the_last_versions_of_v0_have_the_reasoning_in_the_thought(tmp_path: Path) -> None:
    thoughts: list[Any] = [
        {"text": "look", "reasoning_content": "why"},
        {"text": "look", "reasoning_content": None},
        {"text": "look", "other": 1},
    ]
    events = [v0_call("run", command="ls", thought=thought) for thought in thoughts]
    bodies = [step.event.body() for step in read(tmp_path / "trajectory.json", events).steps]
    told = [(body["thought"], body.get("reasoning_content")) for body in bodies]
    text = [{"type": "text", "text": "look"}]
    assert told == [(text, "why"), (text, None), ([], None)]
    assert bodies[2]["action"]["thought"] == thoughts[2]


def test_an_odd_is_error_of_v0_is_shown(tmp_path: Path) -> None:
    extras = {"is_error": 815}
    history = [[{"action": "run"}, {"observation": "run", "extras": extras}]]
    run = read(tmp_path / "output.jsonl", {"instance_id": "a", "history": history})
    assert not lost(extras, run) and not run.steps[0].result.failed  # type: ignore[union-attr]


@pytest.mark.parametrize("has_state", [True, False])
@pytest.mark.parametrize(
    ("outputs", "cause"),
    [
        ({"reason": "It is ambiguous.\nAsk."}, "The agent rejected the task: It is ambiguous."),
        ({}, "The agent rejected the task."),
    ],
)
def test_an_agent_of_v0_may_reject_its_task(
    tmp_path: Path, outputs: JsonObject, cause: str, has_state: bool
) -> None:
    task = {"id": 1, "source": "user", "action": "message", "args": {"content": "Do it."}}
    refusal = {"id": 2, "source": "agent", "action": "reject", "args": {"outputs": outputs}}
    state = {"id": 3, "source": "environment", "observation": "agent_state_changed",
             "content": "", "extras": {"agent_state": "rejected"}}  # fmt: skip
    verdict = judge(read(tmp_path / "t.json", [task, refusal, *[state][: int(has_state)]]))
    assert (verdict.word, verdict.cause, verdict.landing) == ("error", cause, 2)
    assert judge(read(tmp_path / "t.json", [task, state])).word == "error"
