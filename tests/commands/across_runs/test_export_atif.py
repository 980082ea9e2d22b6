"""`export --to atif`: a document that oh-tui reads back, without secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from oh_tui import cli
from oh_tui.trajectory.formats.zip.zip_layout import DEEPEST
from tests.trajectory.foreign.test_atif_sub_agents import document, step
from tests.trajectory.made import message
from tests.trajectory.sub_agent_files import (
    CHECK,
    REPORTED,
    STRAY,
    folder,
    run_files,
    task,
    worked,
    zip_of,
)

JsonObject = dict[str, Any]

ROWS = [
    {"id": "1", "kind": "MessageEvent", "source": "user", "timestamp": "2026-01-02T10:00:00",
     "llm_message": {"role": "user", "content": [{"type": "text", "text": "Use sk-ant-api03-"
                                                  + "a1B2" * 10}]}},
    {"id": "2", "kind": "ActionEvent", "source": "agent", "timestamp": "2026-01-02T10:00:03",
     "tool_name": "terminal", "tool_call_id": "c", "llm_response_id": "r", "thought": [],
     "action": {"kind": "TerminalAction", "command": "make"},
     "tool_call": {"id": "c", "name": "terminal", "arguments": '{"command": "make"}'}},
    {"id": "3", "kind": "ObservationEvent", "source": "environment", "action_id": "2",
     "timestamp": "2026-01-02T10:00:09", "tool_name": "terminal", "tool_call_id": "c",
     "observation": {"kind": "TerminalObservation", "exit_code": 2,
                     "content": [{"type": "text", "text": "no rule"}]}},
]  # fmt: skip


def test_a_run_is_written_as_atif_and_read_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run" / "events"
    run.mkdir(parents=True)
    for number, row in enumerate(ROWS):
        (run / f"event-{number:05}-{row['id']}.json").write_text(json.dumps(row))
    target = tmp_path / "run.json"
    assert cli.main(["export", str(run.parent), "--to", "atif", "-o", str(target)]) == 0
    assert capsys.readouterr().err.splitlines() == [
        "oh-tui: what leaves: 2 steps",
        "oh-tui:   hidden: a key (step 1)",
        f"oh-tui: wrote 2 steps to {target}",
    ]
    written = json.loads(target.read_text())
    assert written["schema_version"] == "ATIF-v1.7"
    assert written["extra"] == {"hidden": [{"step_id": 1, "secrets": {"a key": 2}}]}
    assert "a1B2" not in target.read_text()
    before, after = list[dict[str, Any]](), list[dict[str, Any]]()
    for path, steps in ((run.parent, before), (target, after)):
        assert cli.main(["steps", str(path), "--json"]) == 0
        steps += json.loads(capsys.readouterr().out)["steps"]
    names = ("what", "result", "outcome", "started", "ran_s", "llm_s", "cost", "tool")
    assert [{n: step[n] for n in names} for step in before] == [
        {n: step[n] for n in names} for step in after
    ]
    assert after[1]["outcome"] == "command failed" and after[1]["ran_s"] == 6


def test_the_path_of_a_file_without_an_id_is_not_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    event = {"id": 0, "source": "user", "action": "message", "args": {"content": "Do it."}}
    (tmp_path / "trajectory.json").write_text(json.dumps([event]))
    row = json.dumps({"instance_id": "a", "history": [event]})
    (tmp_path / "output.jsonl").write_text(f"{row}\n" + json.dumps({"history": [event]}))
    for name, id in (
        ("trajectory.json", "trajectory.json"),
        ("output.jsonl#a", "a"),
        ("output.jsonl#2", "output.jsonl, row 2"),
    ):
        for form in ("atif", "jsonl", "md"):
            assert cli.main(["export", str(tmp_path / name), "--to", form]) == 0
            written = capsys.readouterr().out
            assert str(tmp_path) not in written
            if form == "atif":
                assert json.loads(written)["session_id"] == id
            elif form == "jsonl":
                assert json.loads(written.partition("\n")[0])["conversation"]["id"] == id


def test_what_is_missing_is_said_and_stands_in_the_notes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files, home = folder("", [message("m", "Do it.")]), ""
    for level in range(DEEPEST + 1):
        home += f"subagents/{level}/"
        files |= folder(home, [message(f"m{level}", "Do it.")], str(level))
    path, target = zip_of(tmp_path / "run.zip", files), tmp_path / "run.json"
    told = f"sub-agents more than {DEEPEST} levels deep are left out"
    for source, again in ((path, target), (target, tmp_path / "again.json")):
        assert cli.main(["export", str(source), "--to", "atif", "-o", str(again)]) == 0
        assert json.loads(again.read_text())["notes"] == told
        assert (told in capsys.readouterr().err) == (source is path)


def test_the_notes_of_a_sub_agent_stand_in_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = document("20", step(2))
    for level in reversed(range(20)):
        name = run["trajectory_id"]
        run = document(str(level), step(2, 0.0, {"trajectory_id": name}), below=(run,))
    deepest = run
    for _ in range(20):
        (deepest,) = deepest["subagent_trajectories"]
    deepest["subagent_trajectories"] = [document("21", step(2))]
    (tmp_path / "run.json").write_text(json.dumps(run))
    assert cli.main(["export", str(tmp_path / "run.json"), "--to", "atif"]) == 0
    written, said = capsys.readouterr()
    assert "sub-agents more than 20 levels deep are left out" in said
    found = json.loads(written)
    for _ in range(20):
        assert "notes" not in found
        (found,) = found["subagent_trajectories"]
    assert found["notes"] == "sub-agents more than 20 levels deep are left out"


def test_with_a_filter_only_its_steps_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "chat.json"
    path.write_text(json.dumps([{"role": "user", "content": "one"},
                                {"role": "assistant", "content": "two"}]))  # fmt: skip
    assert cli.main(["export", str(path), "two", "--to", "atif"]) == 0
    written = json.loads(capsys.readouterr().out)
    assert [one["message"] for one in written["steps"]] == ["two"]
    assert "total_cost_usd" not in written["final_metrics"]


def spent(used: JsonObject) -> tuple[float, int]:
    """What does not depend on which answers a step tells."""
    return used["cost"], used["tokens"]["prompt"] + used["tokens"]["completion"]


def tree(steps: list[JsonObject]) -> list[Any]:
    """What of steps a format without some fields keeps, with those of the sub-agents below."""
    names = ("path", "what", "result", "outcome", "started", "ran_s", "cost", "tool")
    return [
        (
            [step.get(name) for name in names],
            [
                (one["id"], one["path"], one["verdict"]["word"], spent(one), spent(one["own"]))
                for one in step.get("sub_agents", ())
            ],
            tree(step.get("children", ())),
        )
        for step in steps
    ]


def told(path: Path, capsys: pytest.CaptureFixture[str]) -> JsonObject:
    assert cli.main(["steps", str(path), "--json"]) == 0
    found: JsonObject = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("reported", [None, REPORTED])
def test_sub_agents_are_written_and_read_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], reported: JsonObject | None
) -> None:
    path = zip_of(tmp_path / "run.zip", run_files(reported=reported))
    target, again = tmp_path / "run.json", tmp_path / "again.json"
    assert cli.main(["export", str(path), "--to", "atif", "-o", str(target)]) == 0
    assert cli.main(["export", str(target), "--to", "atif", "-o", str(again)]) == 0
    assert "not shown" not in capsys.readouterr().err
    before = told(path, capsys)
    for one in (target, again):
        after = told(one, capsys)
        assert tree(after["steps"]) == tree(before["steps"])
        assert spent(after["totals"]) == spent(before["totals"])
        assert spent(after["totals"]["own"]) == spent(before["totals"]["own"])
        assert [one["id"] for one in after["sub_agents"]] == [STRAY]
    assert json.loads(target.read_text())["subagent_trajectories"]


def test_a_sub_agent_of_a_call_without_a_result_is_read_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parent = [message("m", "Do it.", second=2), *task("1", "Check it.", 5, None)]
    sub = folder(f"subagents/{CHECK}/", worked("c", "Check it.", 6), CHECK)
    path = zip_of(tmp_path / "run.zip", folder("", parent) | sub)
    target = tmp_path / "run.json"
    assert cli.main(["export", str(path), "--to", "atif", "-o", str(target)]) == 0
    capsys.readouterr()
    before, after = told(path, capsys), told(target, capsys)
    assert tree(after["steps"]) == tree(before["steps"])
    assert after["steps"][1]["sub_agents"][0]["id"] == CHECK


def test_a_sub_agent_in_a_file_of_its_own_stands_within_the_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = {"trajectory_path": "b.json", "session_id": "s", "extra": {"why": "to check"}}
    run = document("run", step(2, 0.25, reference), step(3, 0.5))
    (tmp_path / "run.json").write_text(json.dumps(run))
    (tmp_path / "b.json").write_text(json.dumps(document("b", step(2, 0.125))))
    target = tmp_path / "elsewhere" / "all.json"
    target.parent.mkdir()
    run_file = str(tmp_path / "run.json")
    assert cli.main(["export", run_file, "--to", "atif", "-o", str(target)]) == 0
    capsys.readouterr()
    before, after = told(tmp_path / "run.json", capsys), told(target, capsys)
    assert tree(after["steps"]) == tree(before["steps"])
    assert after["totals"]["cost"] == before["totals"]["cost"] == 0.875
    assert not after.get("notes") and "to check" in target.read_text()
    (result,) = json.loads(target.read_text())["steps"][1]["observation"]["results"]
    (told_of,) = result["subagent_trajectory_ref"]
    assert told_of.items() >= reference.items()
    assert told_of["trajectory_id"] == after["steps"][1]["sub_agents"][0]["id"]
