"""`oh-tui start --times`, and `oh-tui attempts`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oh_tui import cli
from oh_tui.demo.world import AgentVersion
from tests.commands.conftest import Served, serve
from tests.commands.schemas import check

FOLDER = "/workspace/dates"


@pytest.fixture(scope="module")
def alone() -> Iterator[Served]:
    with serve("agent") as one:
        one.demo.world.agent_version = AgentVersion.NEW
        yield one


class Shell:
    def __init__(self, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self._url, self._capsys = url, capsys

    def run(self, *words: str, code: int = 0) -> tuple[str, str]:
        done = cli.main(["--server", self._url, *words])
        out, err = self._capsys.readouterr()
        assert done == code, err
        return out, err

    def json(self, *words: str, code: int = 0) -> Any:
        document = json.loads(self.run(*words, "--json", code=code)[0])
        check(words[0], document)
        return document


@pytest.fixture
def shell(alone: Served, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(alone.url, capsys)


@pytest.fixture(autouse=True)
def me(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "gitconfig"
    config.write_text("[user]\n\tname = Ada L.\n\temail = ada@example.org\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.chdir(tmp_path)


START = ("start", "Fix the dates", "--folder", FOLDER, "--times", "3", "--verify", "cat new.txt")


@pytest.fixture
def group(shell: Shell) -> str:
    document = shell.json(*START, "--yes")
    for one, text in zip(document["attempts"], ("a", "b", "a"), strict=True):
        name = "new.txt" if text == "a" else "tests/test_new.py"
        shell.run("exec", one["id"], "--", f"printf {text} > {name}")
    return str(document["group"])


def test_one_question_has_the_sum_of_the_limits(shell: Shell) -> None:
    _, said = shell.run(*START, code=2)
    assert "This starts 3 agents, which may cost money, without a limit: --stop-at sets" in said
    assert "Each works in a worktree of its own. The worktree starts from 9c1185a" in said
    assert "Not committed, so not in it, are CHANGELOG.md" in said
    _, said = shell.run(*START, "--stop-at", "1.50", "--profile", "default,careful", code=2)
    assert "This starts 6 agents" in said and "about $9.00 in all, while this command runs" in said


def test_a_start_prints_the_ids_and_names_the_group(shell: Shell, alone: Served) -> None:
    out, said = shell.run(*START, "--yes")
    ids = out.split()
    assert len(ids) == 3 and all(one in alone.demo.world.conversations for one in ids)
    groups = shell.json("attempts")["groups"]
    (named,) = [one for one in groups if one["ids"] == ids]
    assert f"oh-tui attempts {named['group']} --verify compares them" in said
    assert (named["title"], named["verify"]) == ("Fix the dates", "cat new.txt")


def test_the_table_says_what_is_known(shell: Shell, group: str) -> None:
    rows = shell.json("attempts", group)["attempts"]
    assert [one["passes"] for one in rows] == [None, None, None]
    assert [one["same_as"] for one in rows] == [None, None, 1]
    assert [[f["path"] for f in one["files"]] for one in rows] == [
        ["new.txt"], ["tests/test_new.py"], ["new.txt"],
    ]  # fmt: skip
    first, second, third = (
        line.split("\t") for line in shell.run("attempts", group[:6])[0].splitlines()
    )
    assert first[3:7] == ["not run", "no", "1", "+1 -0"]
    assert second[4] == "✗ tests/test_new.py" and third[-1] == "same change as 1"


def test_verifying_tells_who_passes_and_is_kept(shell: Shell, group: str) -> None:
    rows = shell.json("attempts", group, "--verify")["attempts"]
    assert [(one["passes"], one["exit_code"]) for one in rows] == [
        (True, 0), (False, 1), (True, 0),
    ]  # fmt: skip
    shell.run("exec", rows[2]["conversation"]["id"], "--", "printf b > new.txt")
    words = [line.split("\t")[3] for line in shell.run("attempts", group)[0].splitlines()]
    assert words == ["OK", "exit 1", "not run since its last change"]


def test_no_pass_is_an_exit_code(shell: Shell) -> None:
    document = shell.json(*START[:-1], "exit 3", "--yes")
    assert not any(
        one["passes"]
        for one in shell.json("attempts", document["group"], "--verify", code=1)["attempts"]
    )


def test_one_is_accepted_by_commit_or_patch(shell: Shell, group: str, tmp_path: Path) -> None:
    _, said = shell.run("attempts", group, "--accept", "2", code=2)
    assert "it changed tests: tests/test_new.py" in said
    assert "This commits it to openhands/" in said and "as Ada L." in said
    assert "verify not run" in said
    done = shell.json("attempts", group, "--accept", "1", "--yes")
    assert done["attempt"] == 1 and len(done["commit"]) == 40 and done["patch"] is None
    first, second, _ = shell.json("attempts", group)["attempts"]
    assert not first["uncommitted"] and second["uncommitted"] == ["tests/test_new.py"]
    path = tmp_path / "fix.patch"
    out, _ = shell.run("attempts", group, "--accept", "3", "--to", str(path))
    assert "bytes for git apply" in out and "+a" in path.read_text()
    _, said = shell.run("attempts", group, "--accept", "3", "--to", str(path), code=2)
    assert "is there already" in said


def test_no_identity_is_no_commit(
    shell: Shell, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    _, said = shell.run("attempts", group, "--accept", "1", "--yes", code=2)
    assert "Git here does not know who you are" in said


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("start", "Fix", "--verify", "true"), "are for attempts"),
        (("start", "Fix", "--times", "2"), "The command that verifies has one line"),
        ((*START, "--no-run"), "Attempts take no --no-run"),
        ((*START, "--times", "13"), "is not a number of attempts"),
        (("start", f"Fix {FOLDER}/a.py", *START[2:]), "leads each attempt out of its worktree"),
        (("attempts", "--verify"), "Nothing says which attempts"),
        (("attempts", "none"), "There is no group of attempts that begins with none"),
        (("attempts", "x", "--to", "y"), "--to is for a patch"),
    ],
)
def test_what_makes_no_sense_is_refused(shell: Shell, words: tuple[str, ...], why: str) -> None:
    _, said = shell.run(*words, code=2)
    assert why in said


def test_read_only_looks_and_does_nothing(shell: Shell, group: str) -> None:
    shell.run("attempts", group, "--read-only")
    for words in (("--verify",), ("--accept", "1", "--yes")):
        _, said = shell.run("attempts", group, *words, "--read-only", code=2)
        assert "--read-only forbids" in said


def test_an_agent_stops_at_what_it_may_cost(
    shell: Shell, alone: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oh_tui.commands.framework.waiting.POLL", 0.05)
    monkeypatch.setattr("oh_tui.commands.framework.waiting.IDLE", 0.2)
    _, said = shell.run(*START, "--yes", "--stop-at", "0.01", code=1)
    assert "the cost of some is not known" in said
