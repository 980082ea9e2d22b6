"""Rows without history, whose conversation stands beside the output as a tar."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from unittest.mock import Mock

import pytest

from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.formats.lines import json_lines
from oh_tui.trajectory.formats.run_file import RunFile
from oh_tui.trajectory.formats.table import find_files, open_runs
from tests.trajectory.evaluation_files import history, lines, metrics, row, write
from tests.trajectory.formats.test_tar_runs import conversation, link, opened, tar, texts


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


TWO = {**conversation("one/", 1), **conversation("two/", 2)}


def test_all_runs_of_a_conversation_are_listed(tmp_path: Path) -> None:
    beside(tmp_path, "acme-1.tar.gz", gzip.compress(tar(TWO)))
    beside(tmp_path, "acme-3.tar.gz", gzip.compress(tar(TWO)))
    rows = [row("acme-1"), row("acme-2"), row("acme-3", history(4))]
    runs, found = opened(write(tmp_path / "output.jsonl", rows))
    assert list(found) == ["acme-1", "acme-2", "acme-3", "acme-1/two"], "a history of the row wins"
    assert texts(found["acme-1"]) == history(1)
    assert texts(found["acme-1/two"]) == history(2)
    told = "conversations/acme-1.tar.gz holds 2 runs: this is the first; then acme-1/two"
    assert found["acme-1"].note == told and not runs.is_outdated
    runs.close()


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_those_of_large_conversations_are_listed_once_their_row_was_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr(json_lines, "LOOKED_INTO", 0)
    beside(tmp_path, "acme-1.tar.gz", gzip.compress(tar(TWO)))
    data = lines([row("acme-1")])
    path = tmp_path / f"output.jsonl{ending}"
    path.write_bytes(gzip.compress(data) if ending else data)
    runs = open_runs(path)
    (entry,) = runs.entries()
    entry.open().close()
    assert runs.is_outdated and runs.grow()
    assert [entry.name for entry in runs.entries()] == ["acme-1", "acme-1/two"]
    assert not runs.is_outdated
    runs.close()


def test_in_a_tar_they_are_listed_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = gzip.compress(tar(TWO))
    files = {"output.jsonl": lines([row("acme-1")]), "conversations/acme-1.tar.gz": data}
    path = tmp_path / "r.tar.gz"
    path.write_bytes(gzip.compress(tar(files)))
    runs, found = opened(path)
    assert list(found) == ["acme-1", "acme-1/two"] and texts(found["acme-1/two"]) == history(2)
    runs.close()
    monkeypatch.setattr(json_lines, "LOOKED_INTO", 0)
    runs = open_runs(path)
    (entry,) = runs.entries()
    entry.open().close()
    assert runs.is_outdated and runs.grow()
    assert [entry.name for entry in runs.entries()] == ["acme-1", "acme-1/two"]
    runs.close()


def test_a_run_of_a_conversation_is_found_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_lines, "LOOKED_INTO", 0)
    beside(tmp_path, "acme-1.tar.gz", gzip.compress(tar(TWO)))
    path = write(tmp_path / "output.jsonl", [row("acme-1"), row("acme-2")])
    source = FileSource([path], wanted=["acme-1/two"])
    (found,) = source.conversations()
    assert len(source.runs.run(found)) == len(history(2))
    source.close_files()


def test_rows_without_history_are_opened_in_linear_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = open_runs(write(tmp_path / "output.jsonl", [row(f"acme-{n}") for n in range(100)]))
    entries = list(runs.entries())
    asked = Mock(wraps=json_lines._instance)
    monkeypatch.setattr(json_lines, "_instance", asked)
    for entry in entries:
        entry.open().close()
    assert asked.call_count <= 5 * len(entries), (
        "each row is looked at anew for each that is opened"
    )
    runs.close()
