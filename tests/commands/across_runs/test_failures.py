"""`oh-tui failures`: its sums are those of `oh-tui steps`, and it tells what helped."""

from __future__ import annotations

import csv
import io
import json
import shlex
import shutil
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oh_tui import cli
from oh_tui.batch import step_facts
from oh_tui.batch.failure_rows import (
    COLUMNS,
    SORTS,
    Failures,
    FailuresJob,
    RunFailures,
    run_failure,
)
from oh_tui.batch.worker import RunFacts
from oh_tui.conversation import Conversation
from oh_tui.library.library import Library
from oh_tui.library.records import record_of
from oh_tui.trajectory import table_rows
from oh_tui.trajectory.findings.failure_signatures.failed_steps import failures_of
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import FAILED
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.table_rows import About
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
    found = document(capsys, "failures", *both(folder))
    schemas.check("failures", found)
    listed = document(capsys, "conversations", *both(folder), "--all")["conversations"]
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


def both(folder: Path) -> tuple[Path, Path]:
    return folder / "zips", folder / "made"


@pytest.fixture(scope="module")
def indexed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder with the index of all runs."""
    cache = tmp_path_factory.mktemp("cache")
    assert oh_tui("index", *both(folder), XDG_CACHE_HOME=str(cache)).returncode == 0
    return cache


@pytest.mark.parametrize(
    "words",
    [
        ["--json"],
        ["--json", "--by", "model"],
        ["--json", "--by", "repo,label", "--min", "2"],
        ["--json", "--sort", "recovered"],
        ["--csv"],
        ["--csv", "--by", "cause"],
        ["--json", "title:dates"],
        ["--json", "repo:forms", "after:2026-01-01", "-title:nosuch"],
        ["--csv", "model:claude", "before:2030-01-01"],
        ["--json", "is:finished"],
        ["--header"],
    ],
    ids=" ".join,
)
def test_the_index_tells_the_same(
    folder: Path,
    indexed: Path,
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(indexed))
    assert cli.main(["failures", *map(str, both(folder)), *words, "--no-library"]) == 0
    whole = capsys.readouterr().out
    monkeypatch.setattr(table_rows, "failure_rows", None)  # as no run is read
    assert cli.main(["failures", *map(str, both(folder)), *words]) == 0
    assert capsys.readouterr().out == whole
    assert len(whole.splitlines()) > 1


def test_a_run_that_changed_is_read(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "runs").mkdir()
    for slug in ("week-dates", "broken"):
        shutil.copy(folder / "zips" / f"{slug}.zip", tmp_path / "runs")
    assert cli.main(["index", str(tmp_path / "runs")]) == 0
    capsys.readouterr()
    shutil.copy(folder / "zips" / "erp-dates.zip", tmp_path / "runs" / "broken.zip")
    found = document(capsys, "failures", tmp_path / "runs")
    assert found == document(capsys, "failures", tmp_path / "runs", "--no-library")
    assert any(row["runs"] == 2 for row in found["failures"])


def test_by_a_group_the_counts_are_those_of_its_runs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = document(capsys, "failures", *both(folder), "--by", "model")
    schemas.check("failures", found)
    stats = document(capsys, "stats", *both(folder), "--by", "model")["groups"]
    runs = {group["names"]["model"]: group["runs"] for group in found["groups"]}
    assert runs == {group["names"]["model"]: group["runs"] for group in stats}
    assert len(runs) > 2
    names = ("runs", "steps", "ended_well", "recovered")
    for model in filter(None, runs):
        own = document(capsys, "failures", *both(folder), f"model:{model}")["failures"]
        assert {row["id"]: [row[name] for name in names] for row in own} == {
            row["id"]: [one[name] for name in names]
            for row in found["failures"]
            for one in row["groups"]
            if one["names"] == {"model": model}
        }
    for row in found["failures"]:
        assert sum(one["runs"] for one in row["groups"]) == row["runs"]


def test_what_recovered_can_be_compared_with_what_did_not(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = document(capsys, "failures", *both(folder))["failures"]
    assert all(
        (row["compare"] is None)
        == (row["recovered_example"] is None or row["failed_example"] is None)
        for row in rows
    )
    assert all(row["example"] in (row["recovered_example"], row["failed_example"]) for row in rows)
    commands = [row["compare"] for row in rows if row["compare"]]
    program, *words = shlex.split(commands[0])
    assert program == "oh-tui" and cli.main([*words, "--json"]) in (0, 1)
    assert json.loads(capsys.readouterr().out)["a"]


@pytest.mark.parametrize("sort", SORTS)
def test_rows_are_sorted(folder: Path, sort: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = document(capsys, "failures", *both(folder), "--sort", sort)["failures"]
    plain = document(capsys, "failures", *both(folder))["failures"]
    if sort == "well":
        values = [row["ended_well"] / row["runs"] for row in rows]
    else:
        values = [row[sort] for row in rows if row[sort] is not None]
    assert values == sorted(values, reverse=True) and len(values) > 2
    assert sorted(row["id"] for row in rows) == sorted(row["id"] for row in plain)


def lines(capsys: pytest.CaptureFixture[str], *words: str | Path) -> list[dict[str, Any]]:
    assert cli.main([*map(str, words), "--json"]) in (0, 1)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    "library",
    [
        pytest.param([], id="with the index"),
        pytest.param(["--no-library"], id="without", marks=pytest.mark.slow),
    ],
)
def test_the_id_of_a_failure_is_a_word(
    folder: Path,
    indexed: Path,
    library: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(indexed))
    where: tuple[Path | str, ...] = (*both(folder), *library)
    rows = document(capsys, "failures", *where)["failures"]
    assert len({row["id"][:6] for row in rows}) == len(rows) > 10
    if not library:
        monkeypatch.setattr(step_facts, "failures_of", None)  # as no run is read
    for row in rows:
        word = f"failure:{row['id'][:6].upper()}"
        found = document(capsys, "conversations", *where, word)["conversations"]
        assert len(found) == row["runs"]
        assert row["example"]["run"] in {one["id"] for one in found}
        others = document(capsys, "conversations", *where, f"-{word}")["conversations"]
        assert len(found) + len(others) == len(RUNS) + 6
    row = max(rows, key=lambda row: row["steps"])
    word = f"failure:{row['id'][:4]}"
    assert document(capsys, "failures", *where, word)["runs"] == row["runs"]
    assert document(capsys, "stats", *where, word)["total"]["runs"] == row["runs"]
    assert len(lines(capsys, "grep", word, *where)) == row["steps"]
    hits = lines(capsys, "grep", f"run.{word}", "is:failed", *where)
    assert len({(hit["source"], hit["run"]) for hit in hits}) == row["runs"]
    assert document(capsys, "conversations", *where, "failure:00ff00")["conversations"] == []
    assert lines(capsys, "grep", "failure:00ff00", *where) == []


def test_csv_has_a_row_for_each(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "failures", folder)["failures"]
    assert cli.main(["failures", str(folder), "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["id"], int(row["steps"])) for row in rows] == [
        (row["id"], row["steps"]) for row in found
    ]
    for row, told in zip(rows, found, strict=True):
        helped = told["next"][:1]
        assert row["next"] == "".join(one["what"] for one in helped)
        assert row["next_runs"] == "".join(str(one["runs"]) for one in helped)
        example = {"run": row["example_run"], "step": int(row["example_step"])}
        assert example == told["example"]
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


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("library"), writes=True) as library:
        yield library


RUN = st.lists(st.tuples(st.integers(0, 4), st.integers(0, len(ERRORS) - 1)), max_size=12)


@settings(max_examples=60)
@given(drawn=st.lists(RUN, max_size=6))
def test_sums_equal_a_plain_computation(
    drawn: list[list[tuple[int, int]]], library: Library
) -> None:
    sums, by_index = Failures(), Failures()
    steps: dict[tuple[str, ...], list[tuple[int, int, float | None]]] = defaultdict(list)
    recovered: dict[tuple[str, ...], set[str]] = defaultdict(set)
    read = dict[str, RunFailures]()
    for number, draws in enumerate(drawn):
        run = Trajectory()
        run.extend(_events(draws))
        told = FailuresJob()(run, RunFacts(Conversation(id=str(number))))
        read[str(number)] = told._replace(ended_well=bool(told.failures) and number % 2 == 0)
        sums.add(str(number), read[str(number)])
        record = record_of(run, About(), place=str(number), home="all", fingerprint="as now")
        assert record and library.put([record])
        for one in told.failures:
            recovered[one.failure] |= {str(number)} if one.recovered else set()
        for step in run.steps:
            if run.outcome(step) in FAILED:
                alone = Trajectory()
                alone.extend([step.event, *step.results])
                [one] = failures_of(alone)
                steps[one.failure].append((number, step.number, step.event.seconds()))
    of_run = "run_id = (SELECT id FROM runs WHERE place = ?)"
    sql = f"SELECT {', '.join(COLUMNS)} FROM failures WHERE {of_run}"
    for place, found in read.items():
        failures = [run_failure(values) for values in library.select(sql, place) or ()]
        by_index.add(place, found._replace(failures=failures))
    rows = sums.rows()
    assert by_index.rows() == rows and by_index.runs == sums.runs
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
        assert row.example in (row.recovered_example, row.failed_example)
        others = {str(number) for number in runs} - recovered[row.failure]
        for example, among in (
            (row.recovered_example, recovered[row.failure]),
            (row.failed_example, others),
        ):
            assert example.run in among if example else not among
        assert sum(runs for _, runs in row.helped) <= row.recovered <= row.runs
        assert [count.runs for _, count in row.groups] == [row.runs]
    assert sums.rows(2) == [row for row in rows if row.runs >= 2]


def test_a_narrow_terminal_has_what_failed_and_whole_groups(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")

    def printed(columns: int, *words: str) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(columns))
        cli.main(["failures", *map(str, both(folder)), *words])
        return capsys.readouterr().out.splitlines()

    assert {"last", "ended"} <= set(printed(160)[0].split())
    head, first, *_ = printed(80)
    assert " last " not in head and " ended well " not in head
    assert head.index("runs") - head.index("what failed") > 30
    assert first.index("…") >= 38
    found = printed(80, "--by", "day")
    assert [line for line in found[:-1] if len(line) > 80] == []
    groups = [line.strip() for line in found if line.startswith(" " * 10)]
    rows = document(capsys, "failures", *both(folder), "--by", "day")["failures"]
    told = [f"{one['names']['day']} {one['runs']:,} of" for row in rows for one in row["groups"]]
    assert told and all(one in " ".join(groups) for one in told)


def test_no_row_is_said_on_stderr(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words, told in (
        (("title:nope",), "oh-tui: no run matches\n"),
        (("--min", "99"), f"oh-tui: nothing failed in 99 or more of {len(RUNS) + 6} runs\n"),
    ):
        assert cli.main(["failures", *map(str, both(folder)), *words]) == 0
        assert capsys.readouterr() == ("", told)
