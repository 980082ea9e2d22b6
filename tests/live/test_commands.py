"""Commands on real agent servers of three generations, and on runs kept by the CLI."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from oh_tui.demo.world import AgentVersion
from tests.processes import oh_tui

from .conftest import Runs, every_version
from .servers.cli import PROGRAM, VERSION, run_headless
from .servers.model import PRICED, ScriptedModel
from .servers.scripts import NOTES
from .servers.server import LiveServer

pytestmark = pytest.mark.live


def told(*words: str | Path, **environment: str) -> str:
    done = oh_tui(*words, **environment)
    assert done.returncode == 0, (words, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


def value(*words: str | Path, **environment: str) -> Any:
    return json.loads(told(*words, "--json", **environment))


def is_the_tour(run: tuple[str, ...], **environment: str) -> None:
    """What each command tells of a run of that script; `run` are the words that name it."""
    *at, identifier = run
    why = value(*at, "why", identifier, **environment)
    assert (why["verdict"]["word"], why["verdict"]["cause"]) == ("finished", "The tour is over.")
    found = value(*at, "check", identifier, **environment)
    assert (found["calls"], found["ok"], found["failed"], found["open"]) == (11, 7, 4, 0)
    steps = value(*at, "steps", identifier, **environment)
    assert len(steps["steps"]) == 12
    assert NOTES in told(*at, "changes", identifier, **environment)
    page = told(*at, "export", identifier, **environment)
    for words in ("hello from the sandbox", "No such file or directory", "side one"):
        assert words in page


@every_version
def test_a_run_is_listed_and_read(runs: Runs) -> None:
    at = ("--server", runs.url)
    listed = value(*at, "conversations", "--all")["conversations"]
    assert {runs.tour, runs.refused} <= {one["id"] for one in listed}
    is_the_tour((*at, runs.tour))
    assert value(*at, "why", runs.refused)["verdict"]["word"] == "error"


@every_version
def test_the_rules_of_a_context_are_those_of_the_server_that_wrote_the_run(
    runs: Runs, version: str
) -> None:
    rules = value("--server", runs.url, "context", runs.tour)["rules"]
    assert rules["certain"], rules
    if version == "1.17.0":  # the events of newer ones tell by themselves that they are
        assert rules["name"] == "SDK 1.17.0"


@pytest.mark.parametrize("version", [AgentVersion.OLD, AgentVersion.NEW], indirect=True)
def test_git_is_compared_with_what_the_run_left(runs: Runs, folder: Path) -> None:
    """Where the agent works in the folder of its server; in a process sandbox it does not."""
    work = folder / "work"
    notes = work / NOTES
    before = notes.read_text()

    def beside() -> Any:
        files = value("--server", runs.url, "changes", runs.tour)["files"]
        return next(one for one in files if one["path"].endswith(NOTES))

    subprocess.run(["git", "init", "-q"], cwd=work, check=True)
    try:
        now = beside()
        assert now["git"] == "A" and now["git_now"] == {"step": 5, "same": True, "diff": ""}
        notes.write_text(f"{before}more\n")
        now = beside()["git_now"]
        assert (now["same"], now["diff"]) == (False, "@@ -1,2 +1,3 @@\n one\n three\n+more")
    finally:
        notes.write_text(before)
        shutil.rmtree(work / ".git")


@every_version
def test_a_command_and_files_go_into_the_sandbox(runs: Runs, folder: Path, tmp_path: Path) -> None:
    at = ("--server", runs.url)
    assert told(*at, "exec", runs.tour, "--", "echo over there") == "over there\n"
    assert oh_tui(*at, "exec", runs.tour, "--", "exit 3").returncode == 3
    local, there = tmp_path / "a.txt", str(folder / "work" / "from-here.txt")
    local.write_text("here\n")
    told(*at, "put", runs.tour, local, there, "--yes")
    told(*at, "get", runs.tour, there, "-o", tmp_path / "b.txt")
    assert (tmp_path / "b.txt").read_text() == "here\n"


@every_version
def test_what_is_over_is_indexed_and_found_though_its_sandbox_is_up(
    runs: Runs, tmp_path: Path
) -> None:
    cache = {"XDG_CACHE_HOME": str(tmp_path)}
    at = ("--server", runs.url)
    done = value("index", *at, "--yes", **cache)
    assert done["indexed"] >= 3 and not done["left_out"]
    sums = value("stats", *at, **cache)
    assert sums["total"]["runs"] == done["indexed"]
    assert sums["left_out"]["going_on"] == done["going_on"]
    found = told("grep", "tour", *at, "-l", "--json", **cache)
    assert runs.tour in {json.loads(line)["run"] for line in found.splitlines()}
    again = value("index", *at, "--yes", **cache)
    assert (again["indexed"], again["unchanged"]) == (0, done["indexed"])


def test_what_a_server_does_not_hear_of_is_not_indexed_while_its_sandbox_is_up(
    deaf: tuple[LiveServer, str], tmp_path: Path
) -> None:
    server, identifier = deaf
    words = ("index", "--server", server.url, "--yes", "--json")
    ended = oh_tui(*words, XDG_CACHE_HOME=str(tmp_path))
    assert ended.returncode == 2, "it is not left out on purpose"
    done = json.loads(ended.stdout)
    assert done["indexed"] == 0
    assert [one["place"].partition("#")[2] for one in done["left_out"]] == [identifier]


def test_what_the_cli_has_kept_is_read(folder: Path, model: ScriptedModel) -> None:
    if not PROGRAM.exists():
        pytest.skip(f"OpenHands CLI {VERSION} is not installed: see scripts/live_setup.py")
    home = folder / "cli"
    home.mkdir()
    (folder / "work" / NOTES).unlink(missing_ok=True)
    tour = run_headless(home, model, "Please do script:tour", PRICED)
    refused = run_headless(home, model, "Please do script:refused")
    at = ("--server", "local")
    listed = value(*at, "conversations", HOME=str(home))["conversations"]
    assert {one["id"].replace("-", "") for one in listed} == {tour, refused}
    is_the_tour((*at, tour), HOME=str(home))
    assert value(*at, "why", refused, HOME=str(home))["verdict"]["word"] == "error"

    state = home / ".openhands" / "conversations" / tour / "base_state.json"
    usages = json.loads(state.read_text())["stats"]["usage_to_metrics"].values()
    totals = value(*at, "steps", tour, HOME=str(home))["totals"]
    assert totals["priced"]
    cost = sum(use["accumulated_cost"] for use in usages)
    assert totals["cost"] == pytest.approx(cost, abs=1e-6)
    spent = [use["accumulated_token_usage"] for use in usages]
    assert totals["tokens"]["prompt"] == sum(use["prompt_tokens"] for use in spent)
    latencies = [each["latency"] for use in usages for each in use["response_latencies"]]
    assert totals["llm_s"] == pytest.approx(sum(latencies), abs=0.001)
