"""`oh-tui conversations` with filter words and orders."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.processes import oh_tui


def demo(*words: str) -> subprocess.CompletedProcess[str]:
    return oh_tui("--demo", *words)


def titles(*words: str) -> list[str]:
    done = demo("conversations", *words)
    assert done.returncode == 0, done.stderr
    return [line.split("\t")[-1] for line in done.stdout.splitlines()]


def test_words_narrow_in_any_number_of_arguments() -> None:
    every = titles()
    failed = titles("is:failed")
    assert 0 < len(failed) < len(every)
    assert titles("is:failed repo:dates") == ["Parse ISO week dates"]
    assert titles("repo:dates", "is:failed", "--limit", "3") == ["Parse ISO week dates"]
    with_subs = set(titles("--all", "--sub"))  # `is:` has sub-conversations anyway
    assert set(titles("-is:failed", "--all")) == with_subs - set(failed)
    assert titles('title:"WEEK D"') == ["Parse ISO week dates"]  # which the server was asked for


def test_all_are_sorted_before_they_are_cut() -> None:
    rows = json.loads(demo("conversations", "--sort", "cost", "--all", "--json").stdout)
    costs = [one["cost"] for one in rows["conversations"]]
    known = [cost for cost in costs if cost]
    assert known == sorted(known, reverse=True)
    assert not any(costs[len(known) :])  # what is not known stands at the end
    cut = json.loads(demo("conversations", "--sort", "cost", "--limit", "2", "--json").stdout)
    assert [one["cost"] for one in cut["conversations"]] == known[:2]
    assert cut["more"] is True
    assert titles("--sort", "title", "--limit", "1") == [min(titles("--all"), key=str.casefold)]


def test_outcomes_that_are_not_known_are_counted_on_stderr() -> None:
    done = demo("conversations", "is:failed", "--all")
    assert "2 other conversations: outcome unknown" in done.stderr
    assert "not known" not in demo("conversations", "repo:dates", "--all").stderr


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("is:fialed", "did you mean failed?"),
        ("reop:x", "did you mean repo:"),
        ("nosuch.zip", "There is no file or folder nosuch.zip"),
    ],
)
def test_wrong_words_are_refused_with_a_suggestion(word: str, told: str) -> None:
    done = demo("conversations", word) if ":" in word else oh_tui("conversations", word)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr


def test_what_is_a_file_is_a_path_and_all_else_filter_words(run_file: Path) -> None:
    folder = run_file.parent
    for words in ((folder, "dates"), (folder, run_file, "is:stuck", "week")):
        assert "Parse ISO week dates" in oh_tui("conversations", *words).stdout
    assert oh_tui("conversations", folder, "is:waiting").stdout == ""
    assert "There is no run x in" in oh_tui("conversations", f"{run_file}#x").stderr


@pytest.mark.parametrize(
    ("name", "words", "right"),
    [
        ("steps", "is:failed {run} tool:terminal", "{run} is:failed tool:terminal"),
        ("steps", "-is:failed 477f", "477f -is:failed"),
        ("export", "'took:>5s' is:failed {run}", "{run} 'took:>5s' is:failed"),
        ("export", "{run} is:failed {folder}", "{run} {folder} is:failed"),
        ("conversations", "is:stuck {folder} week", "{folder} is:stuck week"),
        ("stats", "{folder} week {run}", "{folder} {run} week"),
    ],
)
def test_words_before_a_run_are_told_the_right_order(
    run_file: Path, name: str, words: str, right: str
) -> None:
    named = {"run": str(run_file), "folder": str(run_file.parent)}
    done = oh_tui(name, *shlex.split(words.format(**named)))
    assert (done.returncode, done.stdout) == (2, "") and "words come after runs" in done.stderr
    assert f"oh-tui {name} {right.format(**named)}\n" in done.stderr
    assert "words come" not in oh_tui(name, *shlex.split(right.format(**named))).stderr


def test_behind_a_run_are_the_words_its_steps_must_match(run_file: Path) -> None:
    def numbers(*words: str | Path) -> list[int]:
        done = oh_tui("export", *words, "--to", "jsonl")
        assert done.returncode == 0, done.stderr
        lines = map(json.loads, done.stdout.splitlines())
        return [line["step"]["index"] for line in lines if "step" in line]

    failed = numbers(run_file, "is:failed tool:terminal")
    assert failed
    assert numbers(run_file, "is:failed", "tool:terminal") == failed
    assert set(numbers(run_file, "-is:failed", "tool:terminal")).isdisjoint(failed)
    assert "not a conversation id" in oh_tui("export", "is:failed").stderr
    counted = json.loads(demo("steps", "477f", "is:failed", "tool:terminal", "--json").stdout)
    assert len(counted["steps"]) == len(failed)


def test_changed_files_of_files_are_found_and_those_of_servers_not_known(run_file: Path) -> None:
    folder = run_file.parent
    assert "Parse ISO week dates" in oh_tui("conversations", folder, "changed:parse.py").stdout
    assert oh_tui("conversations", folder, "changed:nosuch").stdout == ""
    done = demo("conversations", "changed:src/", "repo:dates")
    assert done.stdout == ""
    assert "changed files unknown, only files say them" in done.stderr
