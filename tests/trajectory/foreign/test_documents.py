"""Foreign runs as files: recognised by content, and what the rows tell beside the events."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.sources.file_runs import run_of
from oh_tui.trajectory.findings.verdict import judge
from oh_tui.trajectory.formats.converted_run import ConvertedRun
from oh_tui.trajectory.formats.documents import read_document
from oh_tui.trajectory.formats.run_file import FormatProblem, RunFile
from oh_tui.trajectory.formats.table import find_files, open_runs
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.blocks import json_text

from ..evaluation_files import history
from . import test_atif, test_chat, test_v0_golden
from .runs import values

V0, ATIF, CHAT = test_v0_golden.whole_run().events, test_atif.made(), test_chat.made()
ROW = {
    "instance_id": "acme__dates-1",
    "history": V0,
    "metadata": {"llm_config": {"model": "some/model"}, "max_iterations": 30},
    "metrics": {"accumulated_cost": 0.75},
    "error": None,
    "test_result": {"git_patch": "diff --git a/x b/x"},
    "instance": {"repo": "acme/dates"},
}


def opened(value: Any) -> ConvertedRun:
    return ConvertedRun("a run", read_document(json.dumps(value).encode(), "a run"))


def joined(run: RunFile) -> Trajectory:
    found = Trajectory()
    found.extend(run.events())
    return found


@pytest.mark.parametrize(
    ("value", "steps"),
    [
        (V0, 12),
        (ROW, 12),
        ({"trajectory": V0}, 12),
        (ATIF, 6),
        (CHAT, 5),
        ({"messages": CHAT, "instance_id": "a"}, 5),
        ({"trajectory": CHAT, "resolved": 1}, 5),
    ],
)
def test_a_run_is_recognised_by_its_content(value: Any, steps: int, tmp_path: Path) -> None:
    path = tmp_path / "some.json"
    path.write_text(json.dumps(value, indent=1))
    assert find_files([tmp_path]) == [path]
    (entry,) = open_runs(path).entries()
    assert len(joined(entry.open())) == steps
    path.write_text("\n".join([json.dumps(value)] * 3))
    assert len(list(open_runs(path).entries())) == 3


@pytest.mark.parametrize(
    ("place", "events"),
    [("history", V0), ("messages", CHAT), ("trajectory", CHAT), ("history", history(3))],
)
@pytest.mark.parametrize("more", [{}, {"test_result": {"git_patch": "diff --git a/x b/x"}}])
def test_events_that_stand_as_a_text_are_read(
    place: str, events: Any, more: dict[str, Any], tmp_path: Path
) -> None:
    rows = [{"instance_id": "a", **more, place: one} for one in (events, json.dumps(events))]
    as_list, as_text = ([one.body() for one in opened(row).events()] for row in rows)
    assert as_list and as_text == as_list
    steps = len(joined(opened(rows[0])))
    path = tmp_path / "output.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    assert [len(joined(one.open())) for one in open_runs(path).entries()] == [steps] * 2


@pytest.mark.parametrize("text", ["[hidden]", "[", "[" * 5000, '["\ud800"]', "none"])
def test_a_text_in_their_place_that_has_none_is_no_event(text: str) -> None:
    assert not len(opened({"instance_id": "a", "test_result": {}, "messages": text}))


def test_the_only_run_of_a_file_has_its_name(tmp_path: Path) -> None:
    path = tmp_path / "trajectory.json"
    path.write_text(json.dumps(V0))
    (entry,) = open_runs(path).entries()
    assert entry.open().name == "trajectory.json"


@pytest.mark.parametrize("value", [{}, [], [1], {"role": "user"}, {"trajectory": [{"a": 1}]}])
def test_other_json_is_no_run(value: Any) -> None:
    with pytest.raises(FormatProblem):
        opened(value)


def test_a_row_of_v0_names_its_instance_model_and_patch() -> None:
    run = opened(ROW)
    assert run.info["id"] == run.info["title"] == "acme__dates-1"
    assert run.info["llm_model"] == "some/model"
    assert run.info["selected_repository"] == "acme/dates"
    assert run.recorded.patch.startswith("diff") and run.recorded.max_iterations == 30


def test_a_row_of_the_resolver_is_named_by_its_issue() -> None:
    run = opened({"issue": {"number": 7, "title": "It fails"}, "history": V0, "git_patch": "x"})
    assert (run.info["id"], run.info["title"], run.recorded.patch) == ("7", "It fails", "x")


def test_an_evaluation_that_failed_says_why() -> None:
    assert opened(ROW | {"error": "It was stuck."}).recorded.error == "It was stuck."


FINISH = {"id": 9, "source": "agent", "action": "finish", "args": {"final_thought": "Done."}}
STATE = {"id": 10, "source": "environment", "observation": "agent_state_changed", "content": ""}


@pytest.mark.parametrize(
    ("ending", "word"),
    [
        ([FINISH], "finished"),
        ([STATE | {"extras": {"agent_state": "finished"}}], "finished"),
        ([FINISH, STATE | {"extras": {"agent_state": "finished"}}], "finished"),
        ([FINISH, STATE | {"extras": {"agent_state": "error"}}], "error"),
        ([], "error"),
    ],
)
def test_a_row_that_says_finished_and_has_an_error_says_both(ending: Any, word: str) -> None:
    start = [{"id": 1, "source": "user", "action": "message", "args": {"content": "Go."}}]
    run = opened({"instance_id": "a", "history": [*start, *ending], "error": "git diff failed\nx"})
    verdict = judge(run_of(run, run.events()))
    assert verdict.word == word and "git diff failed" in verdict.cause
    assert verdict.cause.endswith("; the evaluation failed: git diff failed") == (
        word == "finished"
    )


def test_mini_swe_agent_tells_the_sum_of_the_cost_and_how_it_ended() -> None:
    info: dict[str, Any] = {
        "exit_status": "Submitted",
        "submission": "diff",
        "model_stats": {"instance_cost": 0.31, "api_calls": 2},
        "config": {"model": {"model_name": "some/model"}},
    }
    run = opened({"info": info, "messages": test_chat.mini(), "trajectory_format": "mini-1"})
    assert run.info["execution_status"] == "finished" and run.info["llm_model"] == "some/model"
    assert run.recorded.patch == "diff" and b"0.31" in run.stats
    assert any(b"api_calls" in run.read(place) for place in range(len(run)))
    run = opened({"info": info | {"exit_status": "LimitsExceeded"}, "messages": test_chat.mini()})
    assert run.recorded.error == "LimitsExceeded" and "execution_status" not in run.info


@pytest.mark.parametrize("value", [V0, ATIF, CHAT])
def test_json_shows_the_events_as_they_stand_in_the_file(value: Any) -> None:
    run = joined(opened(value))
    listed = value["steps"] if isinstance(value, dict) else value
    for step in run.steps:
        shown = json.loads(json_text(step))
        shown = shown if isinstance(shown, list) else [shown]
        assert all(each in listed for each in shown)


def test_a_continuation_that_is_not_here_is_told() -> None:
    run = opened(ATIF | {"continued_trajectory_ref": "next.json"})
    assert "next.json" in run.note


@pytest.mark.parametrize(("resolved", "label"), [(True, "resolved"), (0, "unresolved"), (7, None)])
def test_a_row_may_have_its_label(resolved: Any, label: str | None) -> None:
    assert opened({"messages": CHAT, "resolved": resolved}).recorded.label == label
    assert opened(ROW | {"report": {"resolved": resolved}}).recorded.label == label


def test_rows_of_v0_and_v1_may_stand_in_one_file(tmp_path: Path) -> None:
    event = {"kind": "MessageEvent", "id": "1", "source": "user"}
    v1, mixed = ROW | {"history": [event]}, ROW | {"history": [*V0, event]}
    path = tmp_path / "output.jsonl"
    path.write_text("\n".join(map(json.dumps, (ROW, v1, mixed))))
    assert [len(joined(entry.open())) for entry in open_runs(path).entries()] == [12, 1, 13]


CALL = {"tool_call_id": "a", "function_name": "x", "arguments": {}}
FORGETS = {"forgotten_events_start_id": 0, "forgotten_events_end_id": 10**9}
MANY: dict[str, Callable[[int], Any]] = {
    "v0": lambda n: V0 * (n // 20),
    "open actions": lambda n: [
        {"action": "run", "args": {}} if k % 2 else {"observation": "read"} for k in range(n)
    ],
    "condensations": lambda n: [
        {"action": "condensation", "id": k, "args": FORGETS} for k in range(n)
    ],
    "one id": lambda n: [{"id": 5, "action": "run", "source": "agent", "args": {}}] * n,
    "atif": lambda n: ATIF | {"steps": ATIF["steps"] * (n // 6)},
    "one step": lambda n: {
        "schema_version": "ATIF-v1.7",
        "steps": [{"source": "agent", "tool_calls": [CALL] * n,
                   "observation": {"results": [{"content": "x"}] * n}}],
    },
    "chat": lambda n: CHAT * (n // 8),
}  # fmt: skip


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("name", MANY)
def test_a_run_four_times_as_long_takes_about_four_times_as_long(name: str) -> None:
    spent = []
    for count in (1_000, 4_000):
        text = json.dumps(MANY[name](count)).encode()
        began = time.process_time()
        read_document(text, "a run")
        spent.append(time.process_time() - began)
    assert spent[1] < 8 * spent[0] + 0.3


TOPS = values([
    "history", "trajectory", "messages", "steps", "schema_version", "role", "content", "action",
    "observation", "args", "extras", "metadata", "metrics", "issue", "instance_id", "info",
    "exit_status", "model_stats", "report", "resolved", "agent", "final_metrics", "test_result",
    "continued_trajectory_ref", "subagent_trajectories", "llm_config", "error", "kind",
])  # fmt: skip
ROW_FIELDS = (
    *(name for name in ROW if name != "history"),
    "report",
    "issue",
    "git_patch",
    "resolved",
)
ROWS = st.fixed_dictionaries(
    {"history": st.just(V0[:3]) | st.just([V0[:2]]) | TOPS},
    optional=dict.fromkeys(ROW_FIELDS, TOPS),
) | st.fixed_dictionaries(
    {"messages": st.just(CHAT) | TOPS},
    optional=dict.fromkeys(("info", "exit_status", "resolved", "model", "tools", "id"), TOPS),
) | st.fixed_dictionaries(
    {"schema_version": st.just("ATIF-v1.8"), "steps": st.just(ATIF["steps"]) | TOPS},
    optional=dict.fromkeys(("agent", "final_metrics", "subagent_trajectories"), TOPS),
)  # fmt: skip


@given(TOPS | ROWS)
def test_any_json_is_a_run_or_none(value: Any) -> None:
    try:
        run = opened(value)
    except FormatProblem:
        return
    assert all(event.id for event in joined(run).events)
    assert isinstance(run.note, str) and isinstance(run.info, dict)


@pytest.mark.parametrize(
    ("more", "others"),
    [
        ({"messages": CHAT}, "chat messages"),
        ({"history": V0, "trajectory": CHAT}, "V0 run, chat messages"),
        ({"history": 5, "messages": [1], "trajectory": {}, "notes": "x"}, ""),
    ],
)
def test_a_file_in_atif_that_another_format_claims_says_so(
    tmp_path: Path, more: dict[str, Any], others: str
) -> None:
    (tmp_path / "run.json").write_text(json.dumps(ATIF | more))
    (entry,) = open_runs(tmp_path / "run.json").entries()
    told = f"read as ATIF; it may be {others} as well" if others else ""
    assert entry.open().note == opened(ATIF | more).note == told
    assert len(joined(entry.open())) == 6


@pytest.mark.parametrize(
    "error", ["EvalException: the patch of the tests failed", "evaluation timed out",
              "Traceback:\n  File \"run_infer.py\"\nOSError: disk full"]
)  # fmt: skip
def test_what_failed_in_the_evaluation_is_no_error_of_the_run(error: str) -> None:
    start = [{"id": 1, "source": "user", "action": "message", "args": {"content": "Go."}}]
    run = opened({"instance_id": "a", "history": [*start, *V0], "error": error})
    verdict, plain = judge(run_of(run, run.events())), opened({"history": [*start, *V0]})
    assert verdict.word == judge(run_of(plain, plain.events())).word
    assert f"he evaluation failed: {error.splitlines()[0]}" in verdict.cause


def test_a_row_with_events_of_the_sdk_tells_the_error_of_its_evaluation_too() -> None:
    history = [{"kind": "MessageEvent", "id": "a", "source": "user"}]
    run = opened({"instance_id": "a", "history": history, "error": "evaluation timed out"})
    assert run.recorded.names_evaluation
