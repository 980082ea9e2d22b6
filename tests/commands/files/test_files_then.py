"""`changes --at`, `--patch`, `blame` and `checkout`: the files of a run as they were at a step."""

from __future__ import annotations

import json
import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from oh_tui.text.redact import HIDDEN
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.events import Event
from tests.commands import schemas
from tests.demo_runs import demo_run
from tests.processes import oh_tui
from tests.trajectory.edited import edit, view

TOKEN = "ghp_" + "a1B2" * 9
PARSE = "dates/src/dates/parse.py"
"""The file that the run edits most, as commands show it."""


def told(name: str, *words: str | Path) -> dict[str, Any]:
    done = oh_tui(name, *words, "--json")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    schemas.check(name, document)
    return document


def write_run(path: Path, *pairs: Sequence[Event]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for place, event in enumerate(event for pair in pairs for event in pair):
            archive.writestr(f"event_{place:06}_{event.id}.json", event.raw())
    return path


@pytest.fixture
def secret_run(tmp_path: Path) -> Path:
    """A run that writes a token into a file."""
    made = edit("a", "/workspace/project/env.sh", None, f"TOKEN={TOKEN}\n")
    return write_run(tmp_path / "secret.zip", made)


def test_the_files_as_of_a_step_are_those_edited_by_then(run_file: Path) -> None:
    found = told("changes", run_file, "--at", "20")
    assert [(one["path"], one["steps"], one["added"]) for one in found["files"]] == [
        (PARSE, [9, 10, 11, 14, 19], 12),
        ("dates/tests/test_weeks.py", [7], 32),
    ]
    parse, weeks = found["files"]
    assert (parse["certain"], parse["state"], parse["since"]) == (
        False, "as of step 19; 1 command since may have changed it", [20],
    )  # fmt: skip
    assert weeks["created"] and not parse["created"]
    assert (found["changed"], found["added"], found["removed"]) == (2, 44, 0)


def test_at_the_last_step_it_is_the_sum_of_the_whole_run(run_file: Path) -> None:
    whole, found = told("changes", run_file), told("changes", run_file, "--at", "61")
    numbers = ("changed", "added", "removed")
    assert [found[name] for name in numbers] == [whole[name] for name in numbers]
    assert [one["path"] for one in found["files"]] == [one["path"] for one in whole["files"]]


@pytest.mark.parametrize("step", ["62", "x", "1.2", "12.", "-1"])
@pytest.mark.parametrize("words", [["changes"], ["blame", "parse.py"], ["checkout", "-o", "then"]])
def test_a_step_that_is_not_there_is_wrong_use(
    run_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], step: str
) -> None:
    monkeypatch.chdir(tmp_path)
    name, *rest = words
    done = oh_tui(name, run_file, *rest, f"--at={step}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no step" in done.stderr
    assert not Path("then").exists()


def test_blame_names_the_step_of_each_line(run_file: Path) -> None:
    found = told("blame", run_file, "parse.py", "--at", "34")
    assert (found["path"], found["at"], found["certain"]) == (PARSE, "34", True)
    study = Study(demo_run("week-dates"))
    files = study.files
    text = files.at_file(files.named("parse.py"), 34).text()
    assert text is not None
    assert "".join(f"{one['text']}\n" for one in found["lines"]) == text
    week = next(one for one in found["lines"] if one["text"].startswith("WEEK ="))
    assert (week["step"], week["origin"]) == (14, "edit")
    assert {one["step"] for one in found["lines"] if one["origin"] == "before"} == {None}


def test_blame_in_a_pipe_keeps_the_indentation(run_file: Path) -> None:
    done = oh_tui("blame", run_file, PARSE, "--at", "34")
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert ["before", "29", "    day: date"] in rows
    assert done.stderr == f"oh-tui: {PARSE}: certain\n"


def test_a_file_that_no_edit_changed_has_no_blame(run_file: Path) -> None:
    done = oh_tui("blame", run_file, "uv.lock")
    assert (done.returncode, done.stdout) == (2, "")
    assert "No editor or patch call of this run changed uv.lock" in done.stderr
    done = oh_tui("blame", run_file, "test_weeks.py", "--at", "3")
    assert done.returncode == 2 and "it was not there then" in done.stderr


def test_git_applies_the_patch_between_two_steps(run_file: Path, tmp_path: Path) -> None:
    for step, folder in (("20", "a"), ("61", "b")):
        assert oh_tui("checkout", run_file, "--at", step, "-o", tmp_path / folder).returncode == 0
    patch = oh_tui("changes", run_file, "--patch", "--from", "20")
    assert patch.returncode == 0, patch.stderr
    git = ["git", "apply", "-"]
    subprocess.run(git, cwd=tmp_path / "a", input=patch.stdout.encode(), check=True)
    a, b = (
        {str(one.relative_to(top)): one.read_text() for one in top.rglob("*") if one.is_file()}
        for top in (tmp_path / "a", tmp_path / "b")
    )
    assert a == b and "src/dates/parse.py" in a


def test_checkout_says_what_is_certain_and_writes_over_nothing(
    run_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "then"
    found = told("checkout", run_file, "--at", "34", "-o", folder)
    certain = {one["name"]: one["certain"] for one in found["files"]}
    assert certain["src/dates/parse.py"] and not certain["tests/test_weeks.py"]
    assert {str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()} == {
        one["name"] for one in found["files"] if one["name"]
    }
    again = oh_tui("checkout", run_file, "-o", folder)
    assert again.returncode == 2 and "nothing is written over" in again.stderr


def test_secrets_are_hidden_and_it_is_said(secret_run: Path, tmp_path: Path) -> None:
    found = told("checkout", secret_run, "-o", tmp_path / "masked")
    (file,) = found["files"]
    assert not file["certain"] and file["state"].endswith("; secrets in it are hidden")
    assert TOKEN not in (tmp_path / "masked" / "env.sh").read_text()
    raw = told("checkout", secret_run, "--raw", "-o", tmp_path / "raw")
    assert not raw["files"][0]["state"].endswith("hidden")
    assert (tmp_path / "raw" / "env.sh").read_text() == f"TOKEN={TOKEN}\n"
    patch = oh_tui("changes", secret_run, "--patch")
    assert TOKEN not in patch.stdout and HIDDEN in patch.stdout
    assert "1 secret hidden: the patch may not apply" in patch.stderr
    assert TOKEN in oh_tui("changes", secret_run, "--patch", "--raw").stdout
    assert TOKEN not in oh_tui("blame", secret_run, "env.sh").stdout


def test_blame_shows_no_line_of_a_private_key(tmp_path: Path) -> None:
    key = "-----BEGIN PRIVATE KEY-----\n" + "a1B2" * 12 + "\n-----END PRIVATE KEY-----\nend\n"
    path = write_run(tmp_path / "key.zip", edit("a", "/workspace/project/key.pem", None, key))
    texts = [line["text"] for line in told("blame", path, "key.pem")["lines"]]
    assert texts == [HIDDEN, HIDDEN, HIDDEN, "end"]
    assert "a1B2" not in oh_tui("blame", path, "key.pem").stdout


def test_a_patch_takes_a_step_by_its_event_and_none_that_is_not_there(run_file: Path) -> None:
    event = demo_run("week-dates").steps[19].event.id
    by_number = oh_tui("changes", run_file, "--patch", "--from", "20")
    assert oh_tui("changes", run_file, "--patch", "--from", event).stdout == by_number.stdout
    assert oh_tui("changes", run_file, "--patch", "--from", "62").returncode == 2


def test_from_and_raw_want_a_patch(run_file: Path) -> None:
    for words in (["--from", "3"], ["--raw"]):
        done = oh_tui("changes", run_file, *words)
        assert done.returncode == 2 and "add --patch" in done.stderr
    assert oh_tui("changes", run_file, "--patch", "--json").returncode == 2


def test_a_run_without_edits_says_so(tmp_path: Path) -> None:
    run = write_run(tmp_path / "reads.zip", view("a", "/workspace/project/a.py"))
    assert told("changes", run, "--at", "1")["files"] == []
    done = oh_tui("checkout", run, "-o", tmp_path / "then")
    assert done.returncode == 2 and "edited no file through the editor" in done.stderr
