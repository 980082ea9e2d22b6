"""Files of other programs, and tables of results: refused in one sentence, wherever they are."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from oh_tui.sources.file_source import FileSource
from oh_tui.text.problem import Problem
from oh_tui.trajectory.formats.table import find_files, open_runs
from tests.trajectory import evaluation_files

SAID = {"role": "user", "content": "Fix it."}
CLAUDE = {"type": "user", "sessionId": "s", "uuid": "a", "parentUuid": None, "isSidechain": True,
          "timestamp": "2026-01-05T10:00:00Z", "message": SAID}  # fmt: skip
SUMMARY = {"type": "summary", "summary": "Dates", "leafUuid": "a"}
SNAPSHOT = {"type": "file-history-snapshot", "messageId": "m", "snapshot": {"messageId": "m"}}
STREAM = {"type": "system", "subtype": "init", "session_id": "s", "tools": []}
META = {"timestamp": "2026-01-05T10:00:00Z", "type": "session_meta", "payload": {"id": "s"}}
ITEM = {"timestamp": "2026-01-05T10:00:00Z", "type": "response_item",
        "payload": {"type": "message", **SAID}}  # fmt: skip
OLD_CODEX: dict[str, Any] = {
    "id": "s",
    "timestamp": "2025-05-05T10:00:00Z",
    "instructions": None,
    "git": {},
}
OLD_ITEM = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}]}
GEMINI = {"sessionId": "s", "projectHash": "p", "startTime": "2026-01-05T10:00:00Z",
          "lastUpdated": "2026-01-05T10:00:00Z"}  # fmt: skip
GEMINI_SAID = {"id": "m", "timestamp": "2026-01-05T10:00:00Z", "type": "gemini", "content": "Hi."}
GEMINI_USER = {"id": "u", "type": "user", "content": "Fix it."}
GEMINI_TURN = {"role": "user", "parts": [{"text": "Fix it."}]}
GPTME = SAID | {"timestamp": "2026-01-05T10:00:00"}
QWEN = CLAUDE | {"message": {"role": "user", "parts": [{"text": "Fix it."}]}}


def lines(*rows: Any) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize(
    ("text", "program", "hint"),
    [
        (lines(CLAUDE, CLAUDE), "Claude Code", "atif-make"),
        (lines(SUMMARY, CLAUDE), "Claude Code", "atif-make"),
        (lines(SNAPSHOT, CLAUDE), "Claude Code", "atif-make"),
        (lines(STREAM, CLAUDE), "Claude Code", "atif-make"),
        (lines({"type": "mode"}, {"type": "assistant", "message": SAID}), "Claude Code", ""),
        (lines(CLAUDE | {"message": SAID | {"content": "x" * 200_000}}), "Claude Code", ""),
        (json.dumps({"loglines": [CLAUDE]}, indent=1), "Claude Code on the web", ""),
        (lines(META, ITEM), "Codex", "atif-make"),
        (lines(META | {"payload": {"instructions": "x" * 200_000}}, ITEM), "Codex", ""),
        (lines(OLD_CODEX, {"record_type": "state"}, OLD_ITEM), "Codex", ""),
        (lines({"type": "thread.started", "thread_id": "t"}), "Codex", ""),
        (lines(GEMINI, GEMINI_SAID), "Gemini CLI", ""),
        (json.dumps(GEMINI | {"messages": [GEMINI_SAID] * 900}), "Gemini CLI", ""),
        (json.dumps(GEMINI | {"messages": [GEMINI_SAID]}, indent=2), "Gemini CLI", ""),
        (
            json.dumps([{"role": "user", "parts": [{"text": "Fix it."}]}], indent=2),
            "Gemini CLI",
            "",
        ),
        (lines(QWEN, QWEN), "Qwen Code", ""),
        (lines(GPTME, GPTME | {"role": "assistant"}), "gptme", "jq"),
        # with no more fields than it takes
        (lines({"type": "user", "message": {"content": "Fix it."}}), "Claude Code", "atif-make"),
        (
            lines({"type": "assistant", "message": {"content": [{"type": "text"}]}}),
            "Claude Code",
            "",
        ),
        (lines({"type": "summary", "summary": "Dates"}), "Claude Code", ""),
        (lines({"type": "user", "uuid": "a", "message": "Fix it."}), "Claude Code", ""),
        (json.dumps([{"type": "user", "message": SAID}]), "Claude Code", ""),
        (
            json.dumps({"messages": [{"type": "user", "message": SAID}]}, indent=1),
            "Claude Code",
            "",
        ),
        (lines({"type": "result", "subtype": "success", "total_cost_usd": 1}), "Claude Code", ""),
        (json.dumps({"messages": [GEMINI_USER, GEMINI_SAID]}, indent=2), "Gemini CLI", ""),
        (json.dumps([GEMINI_USER, GEMINI_SAID]), "Gemini CLI", ""),
        (lines(GEMINI_USER, GEMINI_SAID), "Gemini CLI", ""),
        (json.dumps({"contents": [GEMINI_TURN]}), "Gemini CLI", ""),
        (json.dumps({"model": "g", "history": [GEMINI_TURN]}, indent=1), "Gemini CLI", ""),
        (lines(GEMINI_TURN), "Gemini CLI", ""),
        (
            json.dumps([{"sessionId": "s", "messageId": 0, "type": "user", "message": "Fix it."}]),
            "Gemini CLI",
            "",
        ),
    ],
)
def test_a_session_of_another_program_is_refused_by_name(
    tmp_path: Path, text: str, program: str, hint: str
) -> None:
    path = tmp_path / ("a.jsonl" if text.count("\n") else "a.json")
    path.write_text(text)
    with pytest.raises(Problem) as caught:
        open_runs(path)
    assert f" {program}" in caught.value.sentence and "does not read" in caught.value.sentence
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(
            {"version": 1, "messages": [SAID | {"ts": 1.78e12, "sessionId": "s"}]}, indent=1
        ),
        json.dumps([SAID, {"role": "assistant", "content": "Done.", "ts": 1.78e12}], indent=1),
        lines({"session_id": "s", "type": "user", "message": "x", "messages": [SAID]}),
        json.dumps({"messages": [{"type": "message"} | SAID]}, indent=1),
        json.dumps([{"content": [{"type": "text", "text": "x"}], "role": "user"}]),
    ],
)
def test_what_is_a_run_is_none_of_them(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    (entry,) = open_runs(path).entries()
    assert len(entry.open())


PREDICTION = {"instance_id": "acme-1", "model_patch": "diff", "model_name_or_path": "m"}


@pytest.mark.parametrize("rows", [[PREDICTION] * 91, [{"role_of": 1, "messages": 3}] * 5])
def test_a_table_of_results_is_refused_in_one_sentence(tmp_path: Path, rows: list[Any]) -> None:
    path = tmp_path / "all_preds.jsonl"
    path.write_text(lines(*rows))
    source = FileSource([path])
    with pytest.raises(Problem) as caught:
        source.conversations()
    assert "all_preds.jsonl" in caught.value.sentence and len(source.problems) == 1


def test_a_table_whose_later_rows_are_runs_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    row = evaluation_files.row("acme-2")
    path.write_text(lines(*[PREDICTION] * 50, row))
    assert len(list(open_runs(path).entries())) == 51


def test_the_runs_beside_them_are_listed(tmp_path: Path) -> None:
    evaluation_files.write(tmp_path / "good.jsonl", [evaluation_files.row("acme-1")])
    (tmp_path / "one.jsonl").write_text(lines(META, ITEM))
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text(lines(SUMMARY, CLAUDE))
    (tmp_path / "all_preds.jsonl").write_text(lines(PREDICTION))
    source = FileSource([tmp_path])
    assert [row.title for row in source.conversations()] == ["acme-1"]
    assert source.problems == [
        f"{tmp_path}/one.jsonl is a session of Codex, which oh-tui does not read",
        "2 files are each a session of Claude Code, which oh-tui does not read",
    ]
    source.close_files()


def test_a_tar_passes_them_over(tmp_path: Path) -> None:
    step = {"action": "ls", "observation": "x.py", "thought": "I look.", "response": "ls"}
    files = {
        "a.jsonl": lines(SUMMARY, CLAUDE),
        "all_preds.jsonl": lines(PREDICTION, PREDICTION),
        "good.jsonl": lines(evaluation_files.row("acme-1"), evaluation_files.row("acme-2")),
        "acme-3/acme-3.traj": json.dumps({"trajectory": [step], "info": {}}),
    }
    with tarfile.open(tmp_path / "all.tar", "w") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    source = FileSource([tmp_path / "all.tar"])
    assert [row.title for row in source.conversations()] == ["acme-1", "acme-2", "acme-3"]
    assert source.problems == []
    source.close_files()


def test_a_folder_lists_trajectories_of_sweagent(tmp_path: Path) -> None:
    step = {"action": "ls", "observation": "x.py", "thought": "I look.", "response": "ls"}
    path = tmp_path / "acme-3.traj"
    path.write_text(json.dumps({"trajectory": [step], "info": {}}))
    assert find_files([tmp_path]) == [path]
