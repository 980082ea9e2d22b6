"""Commands over a run in which somebody went back: of its active branch, or of the one named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands import schemas
from tests.processes import oh_tui
from tests.trajectory.branched import two, write_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", *two())


def told(*words: str | Path) -> Any:
    done = oh_tui(*words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_steps_are_those_of_the_branch(run: Path) -> None:
    done = oh_tui("steps", run)
    assert "branch 2 of 2, the active one; --branch N|all reads another" in done.stderr
    assert [line.split("\t")[5] for line in done.stdout.splitlines()] == [
        "you wrote", "agent wrote", "you wrote", "agent wrote",
    ]  # fmt: skip
    document = told("steps", run)
    schemas.check("steps", document)
    assert document["branch"] == {
        "number": 2, "count": 2, "active": 2, "cost": 1.001, "cost_of_all": 5.0,
    }  # fmt: skip
    assert document["conversation"]["cost"] == 5.0
    assert (document["totals"]["cost"], document["verdict"]["word"]) == (1.001, "stuck")


def test_another_branch_is_read_when_it_is_named(run: Path) -> None:
    first = told("steps", run, "--branch", "1")
    assert len(first["steps"]) == 5
    assert (first["branch"]["number"], first["verdict"]["word"]) == (1, "finished")
    whole = told("steps", run, "--branch", "all")
    schemas.check("steps", whole)
    assert (len(whole["steps"]), whole["branch"]["number"]) == (7, None)
    assert whole["totals"]["cost"] == 5.0


def test_why_export_check_context_and_tail_take_the_branch_too(run: Path) -> None:
    found = told("why", run, "--branch", "1")
    schemas.check("why", found)
    assert (found["verdict"]["word"], found["counts"]["steps"]) == ("finished", 5)
    assert "this branch $0.11 of $5.00" in oh_tui("why", run, "--branch", "1").stdout
    assert told("check", run)["calls"] == 0
    assert told("check", run, "--branch", "1")["calls"] == 1
    assert told("context", run)["step"] == 4
    assert told("context", run, "--branch", "1")["step"] == 5
    assert len(oh_tui("tail", run, "--json").stdout.splitlines()) == 4
    lines = oh_tui("export", run, "--to", "jsonl", "--branch", "1").stdout
    assert "say v" in lines and "say w" not in lines
    assert told("show", run)["ended"]["word"] == "stuck"


def test_what_is_of_many_runs_takes_no_branch(run: Path, tmp_path: Path) -> None:
    for words in (["--to", "chat"], ["--to", "parquet", "-o", f"{tmp_path}/out/"]):
        done = oh_tui("export", run, *words, "--branch", "1")
        assert done.returncode == 2
        assert "chat and otlp take the active branch, tables take all of them" in done.stderr
    lines = oh_tui("export", run, "--to", "chat", "--every", "answer").stdout.splitlines()
    assert [json.loads(line)["step"] for line in lines] == [2, 4]


def test_events_are_all_of_them_unless_a_branch_is_named(run: Path) -> None:
    assert len(oh_tui("events", run).stdout.splitlines()) == len(two())
    assert '"id": "w"' not in oh_tui("events", run, "--branch", "1").stdout


@pytest.mark.parametrize("word", ["0", "x", "-1", "3", "9" * 30])
def test_a_branch_that_is_not_there_is_refused(run: Path, word: str) -> None:
    done = oh_tui("steps", run, f"--branch={word}")
    assert done.returncode == 2
    assert ("it has 1 to 2, or all" in done.stderr) is (word == "3")


def test_a_run_without_branches_says_nothing_of_them(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", *two()[:9])
    done = oh_tui("steps", run, "--json")
    assert not done.stderr and "branch" not in json.loads(done.stdout)
    assert oh_tui("steps", run, "--branch", "1").returncode == 0
    assert oh_tui("steps", run, "--branch", "all").returncode == 0
    assert "nobody went back in it" in oh_tui("steps", run, "--branch", "2").stderr


def test_the_head_that_the_file_names_says_which_branch_is_active(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", *two(), head="c")
    assert told("steps", run)["branch"]["active"] == 1
    back = write_run(tmp_path / "back", *two()[:9], head="a")
    assert len(told("steps", back)["steps"]) == 2


def test_where_a_server_leaves_out_parents_the_zip_tells_the_branches() -> None:
    found = oh_tui("--demo=agent", "conversations", "Greek", "--all").stdout.split("\t")[0]
    assert len(told("--demo=agent", "steps", found)["steps"]) == 7
    first = told("--demo=agent", "steps", found, "--branch", "1")
    schemas.check("steps", first)
    assert (len(first["steps"]), first["branch"]["number"], first["branch"]["count"]) == (4, 1, 2)
    done = oh_tui("--demo=agent", "steps", found, "--branch", "3")
    assert done.returncode == 2 and "it has 1 to 2, or all" in done.stderr
