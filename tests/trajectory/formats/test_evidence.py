"""The events of a run decide its format, whatever stands beside them and in whatever order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oh_tui.trajectory.formats.documents import is_event, read_document
from oh_tui.trajectory.formats.lines.json_lines import LOOKED_AT
from oh_tui.trajectory.formats.lines.row_index import START, RowIndex
from oh_tui.trajectory.formats.plain_file import PlainFile
from oh_tui.trajectory.formats.run_file import RunFile
from oh_tui.trajectory.formats.table import open_runs
from oh_tui.trajectory.model.recorded import Label
from oh_tui.trajectory.model.trajectory import CUT_OFF
from tests.trajectory.evaluation_files import history, metrics

CHAT = [
    {"role": "user", "content": "Fix the parser."},
    {
        "role": "assistant",
        "content": "I look.",
        "tool_calls": [
            {"id": "c1", "function": {"name": "execute_bash", "arguments": '{"command": "ls"}'}}
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "x.py\n[exit code 0]"},
]
STEP = {
    "action": "ls",
    "observation": "x.py",
    "thought": "I look.",
    "response": "ls",
    "state": "{}",
}
V0 = [
    {"id": 1, "source": "user", "action": "message", "args": {"content": "Fix it."}},
    {"id": 2, "source": "agent", "action": "run", "args": {"command": "ls"}},
    {"id": 3, "source": "agent", "observation": "run", "content": "x", "cause": 2, "extras": {}},
]
ATIF = [
    {"step_id": 1, "source": "user", "message": "Fix it."},
    {"step_id": 2, "source": "agent", "message": "Done."},
]
ROWS: dict[str, dict[str, Any]] = {
    "V1 history": {"history": history(2)},
    "V1 events": {"events": history(2)},
    "V0 history": {"history": V0},
    "V0 pairs": {"history": [[V0[0], {}], [V0[1], V0[2]]]},
    "messages": {"messages": CHAT},
    "chat trajectory": {"trajectory": CHAT},
    "chat history": {"history": CHAT},
    "SWE-agent": {"trajectory": [STEP, STEP], "info": {"exit_status": "submitted"}},
    "ATIF": {"schema_version": "ATIF-v1.7", "session_id": "a", "steps": ATIF},
}
BESIDE: dict[str, Any] = {
    "instance_id": "acme-1",
    "attempt": 2,
    "test_result": {"report": {}, "git_patch": "diff --git a/x b/x"},
    "resolved": True,
    "run_id": "r1",
    "tools": [{"type": "function", "function": {"name": "ls"}}],
    "instance": {"repo": "acme/x", "instance_id": "another"},
    "metadata": {"llm": {"model": "some/model"}, "max_iterations": 30},
    "metrics": metrics([0.25]),
    "instruction": "Fix it.",
    "report": {"kind": "a report", "source": "tests"},
    "kind": "row",
    "action": "none",
    "observation": "none",
    "role": "row",
    "steps": 12,
    "score": None,
}
"""Fields of other formats, and of none."""

EMPTY: dict[str, Any] = {
    "history": [], "events": [], "messages": [], "trajectory": None, "fncall_messages": [],
    "test_result": {}, "info": {}, "steps": [], "response": None, "args": {},
}  # fmt: skip
"""The places of events, without any."""


def events(run: Any) -> list[Any]:
    """The steps of a run; what stands beside them is an event of its own, as another row has it."""
    found = [json.loads(text) for text in run]
    return [one for one in found if one["kind"] != "ConversationStateUpdateEvent"]


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("name", ROWS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_same_run_comes_out_whatever_stands_beside_its_events(name: str, data: Any) -> None:
    row = ROWS[name]
    alone = read_document(json.dumps(row).encode(), "a row")
    beside = {key: value for key, value in (BESIDE | EMPTY).items() if key not in row}
    chosen = data.draw(st.sets(st.sampled_from(sorted(beside))))
    whole = row | {key: data.draw(st.sampled_from([beside[key], BESIDE.get(key, beside[key])]))
                   for key in sorted(chosen)}  # fmt: skip
    keys = data.draw(st.permutations(sorted(whole)))
    read = read_document(json.dumps({key: whole[key] for key in keys}).encode(), "a row")
    assert events(read.events) == events(alone.events)
    assert not [note for note in read.notes if "it may be" in note]
    if "resolved" in chosen:
        assert read.recorded.label is Label.RESOLVED
    if "instance_id" in chosen and name != "ATIF":
        assert read.info["id"] == "acme-1"
    if whole.get("test_result"):
        assert read.recorded.patch.startswith("diff --git")


def test_a_row_keeps_what_it_says_beside_its_messages(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    told = {"metadata": {"llm": {"model": "m"}}, "metrics": metrics([0.25])}
    rows = [
        {"resolved": n == 1, "messages": CHAT, "test_result": {}, "instance_id": f"acme-{n}"} | told
        for n in (1, 2)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    runs = open_runs(path)
    found = {one.name: one.open() for one in runs.entries()}
    assert list(found) == ["acme-1", "acme-2"]
    labels = [run.recorded.label for run in found.values()]
    assert labels == [Label.RESOLVED, Label.UNRESOLVED]
    assert all(len(run) > 3 and b"0.25" in run.stats for run in found.values())
    assert {run.info["llm_model"] for run in found.values()} == {"m"}
    runs.close()


def named(tmp_path: Path, *rows: dict[str, Any]) -> list[str]:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    file, index = PlainFile(path), RowIndex()
    found = [row.name for row in index.read(file)]
    file.close()
    return found


LONG = [{"role": "user", "content": "x" * 3 * START}]


@pytest.mark.parametrize("first", [{}, {"instance": {"instance_id": "another", "attempt": 7}}])
def test_the_id_of_a_row_may_come_after_its_events(tmp_path: Path, first: Any) -> None:
    rows = [first | {"messages": LONG, "instance_id": "a", "attempt": n} for n in (1, 3)]
    rows.append({"trajectory_id": "t", "messages": LONG, "instance_id": "b"})
    rows.append({"messages": LONG, "trajectory_id": "t"})
    rows.append({"instance_id": "c", "messages": LONG, "attempt": 4})
    rows.append({"messages": [{"role": "user", "content": '{"instance_id": "no"}' + "x" * START}]})
    assert named(tmp_path, *rows) == ["a", "a@3", "b", "t", "c", ""]


def only(path: Path) -> RunFile:
    (entry,) = open_runs(path).entries()
    return entry.open()


@pytest.mark.parametrize("made", [history(3), V0], ids=["V1", "V0"])
@pytest.mark.parametrize("ending", ["", "\n", '\n{"kind": "Mess'])
def test_events_one_a_line_are_one_run(tmp_path: Path, made: list[Any], ending: str) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text("\n".join(map(json.dumps, made)) + ending)
    listed = tmp_path / "run.json"
    listed.write_text(json.dumps(made))
    run, other = only(path), only(listed)
    assert [run.read(n) for n in range(len(run))] == [other.read(n) for n in range(len(other))]
    assert (run.cut_off == CUT_OFF) == ending.startswith("\n{")


def test_a_first_event_of_any_length_is_recognised(tmp_path: Path) -> None:
    prompt = {"id": "p", "timestamp": "2026-03-01T10:00:00", "source": "agent",
              "system_prompt": {"type": "text", "text": "x" * (LOOKED_AT // 2)},
              "kind": "SystemPromptEvent"}  # fmt: skip
    path = tmp_path / "run.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in [prompt, *history(1)]))
    assert len(only(path)) == 1 + len(history(1))


def test_a_line_that_is_a_run_is_no_event() -> None:
    assert is_event(json.dumps(V0[0]).encode()) and is_event(json.dumps(history(1)[1]).encode())
    assert not any(is_event(json.dumps(row).encode()) for row in ROWS.values())


def test_the_calls_that_swe_agent_counts_are_told() -> None:
    info = {"exit_status": "submitted", "model_stats": {"api_calls": 7, "instance_cost": 0.5}}
    read = read_document(json.dumps({"trajectory": [STEP], "info": info}).encode(), "a run")
    assert json.loads(read.stats)["usage_to_metrics"]["agent"]["oh_tui_calls"] == 7
