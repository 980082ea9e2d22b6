"""A run of which nothing can be read is counted as not read, by all that counts runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from oh_tui import runs
from oh_tui.text.problem import Problem
from tests.commands.mcp.using import Tools, use
from tests.processes import oh_tui
from tests.trajectory import evaluation_files
from tests.trajectory.evaluation_files import history, row

GOOD = [row("good-1", history(2)), row("good-2", history(3, failed=[2]))]
UNREAD: list[dict[str, Any]] = [
    {"instance_id": "bad-1", "test_result": {}, "conversation": [{"said": "of no known form"}]},
    {"instance_id": "bad-2", "history": ["text", 5], "test_result": {}},
]
SETS = {"all": UNREAD, "one": [*GOOD, UNREAD[0]], "none": GOOD}


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def made(folder: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """A folder with an output."""
    folder.mkdir()
    evaluation_files.write(folder / "output.jsonl", rows)
    return folder


COMMANDS = {
    "stats": ("stats", "PATH"),
    "stats of some": ("stats", "PATH", "is:finished"),
    "stats compared": ("stats", "PATH", "after:90d", "--compare-before"),
    "failures": ("failures", "PATH"),
    "audit": ("audit", "PATH"),
    "audit against": ("audit", "PATH", "--against", "resolved"),
    "junit": ("audit", "PATH", "--junit"),
    "grep": ("grep", "echo", "PATH"),
    "index": ("index", "PATH"),
    "tables": ("export", "PATH", "--to", "jsonl", "-o", "OUT"),
    "chat": ("export", "PATH", "--to", "chat"),
    "chat to a file": ("export", "PATH", "--to", "chat", "-o", "OUT"),
    "otlp": ("export", "PATH", "--to", "otlp"),
    "compare": ("compare", "PATH", "PATH"),
    "conversations": ("conversations", "PATH"),
    "conversations of some": ("conversations", "PATH", "is:finished"),
    "changed": ("conversations", "PATH", "changed:x.py"),
}


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("name", COMMANDS)
def test_what_was_not_read_is_said_and_is_no_empty_run(
    tmp_path: Path, name: str, kind: str
) -> None:
    path = made(tmp_path / "runs", SETS[kind])
    given = {"PATH": path, "OUT": tmp_path / "out"}
    found = oh_tui(*(given.get(word, word) for word in COMMANDS[name]))
    unread = [one["instance_id"] for one in SETS[kind] if one in UNREAD]
    assert [one for one in ("bad-1", "bad-2") if one in found.stderr] == unread
    assert "download" not in found.stderr
    if kind == "all":
        assert found.returncode == 2 and "nothing failed" not in found.stdout + found.stderr
    if kind == "none":
        assert found.returncode in (0, 1, 3)
    if kind == "one" and not name.startswith(("conversations", "changed")):
        assert found.returncode in (2, 3)


@pytest.mark.parametrize("kind", SETS)
def test_json_counts_them(tmp_path: Path, kind: str) -> None:
    path, count = made(tmp_path / "runs", SETS[kind]), len([r for r in SETS[kind] if r in UNREAD])
    for words in (["stats"], ["failures"], ["audit"], ["stats", "is:finished"]):
        found = json.loads(oh_tui(words[0], path, *words[1:], "--json").stdout)
        assert found["left_out"]["unread"] == count
    stats = json.loads(oh_tui("stats", path, "--json").stdout)
    assert stats["total"]["runs"] == stats["total"]["steps"]["known"] == len(SETS[kind]) - count
    listed = json.loads(oh_tui("conversations", path, "--json").stdout)
    assert (listed["not_read"], len(listed["conversations"])) == (count, len(SETS[kind]))
    compared = json.loads(oh_tui("compare", path, path, "--json").stdout)
    assert compared["totals"]["unread"] == count


@pytest.mark.parametrize("kind", SETS)
def test_an_index_that_lacks_them_says_so(tmp_path: Path, kind: str) -> None:
    path, count = made(tmp_path / "runs", SETS[kind]), len([r for r in SETS[kind] if r in UNREAD])
    oh_tui("index", path)
    found = oh_tui("query", "select count(*) from runs", "--csv")
    assert found.stdout.split()[-1] == str(len(SETS[kind]) - count)
    assert ("could not be read" in found.stderr) == bool(count)
    assert found.returncode == (2 if kind == "all" else 0)


@pytest.mark.parametrize("kind", SETS)
def test_scripts_and_clients_learn_of_them(tmp_path: Path, kind: str) -> None:
    path = made(tmp_path / "runs", SETS[kind])
    unread = [one["instance_id"] for one in SETS[kind] if one in UNREAD]
    refused = []
    for run in runs.open_all(path):
        try:
            assert run.verdict.word
        except Problem:
            refused.append(run.id)
    assert refused == unread

    async def ask(tools: Tools) -> None:
        for tool in ("stats", "failures", "audit"):
            assert (await tools(tool))["left_out"]["unread"] == len(unread)
        assert (await tools("find_runs"))["not_read"] == len(unread)
        found = await tools("search", words="echo")
        assert bool(unread) == any(unread[0] in one for one in found.get("remarks", []))

    use(ask, path)


def test_a_damaged_zip_among_others_is_one_of_them(tmp_path: Path) -> None:
    path = made(tmp_path / "runs", GOOD)
    (tmp_path / "runs" / "broken.zip").write_bytes(b"PK\x03\x04 no zip")
    found = oh_tui("stats", path, "--json")
    assert found.returncode == 2 and "broken.zip" in found.stderr
    assert json.loads(found.stdout)["left_out"]["unread"] == 1


def test_a_run_that_has_just_begun_is_an_empty_run(tmp_path: Path) -> None:
    (tmp_path / "run" / "events").mkdir(parents=True)
    (tmp_path / "run" / "base_state.json").write_text('{"id": "x", "agent": {}}')
    found = oh_tui("stats", tmp_path, "--json")
    assert found.returncode == 0 and json.loads(found.stdout)["total"]["runs"] == 1


def test_an_evaluation_that_tells_why_a_run_has_no_events_is_counted(tmp_path: Path) -> None:
    path = made(tmp_path / "runs", [row("a", error="No container")])
    found = oh_tui("stats", path, "--json")
    assert found.returncode == 0 and json.loads(found.stdout)["total"]["runs"] == 1
