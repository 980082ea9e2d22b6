"""Attempts on a real agent server, with a real git: three agents, one of which changes the test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.actions.test_attempt_scripts import git

from ..servers.alone import KEY, AgentServerAlone
from ..servers.alone import python as python_of
from ..servers.model import PRICED, Answer, Call, ScriptedModel

pytestmark = pytest.mark.live

VERSION = "1.58.2"
VERIFY = "PYTHONPATH=. python3 tests/test_calc.py"


@pytest.fixture(scope="module")
def server(folder: Path, model: ScriptedModel) -> Iterator[AgentServerAlone]:
    if not python_of(VERSION).exists():
        pytest.skip(f"agent server {VERSION} is not installed: see scripts/live_setup.py")
    turns = folder / "turns"
    turns.mkdir()
    fix, cheat = "sed -i s/-/+/ calc.py", "sed -i s/7/-1/ tests/test_calc.py"
    command = f"if mkdir {turns}/1 || ! mkdir {turns}/2; then {fix}; else {cheat}; fi; {VERIFY}"
    model.scripts["attempt"] = [
        Answer("", (Call("terminal", {"command": command}),)),
        Answer("It passes."),
    ]
    server = AgentServerAlone(VERSION, folder / "attempts", folder / "work", model)
    llm = {"model": PRICED, "api_key": "sk-scripted", "base_url": model.url}
    httpx.patch(
        f"{server.agent_url}/api/settings",
        json={"agent_settings_diff": {"llm": llm}},
        headers={"X-Session-API-Key": KEY},
        timeout=60,
        trust_env=False,
    ).raise_for_status()
    yield server
    server.close()


@pytest.fixture
def repo(folder: Path, tmp_path: Path) -> Path:
    for turn in (folder / "turns").glob("*"):
        turn.rmdir()
    repo = tmp_path / "dates"
    (repo / "tests").mkdir(parents=True)
    (repo / "calc.py").write_text("def add(a, b):\n    return a - b\n")
    (repo / "tests/test_calc.py").write_text("from calc import add\nassert add(3, 4) == 7\n")
    (repo / ".gitignore").write_text("__pycache__/\n.ready\n")
    git(repo, "init", "-q", "-b", "main")
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "first")
    (repo / "notes.txt").write_text("mine, not committed\n")
    return repo


class Shell:
    def __init__(self, url: str, home: Path) -> None:
        me = {"name": "Ada L.", "email": "ada@example.org"}
        home.mkdir()
        (home / ".gitconfig").write_text(
            "[user]\n" + "".join(f"\t{name} = {value}\n" for name, value in me.items())
        )
        self._url, self._home = url, home
        self._environment = os.environ | {"OPENHANDS_API_KEY": KEY, "HOME": str(home)}

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "oh_tui", *words, "--server", self._url]
        return subprocess.run(
            command,
            cwd=self._home,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=180,
        )

    def json(self, *words: str, code: int = 0) -> Any:
        done = self.run(*words, "--json")
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def shell(server: AgentServerAlone, tmp_path: Path) -> Shell:
    return Shell(server.agent_url, tmp_path / "home")


def started(shell: Shell, repo: Path, *words: str) -> tuple[str, list[Any]]:
    given = ("--folder", str(repo), "--times", "3", "--verify", VERIFY, "--yes", "--until-done")
    told = shell.json("start", "Fix the test, script:attempt", *given, *words)
    return told["group"], told["attempts"]


def test_three_attempts_are_told_apart_and_one_is_accepted(
    shell: Shell, repo: Path, tmp_path: Path
) -> None:
    before = git(repo, "status", "--porcelain"), git(repo, "rev-parse", "HEAD")
    group, begun = started(shell, repo, "--prepare", "touch .ready")
    folders = {one["folder"] for one in begun}
    assert len(folders) == 3 and str(repo) not in folders
    assert all((Path(folder) / ".ready").exists() for folder in folders)
    assert not (repo / ".ready").exists()
    (listed,) = [one for one in shell.json("attempts")["groups"] if one["group"] == group]
    assert (listed["attempts"], listed["verify"]) == (3, VERIFY)
    rows = shell.json("attempts", group)["attempts"]
    assert [one["passes"] for one in rows] == [None] * 3, "nothing was verified yet"
    rows = shell.json("attempts", group, "--verify")["attempts"]
    (sly,) = [one for one in rows if one["files"][0]["is_test"]]
    first, second = (one for one in rows if one is not sly)
    assert (sly["passes"], first["passes"], second["passes"]) == (False, True, True)
    assert second["same_as"] == first["attempt"] and sly["same_as"] is first["same_as"] is None
    assert [(f["path"], f["added"], f["removed"]) for f in first["files"]] == [("calc.py", 1, 1)]
    assert all(one["steps"] and one["conversation"]["cost"] for one in rows)
    assert not any(one["ground_changed"] for one in rows)
    again = shell.json("attempts", group)["attempts"]
    assert [one["passes"] for one in again] == [one["passes"] for one in rows]

    patch = tmp_path / "fix.patch"
    shell.json("attempts", group, "--accept", str(first["attempt"]), "--to", str(patch))
    git(repo, "apply", "--check", str(patch))
    done = shell.json("attempts", group, "--accept", str(first["attempt"]), "--yes")
    told = git(repo, "log", "-1", "--format=%H|%an <%ae>|%s", first["branch"]).split("|")
    assert told == [done["commit"], "Ada L. <ada@example.org>", "Fix the test, script:attempt"]
    assert git(repo, "show", f"{first['branch']}:calc.py").endswith("return a + b")
    now = shell.json("attempts", group)["attempts"]
    assert not now[first["attempt"] - 1]["uncommitted"] and now[sly["attempt"] - 1]["uncommitted"]
    assert (git(repo, "status", "--porcelain"), git(repo, "rev-parse", "HEAD")) == before


def test_what_leads_out_of_the_worktrees_is_refused(shell: Shell, repo: Path) -> None:
    words = ("start", f"Fix {repo}/calc.py", "--folder", str(repo), "--times", "2", "--yes")
    done = shell.run(*words, "--verify", VERIFY)
    assert done.returncode == 2 and "leads each attempt out of its worktree" in done.stderr
    done = shell.run(*words[:1], "Fix it", *words[2:], "--verify", f"cd {repo} && true")
    assert done.returncode == 2 and "The command that verifies names" in done.stderr
    bare = repo.parent / "bare"
    bare.mkdir()
    done = shell.run("start", "Fix it", "--folder", str(bare), "--times", "2", "--verify", "true")
    assert done.returncode == 2 and "git has no commit there" in done.stderr
    assert git(repo, "branch", "--format=%(refname:short)") == "main"


def test_a_preparation_that_fails_lets_no_agent_begin(shell: Shell, repo: Path) -> None:
    words = ("start", "Fix it, script:attempt", "--folder", str(repo), "--times", "2", "--yes")
    done = shell.run(*words, "--verify", VERIFY, "--prepare", "echo no such tool >&2; exit 3")
    assert done.returncode == 1 and "could not be prepared, so no agent began: no such tool" in (
        done.stderr
    )
    inside = f"echo x > {repo.parent}/dates/x"
    done = shell.run(*words, "--verify", VERIFY, "--prepare", inside)
    assert done.returncode == 2 and "The command that prepares names" in done.stderr
    sly = 'echo x > "$(git worktree list | head -1 | cut -d" " -f1)/x"'
    done = shell.run(*words, "--verify", VERIFY, "--prepare", sly)
    assert done.returncode == 1 and "The folder itself has changed" in done.stderr


def test_attempts_stop_at_what_they_may_cost(
    shell: Shell, repo: Path, model: ScriptedModel
) -> None:
    call = Call("terminal", {"command": "sleep 1"})
    model.scripts["spender"] = [Answer("", (call,)) for _ in range(60)]
    done = shell.run(
        "start", "Do script:spender", "--folder", str(repo), "--times", "2", "--verify", VERIFY,
        "--stop-at", "0.01", "--yes",
    )  # fmt: skip
    assert done.returncode == 4 and "about $0.02 in all" in done.stderr
    assert done.stderr.count("it stops after its step") == 2
    group = shell.json("attempts")["groups"][0]["group"]
    for one in shell.json("attempts", group)["attempts"]:
        assert one["conversation"]["status"] == "stopped" and one["steps"] < 60
