"""Rows without history, whose conversation stands beside the output as a tar."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from oh_tui.trajectory.formats.run_file import RunFile
from oh_tui.trajectory.formats.table import find_files, open_runs
from tests.trajectory.evaluation_files import history, metrics, row, write
from tests.trajectory.test_tar_runs import conversation, link, opened, tar, texts


def beside(folder: Path, name: str, data: bytes) -> None:
    (folder / "conversations").mkdir(exist_ok=True)
    (folder / "conversations" / name).write_bytes(data)


def run(folder: Path, *rows: object, number: int = 1) -> RunFile:
    runs = open_runs(write(folder / "output.jsonl", rows))
    list(runs.entries())
    return runs.open(number)


@pytest.mark.parametrize("ending", [".tar.gz", ".tar"])
def test_a_row_without_history_has_that_of_its_conversation(tmp_path: Path, ending: str) -> None:
    data = tar(conversation("4f/", 3))
    beside(tmp_path, f"acme-1{ending}", data if ending == ".tar" else gzip.compress(data))
    (tmp_path / "output.report.json").write_text(json.dumps({"unresolved_ids": ["acme-1"]}))
    patch = {"git_patch": "diff"}
    found = run(tmp_path, row("acme-1", test_result=patch, metrics=metrics([9])), row("acme-2"))
    assert texts(found) == history(3) and not found.note
    assert found.name == "acme-1" and found.info["id"] == "acme-1"
    assert found.info["execution_status"] == "finished"
    assert found.recorded.patch == "diff" and found.recorded.label
    assert b"0.5" in found.stats  # of the conversation: the row tells a sum alone
    assert find_files([tmp_path]) == [tmp_path / "output.jsonl"]


def test_a_history_of_the_row_wins(tmp_path: Path) -> None:
    beside(tmp_path, "acme-1.tar.gz", gzip.compress(tar(conversation("", 3))))
    assert texts(run(tmp_path, row("acme-1", history(1)))) == history(1)


def test_a_row_of_several_attempts_says_that_it_may_be_another(tmp_path: Path) -> None:
    beside(tmp_path, "acme-1.tar.gz", gzip.compress(tar(conversation(""))))
    found = run(tmp_path, row("acme-1"), row("acme-1"))
    assert found.note == "conversations/acme-1.tar.gz may be of another attempt"


@pytest.mark.parametrize(
    "data",
    [b"no tar", b"", gzip.compress(b"x"), tar({"x": b""})],
    ids=["text", "empty", "packed text", "no run"],
)
def test_a_conversation_that_cannot_be_read_is_told(tmp_path: Path, data: bytes) -> None:
    beside(tmp_path, "acme-1.tar.gz", data)
    found = run(tmp_path, row("acme-1", error="No container"))
    assert len(found) == 0 and found.recorded.error == "No container"
    assert found.note.startswith("conversations: acme-1.tar.gz ")


def test_what_is_left_out_of_it_is_told(tmp_path: Path) -> None:
    beside(tmp_path, "acme-1.tar.gz", gzip.compress(tar(conversation(""), link("x"))))
    assert run(tmp_path, row("acme-1")).note == "acme-1.tar.gz holds 1 link, which is not read: x"


def test_an_id_is_no_path(tmp_path: Path) -> None:
    (tmp_path / "secret.tar.gz").write_bytes(gzip.compress(tar(conversation(""))))
    beside(tmp_path, "x.tar.gz", b"")
    assert len(run(tmp_path, row("../secret"))) == 0


def test_opening_many_keeps_few_files_open(tmp_path: Path) -> None:
    names = [f"acme-{n}" for n in range(30)]
    for name in names:
        beside(tmp_path, f"{name}.tar.gz", gzip.compress(tar(conversation(""))))
    handles = len(list(Path("/proc/self/fd").iterdir()))
    runs, found = opened(write(tmp_path / "output.jsonl", [row(name) for name in names]))
    assert len(list(Path("/proc/self/fd").iterdir())) <= handles + 2
    runs.close()
    assert all(len(texts(one)) == len(history(2)) for one in found.values())
