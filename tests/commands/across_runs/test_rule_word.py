"""`rule:NAME` finds the runs that break a rule, the same with the index and without."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from oh_tui import cli
from oh_tui.batch import rule_rows
from oh_tui.batch.cached_rows import known_rules
from oh_tui.batch.rules.cached_answers import digest, of_code, read_states, states_text
from oh_tui.batch.rules.rule import Severity
from oh_tui.batch.rules.rule_places import builtin_rules
from oh_tui.batch.rules.rules_file import parse_rules
from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.rules.question import State
from tests.demo_runs import demo_events

RUNS = ("week-dates", "docker-cache", "max-iterations", "oauth", "eslint", "pydantic", "broken")

OWN = """
[[rule]]
name = "never-ls"
why = "Why not"
steps = "tool:terminal"
never = true
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    for slug in RUNS:
        with zipfile.ZipFile(folder / f"{slug}.zip", "w") as archive:
            archive.writestr("meta.json", json.dumps({"title": slug}))
            for place, event in enumerate(demo_events(slug)):
                archive.writestr(f"event_{place:06}_{event.id}.json", event.raw())
    for name in ("CONFIG", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    return folder


def document(capsys: pytest.CaptureFixture[str], *words: str | Path) -> Any:
    assert cli.main([*map(str, words), "--json"]) in (0, 3)
    return json.loads(capsys.readouterr().out)


def found(capsys: pytest.CaptureFixture[str], folder: Path, words: str) -> set[str]:
    listed = document(capsys, "conversations", folder, words)["conversations"]
    return {one["title"] for one in listed}


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("has_index", [True, False])
def test_the_same_runs_as_audit_tells(
    folder: Path,
    has_index: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if has_index:
        assert cli.main(["index", str(folder)]) == 0
        capsys.readouterr()
    broken: dict[str, set[str]] = {rule.name: set() for rule in builtin_rules()}
    holds = {rule.name: set(RUNS) for rule in builtin_rules()}
    for run in document(capsys, "audit", folder)["runs"]:
        for one in run["broken"]:
            broken[one["rule"]].add(run["title"])
        for one in (*run["broken"], *run["not_known"]):
            holds[one["rule"]].discard(run["title"])
    assert sum(map(bool, broken.values())) > 4
    found(capsys, folder, "rule:no-installs")
    if has_index:
        monkeypatch.setattr(rule_rows, "StatesJob", None)  # as no run is read again
        cache = Path(os.environ["XDG_CACHE_HOME"], "oh-tui")
        source = FileSource(sorted(folder.iterdir()))
        rows = source.conversations()
        told = known_rules(cache, source, builtin_rules())(rows, rows)
        source.close_files()
        assert not told.remaining and len(told.results) == len(RUNS)
    for name, those in broken.items():
        assert found(capsys, folder, f"rule:{name}") == those
        assert found(capsys, folder, f"-rule:{name}") == holds[name]
    assert document(capsys, "stats", folder, "rule:no-installs")["total"]["runs"] == len(
        broken["no-installs"]
    )
    audited = document(capsys, "audit", folder, "rule:no-installs")["runs"]
    assert {run["title"] for run in audited} == broken["no-installs"]
    assert cli.main(["grep", "run.rule:no-installs is:failed", str(folder), "--json"]) == 0
    hits = map(json.loads, capsys.readouterr().out.splitlines())
    assert {hit["title"] for hit in hits} <= broken["no-installs"]


def test_other_rules_are_asked_anew(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["index", str(folder)]) == 0
    capsys.readouterr()
    assert "docker-cache" in found(capsys, folder, "rule:tested-before-commit")
    own = tmp_path / "CONFIG" / "oh-tui" / "rules.toml"
    own.parent.mkdir(parents=True)
    own.write_text(OWN)
    assert "docker-cache" in found(capsys, folder, "rule:never-ls")
    own.write_text(OWN.replace("tool:terminal", "tool:nosuch"))
    assert found(capsys, folder, "rule:never-ls") == set()
    assert len(found(capsys, folder, "-rule:never-ls")) == len(RUNS)


def test_a_name_that_is_none_and_a_faulty_file_are_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["conversations", str(folder), "rule:nosuch"]) == 2
    assert "There is no rule nosuch" in capsys.readouterr().err
    assert cli.main(["conversations", str(folder), "rule:No_Such"]) == 2
    assert "oh-tui audit --list" in capsys.readouterr().err
    own = tmp_path / "CONFIG" / "oh-tui" / "rules.toml"
    own.parent.mkdir(parents=True)
    own.write_text(OWN.replace("never = true", "never = 1"))
    assert cli.main(["conversations", str(folder), "rule:no-installs"]) == 2
    assert "line 6" in capsys.readouterr().err


def test_what_is_kept_is_read_with_care() -> None:
    rules = builtin_rules()
    states = {rule.name: State.HOLDS for rule in rules} | {"no-installs": State.NOTHING}
    text = states_text(rules, states)
    assert read_states(rules, text) == states
    assert read_states(rules[1:], text) is None
    for odd in ("", text[:-1], text.replace("holds", "is odd"), text.replace("no-inst", "nosuch")):
        assert read_states(rules, odd) is None, odd
    [own] = parse_rules(OWN).rules
    assert own.severity is Severity.MEDIUM and digest([own]) != digest(
        parse_rules(OWN.replace("tool:terminal", "tool:x")).rules
    )


def test_what_another_version_kept_is_asked_anew(tmp_path: Path) -> None:
    """Whoever changes how commands are read changes the hash, and need not know of it."""
    code = tmp_path / "trajectory" / "shell"
    code.mkdir(parents=True)
    (code / "programs.py").write_text("A = 1")
    before = of_code(tmp_path)
    of_code.cache_clear()
    (code / "programs.py").write_text("A = 2")
    assert of_code(tmp_path) != before
    of_code.cache_clear()
    package = Path(cli.__file__).parents[1]
    for room in ("trajectory/reading", "trajectory/rules", "text"):
        assert list((package / room).glob("*.py"))
    assert of_code() == of_code() != of_code(tmp_path / "nosuch")
