"""`oh-tui changes` as used by people and scripts."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from oh_tui.documents import changed_files
from oh_tui.documents.changed_files import report
from oh_tui.text.problem import Problem
from oh_tui.trajectory.changes.changes import changes as changes_of
from oh_tui.trajectory.presentation.change_rows import rows
from tests.commands import schemas
from tests.demo_runs import demo_run
from tests.processes import oh_tui
from tests.trajectory.edited import A, edit
from tests.trajectory.made import message
from tests.trajectory.sub_agent_files import CHECK, folder, task, zip_of

DATES = "477fd351"
DOCS = "e7e49fd1"
"""Conversations of the demo."""


def saved(folder: Path, slug: str) -> str:
    path = folder / "run.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("meta.json", json.dumps({"title": "Dates"}))
        for number, event in enumerate(demo_run(slug).events):
            archive.writestr(f"event_{number:06}_{event.id}.json", event.raw())
    return str(path)


def test_into_a_pipe_go_the_files_and_what_is_said_of_them_elsewhere(tmp_path: Path) -> None:
    done = oh_tui("changes", saved(tmp_path, "week-dates"))
    assert done.returncode == 0
    assert done.stderr.startswith("oh-tui: changed 6 files +79 -1; from editor and patch calls")
    assert [line.split("\t") for line in done.stdout.splitlines()] == [
        ["dates/CHANGELOG.md", "", "1", "2", "", "55", "", ""],
        ["dates/src/dates/__main__.py", "2", "1", "2", "1", "53", "", ""],
        [
            "dates/src/dates/parse.py",
            "2",
            "7",
            "19",
            "",
            "49",
            "",
            "3 of 22 lines written are gone",
        ],
        ["dates/tests/test_main.py", "1", "1", "6", "", "44", "", ""],
        [
            "dates/tests/test_weeks.py",
            "1",
            "2",
            "31",
            "",
            "31",
            "",
            "new, 3 of 34 lines written are gone",
        ],
        [
            "dates/tests/test_weeks_prop.py",
            "",
            "3",
            "19",
            "",
            "40",
            "",
            "new, 1 of 20 lines written is gone",
        ],
    ]


def test_json_is_one_document_with_stable_keys(tmp_path: Path) -> None:
    done = oh_tui("changes", saved(tmp_path, "week-dates"), "--json")
    told = json.loads(done.stdout)
    assert list(told) == [
        "changed",
        "added",
        "removed",
        "lines_written",
        "lines_removed_later",
        "files",
        "only_read",
        "patch",
        "note",
        "commits",
        "server_files",
    ]
    assert (told["changed"], told["added"], told["removed"]) == (6, 79, 1)
    assert told["files"][2] == {
        "path": "dates/src/dates/parse.py",
        "sub_agent": None,
        "reads": 2,
        "edits": 7,
        "added": 19,
        "removed": 0,
        "created": False,
        "deleted": False,
        "whole": True,
        "last_step": 49,
        "steps": [9, 10, 11, 14, 19, 34, 49],
        "lines_written": 22,
        "lines_removed_later": 3,
        "git": None,
        "git_now": None,
        "patch": None,
    }


def test_a_sandbox_that_runs_has_git_beside_it() -> None:
    done = oh_tui("--demo", "changes", DATES)
    lines = {line.split("\t")[0]: line.split("\t")[6:] for line in done.stdout.splitlines()}
    assert lines["dates/src/dates/parse.py"] == ["M", "3 of 22 lines written are gone"]
    assert lines["dates/uv.lock"] == ["M", "outside the editor"]
    assert lines["dates/tests/test_weeks_prop.py"] == [
        "",
        "new, not in git, 1 of 20 lines written is gone",
    ]


@pytest.fixture
def git_texts(monkeypatch: pytest.MonkeyPatch) -> dict[str, str | Problem]:
    """What git in the demo has of files instead of their own text, by the end of the path."""
    from oh_tui.actions.workspace import Workspaces

    texts: dict[str, str | Problem] = {}
    true = Workspaces.git_text

    async def git_text(self: Workspaces, conversation: Any, path: str) -> str | None:
        told = next((text for end, text in texts.items() if path.endswith(end)), None)
        if isinstance(told, Problem):
            raise told
        return told or await true(self, conversation, path)

    monkeypatch.setattr(Workspaces, "git_text", git_text)
    return texts


def test_what_git_has_is_compared_with_the_last_versions(
    capsys: pytest.CaptureFixture[str], git_texts: dict[str, str | Problem]
) -> None:
    from oh_tui import cli

    git_texts["test_weeks.py"] = "import pytest\nx = 1\x1b[31m"
    git_texts["test_main.py"] = Problem("File too large for git diff")
    assert cli.main(["--demo", "changes", DATES]) == 0
    out, err = capsys.readouterr()
    assert "git has the same text of 3 files" in err
    assert "dates/tests/test_weeks.py: git differs +" in err and "step 31 left" in err
    assert "dates/tests/test_main.py: git: File too large for git diff" in err
    assert "import pytest" not in out, "a pipe gets rows alone"
    assert cli.main(["--demo", "changes", DATES, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    schemas.check("changes", document)
    told = {file["path"].rpartition("/")[2]: file["git_now"] for file in document["files"]}
    assert told["parse.py"] == {"step": 49, "same": True, "diff": ""}
    assert told["test_weeks.py"]["same"] is False
    assert "\n+x = 1" in told["test_weeks.py"]["diff"]
    assert [told[name] for name in ("test_main.py", "uv.lock", "test_weeks_prop.py")] == [None] * 3


def test_files_of_sub_agents_in_the_same_folder_are_named_with_their_steps(tmp_path: Path) -> None:
    home, b = "0" * 32 + "/", f"{A}b"
    parent = [*edit("1", A, "a\n", "b\n"), *task("t", "go", 0, 1)]
    child = [message("m", "go"), *edit("e", A, "b\n", "c\n"), *edit("f", b, None, "x\n", "create")]
    files = folder(home, parent) | folder(f"{home}subagents/{CHECK}/", child, CHECK)
    path = zip_of(tmp_path / "run.zip", files)
    done = oh_tui("changes", path)
    assert "sub-agents changed 2 files in the same folder" in done.stderr
    assert [line.split("\t") for line in done.stdout.splitlines()] == [
        ["src/a.py", "", "1", "1", "1", "1", "", ""],
        ["src/a.py", "", "1", "1", "1", "2.2", "", "by sub-agent 2"],
        ["src/a.pyb", "", "1", "1", "", "2.3", "", "by sub-agent 2, new"],
    ]
    told = json.loads(oh_tui("changes", path, "--json").stdout)
    schemas.check("changes", told)
    assert told["changed"] == 1
    steps = [(one["sub_agent"], one["steps"]) for one in told["files"]]
    assert steps == [(None, [1]), ("2", [2]), ("2", [3])]


def test_git_is_asked_for_a_bounded_number_of_files(
    capsys: pytest.CaptureFixture[str],
    git_texts: dict[str, str | Problem],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from oh_tui import cli

    monkeypatch.setattr(changed_files, "ASKED", 2)
    assert cli.main(["--demo", "changes", DATES]) == 0
    err = capsys.readouterr().err
    assert "the first 2 of 5 files are compared with git" in err
    assert "git has the same text of 2 files" in err


def test_a_run_without_edits_says_why_and_gives_no_table() -> None:
    done = oh_tui("--demo", "changes", DOCS)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "oh-tui: no steps are known, so neither is what they changed\n"


def test_pieces_are_explained() -> None:
    done = oh_tui("--demo", "changes", "ad87f837")
    assert "\noh-tui: pieces: only parts of the file are known" in done.stderr


def test_a_file_only_git_knows_has_nulls_for_what_the_run_would_tell() -> None:
    log, git = changes_of(demo_run("dep-bump")), [("M", "/workspace/project/uv.lock")]
    told: dict[str, Any] = report(log, rows(log, git), git)
    (file,) = told["files"]
    assert (file["path"], file["git"]) == ("uv.lock", "M")
    assert all(value is None for name, value in file.items() if name not in ("path", "git"))


def test_the_servers_own_files_are_counted_and_no_rows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from oh_tui import cli
    from oh_tui.actions.workspace import Workspaces
    from oh_tui.api.models import GitChange

    own = f"/tmp/sandbox/workspace/conversations/{'ab' * 16}/meta.json"

    async def lists(_self: object, _conversation: object) -> list[GitChange]:
        return [GitChange(own, "ADDED"), GitChange("/tmp/sandbox/mine.txt", "ADDED")]

    monkeypatch.setattr(Workspaces, "git_changes", lists)
    assert cli.main(["--demo", "changes", DATES]) == 0
    out, err = capsys.readouterr()
    assert own not in out and "mine.txt" in out
    assert "1 of the server's own files left out" in err
    assert cli.main(["--demo", "changes", DATES, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    schemas.check("changes", told)
    assert told["server_files"] == 1
    assert [one["path"] for one in told["files"] if one["git"]] == ["/tmp/sandbox/mine.txt"]


def test_git_that_does_not_answer_costs_only_its_column(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from oh_tui import cli
    from oh_tui.actions.workspace import Workspaces

    async def fails(self: Workspaces, conversation: object) -> None:
        raise Problem("git is asleep")

    monkeypatch.setattr(Workspaces, "git_changes", fails)
    assert cli.main(["--demo", "changes", DATES]) == 0
    out, err = capsys.readouterr()
    assert "git is asleep" in err
    assert "not in git" not in out
    assert "dates/src/dates/parse.py" in out


def test_an_empty_answer_of_git_is_not_said_to_be_of_a_repository(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from oh_tui import cli
    from oh_tui.actions.workspace import Workspaces

    async def lists_nothing(self: Workspaces, conversation: object) -> list[object]:
        return []

    monkeypatch.setattr(Workspaces, "git_changes", lists_nothing)
    assert cli.main(["--demo", "changes", DATES]) == 0
    out, err = capsys.readouterr()
    assert "or there is no repository" in err
    assert "not in git" not in out


def test_commits_of_the_run_are_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from oh_tui import cli
    from oh_tui.actions.workspace import Committed, Workspaces
    from oh_tui.api.models import GitChange, GitCommit

    commit = GitCommit("b" * 40, "bbbbbbb", "Read weeks", timestamp="2026-03-02T10:00:00+01:00")

    async def commits(self: Workspaces, conversation: object, since: float) -> list[Committed]:
        assert since > 0
        return [Committed(commit, [GitChange("/workspace/dates/a.py", "UPDATED")])]

    monkeypatch.setattr(Workspaces, "commits", commits)
    assert cli.main(["--demo", "changes", DATES]) == 0
    assert "committed bbbbbbb Read weeks  1 file" in capsys.readouterr().err
    assert cli.main(["--demo", "changes", DATES, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    schemas.check("changes", told)
    assert told["commits"] == [
        {
            "sha": "b" * 40,
            "subject": "Read weeks",
            "time": "2026-03-02T09:00:00Z",
            "files": [{"path": "/workspace/dates/a.py", "letter": "M"}],
        }
    ]
