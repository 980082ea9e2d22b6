"""`oh-tui stats`: its sums are those of `oh-tui why`, and it says what it leaves out."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from oh_tui import cli
from oh_tui.sources.file_source import FileSource
from scripts.many_runs import Maker, write_outputs, write_zip
from tests.commands import schemas
from tests.commands.conftest import Served
from tests.commands.shell import Shell, shell
from tests.demo_runs import SLUGS, demo_events
from tests.processes import oh_tui
from tests.trajectory.sub_agent_files import REPORTED, run_files, zip_of

__all__ = ["shell"]

RUNS = {"week-dates": "m1", "click": "m1", "max-iterations": "m2", "team": "m2", "hostile": ""}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for slug, model in RUNS.items():
        with zipfile.ZipFile(folder / f"{slug}.zip", "w") as archive:
            archive.writestr("meta.json", json.dumps({"title": slug, "llm_model": model}))
            for place, event in enumerate(demo_events(slug)):
                archive.writestr(f"event_{place:06}_{event.id}.json", event.raw())
    return folder


def document(capsys: pytest.CaptureFixture[str], *words: str | Path) -> Any:
    cli.main([*map(str, words), "--json"])
    return json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def of_all_kinds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each run of the demo, generated ones in outputs and zips, and one with sub-agents."""
    folder = tmp_path_factory.mktemp("kinds")
    for slug in SLUGS:
        with zipfile.ZipFile(folder / f"{slug}.zip", "w") as archive:
            for place, event in enumerate(demo_events(slug)):
                archive.writestr(f"event_{place:06}_{event.id}.json", event.raw())
    maker = Maker(seed=3, events=30)
    write_outputs(folder / "made", 24, maker, part=12)
    for number in range(24, 30):
        write_zip(folder / f"made-{number}.zip", maker, number)
    zip_of(folder / "team.zip", run_files("0" * 32 + "/", REPORTED))
    return folder


@pytest.mark.parametrize("kind", ["folder", pytest.param("of_all_kinds", marks=pytest.mark.slow)])
def test_sums_equal_those_of_why(
    kind: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = request.getfixturevalue(kind)
    found = document(capsys, "stats", folder, "--by", "model")
    schemas.check("stats", found)
    told: dict[str, list[Any]] = {}
    source = FileSource([folder])
    for row in source.conversations():
        why = document(capsys, "why", row.place, "--branch", "all")
        told.setdefault(why["conversation"]["model"] or "", []).append(why)
    source.close_files()
    assert {group["names"]["model"] for group in found["groups"]} == set(told)
    for group in [*found["groups"], found["total"]]:
        models = [group["names"]["model"]] if "names" in group else list(told)
        runs = [one for model in models for one in told[model]]
        costs = [one["conversation"]["cost"] for one in runs]
        known = [cost for cost in costs if cost is not None]
        assert group["runs"] == len(runs)
        assert group["cost"]["known"] == len(known)
        assert round(group["cost"]["total"] or 0, 6) == round(sum(known), 6)
        for name, count in (("steps", "steps"), ("errors", "errors")):
            assert group[name]["total"] == sum(one["counts"][count] for one in runs)
        words = [one["verdict"]["word"] or "unknown" for one in runs]
        assert group["endings"] == {word: words.count(word) for word in words}
        assert group["looped"] == sum(bool(one["counts"]["loop_steps"]) for one in runs)


def test_words_narrow_the_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "stats", folder, "is:stuck", "--by", "cause")
    assert [group["names"] for group in found["groups"]] == [{"cause": "stuck"}]
    assert document(capsys, "stats", folder, "model:nosuch")["groups"] == []


