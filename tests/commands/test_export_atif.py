"""`export --to atif`: a document that oh-tui reads back, without secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from oh_tui import cli

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
    assert capsys.readouterr().err == f"oh-tui: wrote 2 steps to {target}\n"
    document = json.loads(target.read_text())
    assert document["schema_version"] == "ATIF-v1.7"
    assert document["extra"] == {"hidden": [{"step_id": 1, "secrets": {"a key": 1}}]}
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


def test_with_a_filter_only_its_steps_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "chat.json"
    path.write_text(json.dumps([{"role": "user", "content": "one"},
                                {"role": "assistant", "content": "two"}]))  # fmt: skip
    assert cli.main(["export", str(path), "two", "--to", "atif"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [step["message"] for step in document["steps"]] == ["two"]
    assert "total_cost_usd" not in document["final_metrics"]
