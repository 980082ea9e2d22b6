"""`oh-tui compare` of several sets: the grid of tasks and settings."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from oh_tui.batch.reports.grid import Attempt, names_of
from tests.commands.schemas import check
from tests.processes import oh_tui
from tests.trajectory.evaluation_files import history, metrics, row, write

TASKS = [f"task-{number}" for number in range(8)]


def setting(place: Path, resolved: list[str], rows: list[Any]) -> Path:
    place.mkdir(parents=True)
    ids = {one["instance_id"] for one in rows}
    errors = {one["instance_id"] for one in rows if one["error"]}
    told = {
        "resolved_ids": resolved,
        "unresolved_ids": sorted(ids - {*resolved} - errors),
        "error_ids": sorted(errors),
    }
    (place / "output.report.json").write_text(json.dumps(told))
    write(place / "output.jsonl", rows)
    return place


@pytest.fixture
def settings(tmp_path: Path) -> list[Path]:
    """The second resolves six tasks that the first does not; the third lacks two, and a limit of
    rates ended one of its runs."""
    plain = [row(one, history(2), metrics=metrics([0.25] * 3)) for one in TASKS]
    dearer = [row(one, history(2), metrics=metrics([0.5] * 3)) for one in TASKS]
    fewer = plain[2:]
    fewer[0] = row(TASKS[2], history(2), error="litellm.RateLimitError: slow down")
    return [
        setting(tmp_path / "base", TASKS[:1], plain),
        setting(tmp_path / "new", TASKS[:7], dearer),
        setting(tmp_path / "other", TASKS[5:6], fewer),
    ]


def told_of(*words: str | Path) -> Any:
    done = oh_tui("compare", *words, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    check("compare", told)
    return told


def test_settings_win_and_lose_against_the_first(settings: list[Path]) -> None:
    told = told_of(*settings)
    assert [one["name"] for one in told["settings"]] == ["base", "new", "other"]
    assert [(one["resolved"], one["labelled"]) for one in told["settings"]] == [
        (1, 8), (7, 8), (1, 6),
    ]  # fmt: skip
    new, other = told["against_first"]
    assert (new["wins"], new["losses"], new["ties"]) == (TASKS[1:7], [], 2)
    assert (new["mcnemar_p"], new["least_difference"]) == (0.03125, 6)
    assert new["measures"]["cost"] == {"pairs": 8, "difference": 0.75, "interval": [0.75, 0.75]}
    assert (other["wins"], other["tasks"], other["least_difference"]) == (TASKS[5:6], 6, None)
    assert [(one["setting"], one["base"]) for one in told["pairwise"]] == [(1, 0), (2, 0), (2, 1)]
    assert told["pairwise"][2]["losses"] == [TASKS[2], TASKS[3], TASKS[4], TASKS[6]]
    assert told["pairwise"][2]["broken"] == 1
    assert told["tasks"][0]["cells"][2] == []
    assert "pairs" not in told


def test_two_sets_are_a_grid_of_two_with_where_they_part(settings: list[Path]) -> None:
    told = told_of(*settings[:2])
    assert told["totals"]["resolved"]["gained"] == len(told["against_first"][0]["wins"]) == 6
    assert told["totals"]["mcnemar_p"] == told["against_first"][0]["mcnemar_p"]


def test_markdown_is_a_table_for_a_pull_request(settings: list[Path]) -> None:
    done = oh_tui("compare", *settings, "--to", "md")
    lines = done.stdout.splitlines()
    assert lines[:2] == ["| task | `base` | `new` | `other` |", "| --- | :-: | :-: | :-: |"]
    assert lines[2] == "| `task-0` | ✓ | ✓ | – |"
    assert lines[4] == "| `task-2` | ✗ | ✓ | rate limit |"
    assert (
        "- `new` against `base`: 6 won, 2 tied, 0 lost; unlikely to be chance (p 0.031); "
        in done.stdout
    )
    assert "broken from outside the agent: rate limit 1" in done.stdout


def test_csv_has_a_row_for_each_attempt(settings: list[Path]) -> None:
    done = oh_tui("compare", *settings, "--to", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == 8 + 8 + 6
    limited = next(one for one in rows if one["cell"] == "rate limit")
    assert (limited["setting"], limited["task"], limited["cost"]) == ("other", "task-2", "")


def test_tasks_that_flip_between_attempts_are_named(tmp_path: Path) -> None:
    """Two outputs in a folder are two attempts, as is a second row of an instance."""
    rows = [row(one, history(2)) for one in TASKS]
    setting(tmp_path / "a" / "run_1", TASKS[:2], rows)
    setting(tmp_path / "a" / "run_2", TASKS[:1], rows)
    b = setting(tmp_path / "b", TASKS, [*rows, row(TASKS[3], history(3), attempt=2)])
    told = told_of(tmp_path / "a", b)
    assert [one["tasks"] for one in told["settings"]] == [8, 8]
    assert told["settings"][0]["flips"] == [TASKS[1]]
    assert [len(one) for one in told["tasks"][3]["cells"]] == [2, 2]
    done = oh_tui("compare", tmp_path / "a", b)
    assert "1 task flips between attempts of a: task-1" in done.stdout


def test_runs_without_an_id_of_a_task_go_by_their_title(tmp_path: Path, run_file: Path) -> None:
    places = [tmp_path / name for name in ("a", "b", "c")]
    for place in places:
        place.mkdir()
        (place / f"{place.name}.zip").write_bytes(run_file.read_bytes())
        for task in ("Fix one.", "Fix two."):
            chat = [{"role": "user", "content": task}, {"role": "assistant", "content": "Done."}]
            (place / f"{task}json").write_text(json.dumps(chat))
    told = told_of(*places)
    assert len(told["tasks"]) == 3
    assert all([len(cell) for cell in one["cells"]] == [1, 1, 1] for one in told["tasks"])
    done = oh_tui("compare", *places, "--json", "--to", "csv")
    assert done.returncode == 2 and "--to and --json cannot be used together" in done.stderr


def test_names_from_files_break_no_table(tmp_path: Path) -> None:
    bad = "x | `@all` <b>\x1b[31m"
    places = [
        setting(tmp_path / name, [], [row(bad, history(1)), row("fine", history(1))])
        for name in ("a", "b", "c")
    ]
    done = oh_tui("compare", *places, "--to", "md")
    head, _, *lines = done.stdout.splitlines()
    assert "\x1b" not in done.stdout
    assert {line.count(" | ") for line in (head, *lines[:2])} == {3}


def test_what_is_no_set_is_refused(settings: list[Path], run_file: Path, tmp_path: Path) -> None:
    done = oh_tui("compare", run_file, run_file, run_file)
    assert done.returncode != 0 and "sets of runs" in done.stderr
    apart = setting(tmp_path / "c", [], [row(one, history(1)) for one in ("x", "y")])
    apart_too = setting(tmp_path / "d", [], [row(one, history(1)) for one in ("v", "w")])
    done = oh_tui("compare", apart, apart_too, "--to", "md")
    assert done.returncode == 2 and "no two settings have a task in common" in done.stderr


@pytest.mark.parametrize(
    ("label", "verdict", "cause", "cell"),
    [
        ("resolved", "error", "rate limit", "✓"),
        ("unresolved", "error", "The model did not answer in time.", "time-out"),
        ("", "error", "The model's service was not available.", "server error"),
        ("error", "finished", "Handed in; the evaluation failed: 502 Bad Gateway", "server error"),
        ("unresolved", "finished", "The tests say rate limit now", "✗"),
        ("", "error", "The run hit its limit of 500 iterations, so OpenHands stopped it.", "error"),
        ("", "stuck", "", "stuck"),
        ("", "", "", "not known"),
    ],
)
def test_cell_tells_what_the_events_tell(label: str, verdict: str, cause: str, cell: str) -> None:
    one = Attempt(label, verdict, cause, 1, None, None, False, None, None, None)
    assert one.cell == cell


def test_settings_are_named_by_what_differs() -> None:
    assert names_of(["/x/a/output.jsonl", "/x/b/output.jsonl"]) == ["a", "b"]
    assert names_of(["/x/a", "/x/a/b", "/y"]) == ["x/a", "x/a/b", "y"]
    assert names_of(["a/", "a"]) == ["a (1)", "a (2)"]
