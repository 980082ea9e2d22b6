"""`oh-tui failures`: its sums are those of `oh-tui steps`, and it tells what helped."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui import cli
from oh_tui.sources.across_runs import failure_rows
from oh_tui.sources.across_runs.failure_rows import Failures, RunFailures
from oh_tui.trajectory.analysis.alike.failed_steps import FAILED, RunFailure, failures_of
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import Trajectory
from scripts.many_runs import Maker, write_outputs
from tests.commands import schemas
from tests.commands.conftest import Served
from tests.demo_runs import demo_events
from tests.processes import oh_tui
from tests.trajectory.made import failure, output, shell

RUNS = ("week-dates", "erp-dates", "oauth", "broken", "team", "hostile", "dep-bump", "eslint")

OUTCOMES = {str(outcome) for outcome in FAILED}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    (folder / "zips").mkdir()
    for slug in RUNS:
        with zipfile.ZipFile(folder / "zips" / f"{slug}.zip", "w") as archive:
            archive.writestr("meta.json", json.dumps({"title": slug}))
            for place, event in enumerate(demo_events(slug)):
                archive.writestr(f"event_{place:06}_{event.id}.json", event.raw())
    write_outputs(folder / "made", 6, Maker(seed=3, events=30), part=3)
    return folder


def document(capsys: pytest.CaptureFixture[str], *words: str | Path) -> Any:
    cli.main([*map(str, words), "--json"])
    return json.loads(capsys.readouterr().out)


def test_its_steps_are_the_failed_ones_of_steps(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = (folder / "zips", folder / "made")
    found = document(capsys, "failures", *both)
    schemas.check("failures", found)
    listed = document(capsys, "conversations", *both, "--all")["conversations"]
    failed = 0
    for one in listed:
        place = one["source"] + (f"#{one['id']}" if one["source"].endswith(".jsonl") else "")
        steps = document(capsys, "steps", place, "--branch", "all")["steps"]
        failed += sum(step["outcome"] in OUTCOMES for step in steps)
    assert found["failed_steps"] == failed == sum(row["steps"] for row in found["failures"])
    assert found["runs"] == len(listed) == len(RUNS) + 6


def test_one_failure_of_two_runs_is_one_row(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = document(capsys, "failures", folder, "--min", "2")
    [row] = [row for row in found["failures"] if row["line"].startswith("no date: ")]
    assert (row["tool"], row["kind"], row["runs"]) == ("terminal", "ValueError", 2)
    assert row["recovered"] == 2 and row["next"][0]["runs"] == 2
    assert row["next"][0]["what"].startswith("edit ") and row["first"] < row["last"]
    assert all(row["runs"] >= 2 for row in found["failures"])
    every = document(capsys, "failures", folder)
    assert row in every["failures"] and len(every["failures"]) > len(found["failures"])
    assert every["failed_steps"] == found["failed_steps"]


def test_words_narrow_the_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "failures", folder, "title:erp-dates")
    assert found["runs"] == 1 and all(row["runs"] == 1 for row in found["failures"])
    assert document(capsys, "failures", folder, "title:nosuch")["failures"] == []


def test_by_the_index_runs_without_a_failed_step_are_not_read(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    whole = document(capsys, "failures", folder)
    assert cli.main(["index", str(folder)]) == 0
    capsys.readouterr()
    read = list[str]()

    def noting(run: Trajectory) -> list[RunFailure]:
        read.append("failed" if failures_of(run) else "not")
        return failures_of(run)

    monkeypatch.setattr(failure_rows, "failures_of", noting)
    assert document(capsys, "failures", folder) == whole
    assert set(read) == {"failed"} and len(read) < whole["runs"]


def test_csv_has_a_row_for_each(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "failures", folder)["failures"]
    assert cli.main(["failures", str(folder), "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["id"], int(row["steps"])) for row in rows] == [
        (row["id"], row["steps"]) for row in found
    ]
    assert cli.main(["failures", str(folder), "--csv", "title:nosuch"]) == 0
    assert capsys.readouterr().out.startswith("id,tool,kind,line,runs,")


def test_a_table_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["failures", str(folder), "--min", "2"]) == 0
    assert "ValueError" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--min", "0"], ["--min", "x"], ["--csv", "--json"]])
def test_wrong_use_is_named(folder: Path, words: list[str]) -> None:
    assert cli.main(["failures", str(folder), *words]) == 2


def test_of_a_server_it_says_what_is_not_read(served: Served, tmp_path: Path) -> None:
    environment = {"OPENHANDS_API_KEY": "any", "XDG_CACHE_HOME": str(tmp_path)}
    done = oh_tui("failures", "--server", served.url, "--json", **environment)
    assert done.returncode == 0 and "left out: " in done.stderr
    found = json.loads(done.stdout)
    assert found["failures"] == [] and found["left_out"]["not_kept"] > 10


# over many events

ERRORS = ("KeyError: 'x'", "fatal: not here", "step 3 is odd", "step 4 is odd", "")


def _events(draws: list[tuple[int, int]]) -> list[Event]:
    found: list[Event] = []
    for place, (kind, text) in enumerate(draws):
        id = f"e{place}"
        found.append(shell(id, f"do {text % 3}", second=place))
        if kind == 3:
            found.append(failure(id, ERRORS[text], second=place + 0.5))
        elif kind < 3:
            found.append(output(id, ERRORS[text], kind, second=place + 0.5))
    return found


RUN = st.lists(st.tuples(st.integers(0, 4), st.integers(0, len(ERRORS) - 1)), max_size=12)


@given(st.lists(RUN, max_size=6))
def test_sums_equal_a_plain_computation(drawn: list[list[tuple[int, int]]]) -> None:
    sums = Failures()
    steps: dict[tuple[str, ...], list[tuple[int, int, float | None]]] = defaultdict(list)
    recovered: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for number, draws in enumerate(drawn):
        run = Trajectory()
        run.extend(_events(draws))
        found = failures_of(run)
        sums.add(str(number), RunFailures(number % 2 == 0, found))
        for one in found:
            recovered[one.failure] |= {str(number)} if one.recovered else set()
        for step in run.steps:
            if run.outcome(step) in FAILED:
                alone = Trajectory()
                alone.extend([step.event, *step.results])
                [one] = failures_of(alone)
                steps[one.failure].append((number, step.number, step.event.seconds()))
    rows = sums.rows()
    assert sums.failed_steps == sum(map(len, steps.values())) == sum(row.steps for row in rows)
    assert {row.failure for row in rows} == set(steps)
    for row in rows:
        of_it = steps[row.failure]
        runs = {number for number, _, _ in of_it}
        times = [when for _, _, when in of_it if when is not None]
        assert (row.runs, row.steps) == (len(runs), len(of_it))
        assert (row.first, row.last) == (min(times), max(times))
        assert row.ended_well == sum(number % 2 == 0 for number in runs)
        assert (int(row.example.run), row.example.step) in {(a, b) for a, b, _ in of_it}
        others = {str(number) for number in runs} - recovered[row.failure]
        for example, among in (
            (row.recovered_example, recovered[row.failure]),
            (row.failed_example, others),
        ):
            assert example.run in among if example else not among
        assert sum(runs for _, runs in row.helped) <= row.recovered <= row.runs
    assert sums.rows(2) == [row for row in rows if row.runs >= 2]
