"""Sums over runs that are in the library are those over the runs themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from oh_tui.batch.cached_rows import known_rows
from oh_tui.sources.file_source import FileSource
from scripts.many_runs import Maker, write_outputs, write_zip
from tests.processes import oh_tui

MAKER = Maker(seed=11, events=20)
RUNS = 6


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "runs"
    (output,) = write_outputs(folder, RUNS, MAKER)
    labels = {"resolved_ids": [MAKER.made(0).name], "unresolved_ids": [MAKER.made(1).name]}
    (output.parent / "output.report.json").write_text(json.dumps(labels))
    write_zip(output.parent / "one.zip", MAKER, RUNS)
    assert oh_tui("index", folder).returncode == 0
    return folder


def both(*words: str | Path) -> tuple[str, str]:
    found = [oh_tui(*before, "stats", *words) for before in ((), ("--no-library",))]
    assert [one.returncode for one in found] == [0, 0], found
    return found[0].stdout, found[1].stdout


def known(runs: Path, cache: Path) -> tuple[int, int]:
    """How many rows are known, and how many runs have to be read."""
    source = FileSource([runs])
    listed = source.conversations()
    ahead = known_rows(cache / "oh-tui", source)(listed, listed)
    source.close_files()
    return len(ahead.results), len(ahead.remaining)


@pytest.mark.parametrize(
    "by",
    ["model,repo", "label", "cause", "benchmark", "day", "week", "trigger", "automation", "fork"],
)
def test_the_sums_are_the_same(runs: Path, tmp_path: Path, by: str) -> None:
    assert known(runs, tmp_path / "cache") == (RUNS + 1, 0)
    with_it, without = both(runs, "--by", by, "--csv")
    assert with_it == without
    assert len(with_it.splitlines()) > 1


def test_the_range_before_is_the_same(runs: Path) -> None:
    times = ("after:2026-03-01T00:04", "before:2026-03-01T00:08")
    words = (*times, "--compare-before", "--by", "day", "--json")
    with_it, without = (json.loads(text) for text in both(runs, *words))
    assert with_it == without
    assert (with_it["total"]["runs"], with_it["before"]["sums"]["runs"]) == (4, 2)


def test_files_of_any_name_are_known(runs: Path, tmp_path: Path) -> None:
    odd = runs / 'a#1 "b" ü\\\N{HEAVY BLACK HEART}'
    (runs / "part-000").rename(odd)
    write_zip(odd / "run#2.zip", MAKER, RUNS + 1)
    assert oh_tui("index", runs).returncode == 0
    assert known(runs, tmp_path / "cache") == (RUNS + 2, 0)
    assert known(odd / "run#2.zip", tmp_path / "cache") == (1, 0)


def test_words_count_too(runs: Path) -> None:
    with_it, without = both(runs, f"model:{MAKER.made(0).model}", "is:failed", "--json")
    assert with_it == without


def test_what_changed_since_is_read(runs: Path, tmp_path: Path) -> None:
    with (runs / "part-000" / "output.jsonl").open("a") as file:
        file.write(json.dumps(MAKER.row(RUNS + 1)) + "\n")
    assert known(runs, tmp_path / "cache") == (1, RUNS + 1)
    with_it, without = both(runs, "--csv")
    assert with_it == without


def test_runs_whose_file_is_gone_are_told(runs: Path) -> None:
    (runs / "part-000" / "one.zip").unlink()
    for words in (("stats", runs), ("grep", "nosuchtext", runs)):
        done = oh_tui(*words)
        assert done.stderr == "oh-tui: 1 run of the index can no longer be read\n"
    assert oh_tui("stats", runs / "part-000" / "output.jsonl").stderr == ""