def test_csv_has_every_number(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["stats", str(folder), "--by", "model,day", "--csv", "--sort", "total"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["model"] for row in rows} == {"m1", "m2", ""}
    totals = [float(row["cost_total"] or 0) for row in rows]
    assert totals == sorted(totals, reverse=True)
    assert all(int(row["runs"]) >= int(row["cost_known"]) for row in rows)


def test_csv_without_a_run_has_its_head(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    heads = []
    for words in (["model:nosuch"], []):
        assert cli.main(["stats", str(folder), *words, "--by", "model,day", "--csv"]) == 0
        heads.append(capsys.readouterr().out.splitlines())
    (head,), (other, *_) = heads
    assert head == other and head.startswith("model,day,runs,")


def test_wrong_use_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["stats", str(folder), "--by", "colour"]) == 2
    assert "'colour' is not a grouping; choose model, repo" in capsys.readouterr().err
    assert cli.main(["stats", str(folder), "--csv", "--json"]) == 2


def test_on_the_demo_every_run_is_counted(shell: Shell) -> None:
    found = json.loads(shell("stats --by repo --json").out)
    listed = json.loads(shell("conversations --all --sub --json").out)["conversations"]
    assert found["total"]["runs"] == len(listed)
    assert found["left_out"] == {"not_kept": 0, "going_on": 0, "unread": 0, "unsure": 0}


def test_of_a_server_it_says_what_is_not_counted(served: Served, tmp_path: Path) -> None:
    environment = {"OPENHANDS_API_KEY": "any", "XDG_CACHE_HOME": str(tmp_path)}
    done = oh_tui("stats", "--server", served.url, "--json", **environment)
    assert done.returncode == 0 and "left out: " in done.stderr
    found = json.loads(done.stdout)
    assert found["total"]["runs"] == 0 and found["left_out"]["not_kept"] > 10


def write_runs(path: Path, *times: str | None) -> Path:
    """An output of an evaluation with a run that began and ended at each time, for a minute."""
    with path.open("w") as file:
        for number, time in enumerate(times):
            history = []
            for shift, source in enumerate(("user", "agent")):
                event: dict[str, Any] = {
                    "kind": "MessageEvent",
                    "id": f"{number}-{shift}",
                    "source": source,
                }
                event["llm_message"] = {"role": source, "content": [{"type": "text", "text": "x"}]}
                if time:
                    began = datetime.fromisoformat(time) + timedelta(minutes=shift)
                    event["timestamp"] = began.isoformat()
                history.append(event)
            row = {"instance_id": f"run-{number}", "history": history}
            file.write(json.dumps(row) + "\n")
    return path


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Runs on four days, of which one is in the week before, and two runs without a time."""
    return write_runs(
        tmp_path / "output.jsonl",
        "2026-11-18T10:00:00Z",
        "2026-11-18T11:00:00Z",
        "2026-11-24T12:00:00Z",
        "2026-11-27T10:00:00Z",
        None,
        None,
    )


def test_each_day_has_a_row_and_runs_without_a_time_have_their_own(
    output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = document(capsys, "stats", output, "--by", "day")
    schemas.check("stats", found)
    runs = {group["names"]["day"]: group["runs"] for group in found["groups"]}
    assert runs == {
        "": 2,
        "2026-11-18": 2,
        **{f"2026-11-{day}": 0 for day in range(19, 24)},
        "2026-11-24": 1,
        "2026-11-25": 0,
        "2026-11-26": 0,
        "2026-11-27": 1,
    }
    assert {"finished", "failed", "failed_steps"} <= found["groups"][0].keys()
    weeks = document(capsys, "stats", output, "--by", "week")["groups"]
    assert [(one["names"]["week"], one["runs"]) for one in weeks] == [
        ("", 2),
        ("2026-W47", 2),
        ("2026-W48", 2),
    ]
    cli.main(["stats", str(output), "--by", "week", "--csv"])
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["week"], row["runs"]) for row in rows] == [
        ("", "2"),
        ("2026-W47", "2"),
        ("2026-W48", "2"),
    ]
    narrowed = document(capsys, "stats", output, "--by", "day", "after:2026-11-20")["groups"]
    assert [one["names"]["day"] for one in narrowed] == [f"2026-11-{n}" for n in range(24, 28)]


@pytest.mark.parametrize("kind", ["rows", "zip"])
def test_a_run_without_steps_is_in_its_day_with_and_without_the_index(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prompt = {"kind": "SystemPromptEvent", "id": "1", "timestamp": "2026-11-20T10:00:00Z"}
    path = tmp_path / "output.jsonl"
    if kind == "rows":
        path.write_text(json.dumps({"instance_id": "a", "history": [prompt]}) + "\n")
    else:
        path = tmp_path / "run.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("event_000000_1.json", json.dumps(prompt))
    words = ["stats", str(path), "--by", "day", "--no-library"]
    read = document(capsys, *words)["groups"]
    assert [one["names"]["day"] for one in read] == ["2026-11-20"]
    cli.main(["index", str(path)])
    capsys.readouterr()
    assert document(capsys, *words[:-1])["groups"] == read


def test_the_range_before_stands_beside(
    output: Path, capsys: pytest.CaptureFixture[str], zone: str
) -> None:
    words = ["stats", str(output), "after:2026-11-22", "before:2026-11-29", "--compare-before"]
    found = document(capsys, *words)
    schemas.check("stats", found)
    before = found["before"]
    ends = (datetime.fromisoformat(before[end]).timestamp() for end in ("from", "to"))
    assert [datetime.fromtimestamp(end) for end in ends] == [
        datetime(2026, 11, 15),
        datetime(2026, 11, 22),
    ]
    assert (found["total"]["runs"], before["sums"]["runs"]) == (2, 2)
    alone = document(capsys, "stats", output, "after:2026-11-15", "before:2026-11-22")
    assert before["sums"] == alone["total"], "as the same range by its own words"
    assert "before" not in document(capsys, "stats", output, "after:2026-11-22")
    assert cli.main(words) == 0
    assert "runs 2, was 2" in (out := capsys.readouterr().out)
    assert "was: 2026-11-15 00:00 to 2026-11-22 00:00" in out


def test_a_range_before_without_runs_is_none_and_not_0(
    output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["stats", str(output), "after:2026-11-10", "before:2026-11-20", "--compare-before"]
    assert document(capsys, *words)["before"]["sums"] is None
    assert cli.main(words) == 0
    out = capsys.readouterr().out
    assert "no runs before, 2026-10-31 00:00 to 2026-11-10 00:00" in out and "was" not in out
    for wrong in (["--compare-before"], ["after:1d", "--compare-before", "--csv"]):
        assert cli.main(["stats", str(output), *wrong]) == 2


def test_the_lines_stand_above_the_table_of_a_terminal(
    output: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    assert cli.main(["stats", str(output), "--by", "day", "--ascii"]) == 0
    lines = re.sub(r"\x1b\[[0-9;]*[mK]", "", capsys.readouterr().out).splitlines()
    assert lines[0] == "runs      #.....+..+  least 0  most 2  last 1"
    assert "2026-11-18 to 2026-11-27, 7 days without a run, 2 runs without a time" in lines
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("no time") for line in lines)
