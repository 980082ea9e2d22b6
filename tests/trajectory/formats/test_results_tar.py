"""What people pass on as `results.tar.gz`: outputs, their reports and conversations in one tar."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from oh_tui.trajectory.formats.lines import json_lines
from oh_tui.trajectory.formats.table import open_runs
from tests.trajectory.evaluation_files import history, lines, metrics, row
from tests.trajectory.formats.test_tar_runs import Files, conversation, opened, tar, texts, write

ROWS = [
    row("acme-1", history(2), metrics=metrics([0.25, 0.5])),
    row("acme-2", error="No container"),
    row("acme-2"),
    row("acme-3", history(1)),
]
REPORT = {"resolved_ids": ["acme-1"], "unresolved_ids": ["acme-3"], "error_ids": ["acme-9"]}


def packed(files: Files) -> bytes:
    return gzip.compress(tar(files))


def results(home: str = "eval/") -> Files:
    return {
        f"{home}conversations/acme-2.tar.gz": packed(conversation("", 4)),
        f"{home}conversations/acme-3.tar.gz": packed(conversation("", 9)),
        f"{home}conversations/other.tar.gz": packed(conversation("x/", 5)),
        f"{home}output.critic_attempt_1.jsonl": lines(ROWS[:1]),
        f"{home}output.jsonl": lines(ROWS),
        f"{home}output.report.json": json.dumps(REPORT).encode(),
        f"{home}metadata.json": json.dumps({"llm": {"model": "some/model"}}).encode(),
        f"{home}cost_report.jsonl": b'{"instance_id": "acme-3", "cost": 0.75}',
        f"{home}logs/x.log": b"x",
    }


@pytest.mark.parametrize("ending", [".tar", ".tar.gz"])
@pytest.mark.parametrize("home", ["", "eval/deep/"])
def test_rows_labels_and_conversations_of_a_tar(tmp_path: Path, ending: str, home: str) -> None:
    data = tar(results(home))
    path = write(tmp_path / f"r{ending}", data if ending == ".tar" else gzip.compress(data))
    runs = open_runs(path)
    entries = {entry.name: entry for entry in runs.entries()}
    assert list(entries) == ["acme-1", "acme-2", "acme-2@2", "acme-3", "other"]
    labels = [entry.info.get("label") for entry in entries.values()]
    assert labels == ["resolved", "unlabelled", "unlabelled", "unresolved", None]
    found = {name: texts(entry.open()) for name, entry in entries.items()}
    assert found == {
        "acme-1": history(2),
        "acme-2": history(4),
        "acme-2@2": history(4),
        "acme-3": history(1),
        "other": history(5),
    }
    assert entries["acme-2"].open().recorded.error == "No container"
    assert entries["acme-2"].info["llm_model"] == "some/model"
    assert entries["acme-3"].info["cost"] == 0.75
    assert runs.problems == [
        f"output.report.json names 1 instance that is not in r{ending}/{home}output.jsonl: acme-9"
    ]
    runs.close()


def test_events_of_a_long_row_in_a_plain_tar_stay_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_lines, "HELD", 0)
    runs = open_runs(write(tmp_path / "r.tar", tar(results())))
    run = next(iter(runs.entries())).open()
    assert run.read(0)
    runs.close()
    assert run.read(0) == b"", "none is held in memory"


def test_folders_of_runs_and_packed_outputs_are_listed_together(tmp_path: Path) -> None:
    files = conversation("conversations/acme-1/", 3) | {
        "output.jsonl.gz": gzip.compress(lines(ROWS))
    }
    _, found = opened(write(tmp_path / "r.tar.gz", packed(files)))
    other = "output.jsonl.gz/acme-1"
    assert list(found) == ["acme-1", other, "acme-2", "acme-2@2", "acme-3"]
    assert [len(run) for run in found.values()] == [9, 7, 0, 0, 5]


def test_what_is_broken_inside_is_told_and_the_rest_shown(tmp_path: Path) -> None:
    files = {
        "a/output.jsonl": lines(ROWS[:1]) + b'{"instance_id": "cut',
        "b/output.jsonl.gz": gzip.compress(lines(ROWS[:1]))[:-40],
        "c/output.jsonl": b"no JSON\n",
        "d/x.tar.gz": b"no tar",
        "d/y.tar.gz": packed({"z": b""}),
    }
    runs = open_runs(write(tmp_path / "r.tar.gz", packed(files)))
    entries = list(runs.entries())
    assert entries[0].name == "acme-1"
    assert len(entries[0].open()) == 7
    assert "r.tar.gz/a/output.jsonl, row 2 is cut off" in runs.problems
    assert any(told.startswith("r.tar.gz/b/output.jsonl.gz is cut off") for told in runs.problems)
    assert "r.tar.gz/d/x.tar.gz is not a tar" in runs.problems
    assert "r.tar.gz holds 1 tar file without a run: d/y.tar.gz" in runs.problems
