"""What leaves with many runs at once, and what of each is left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from oh_tui.sharing.what_leaves import FIRST, MOST, WhatLeaves, told
from tests.hostile.kinds import write_zip
from tests.processes import oh_tui
from tests.sharing.test_told_is_written import planted, some

FORMATS = {
    "tables": ("--to", "jsonl", "-o", "tables/"),
    "chat": ("--to", "chat"),
    "otlp": ("--to", "otlp", "--messages"),
}
RUNS = {"a" * 32: "one", "b" * 32: "two"}


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs of three calls, with a host of the same name in each text of a run."""
    folder = tmp_path / "runs"
    folder.mkdir()
    for name, word in RUNS.items():
        say = f"https://{word}.acme.dev"
        events = planted(some(lambda say=say: say), lambda say=say: say)  # type: ignore[misc]
        write_zip(folder / f"{word}.zip", events, id=name, title=f"of {word}")
    monkeypatch.chdir(tmp_path)
    return folder


def exported(runs: Path, form: str, *words: str) -> tuple[str, str]:
    """What is written, and what is said."""
    done = oh_tui("export", runs, *FORMATS[form], *words)
    assert done.returncode == 0, done.stderr
    tables = sorted(runs.parent.glob("tables/*"))
    written = "".join(path.read_text() for path in tables)
    for path in tables:
        path.unlink()
    return written or done.stdout, done.stderr


@pytest.mark.parametrize("form", FORMATS)
def test_the_list_sums_the_runs_and_names_them(runs: Path, form: str) -> None:
    _, said = exported(runs, form)
    lines = said.splitlines()
    assert lines[0].startswith("oh-tui: what leaves: 10 steps of 2 runs")
    (hosts,) = (line for line in lines if "hosts: " in line)
    for name, word in RUNS.items():
        assert f"{word}.acme.dev ({name}" in hosts
    shares = [exported(runs, form, "--shard", f"{n}/2")[1] for n in (1, 2)]
    assert sorted("one.acme.dev" in share for share in shares) == [False, True]


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_left_out_is_in_none_of_the_runs(runs: Path, form: str) -> None:
    before, _ = exported(runs, form)
    after, _ = exported(runs, form, "--without", "results")
    assert "marker-thought-1" in before or form == "tables"
    result = "marker-page" if form == "tables" else "marker-result"
    assert (result in before, result in after) == (True, False)
    assert "curl" in after
    part, said = exported(runs, form, "--only", "3")
    assert ("curl" in before, "curl" in part) == (True, False)
    assert result not in part and "marker-task" not in part
    assert "what leaves: 2 steps of 2 runs" in said


def test_of_the_other_steps_tables_have_outcomes_alone(runs: Path) -> None:
    written, _ = exported(runs, "tables", "--only", "3")
    rows = [json.loads(line) for line in written.splitlines()]
    steps = [row for row in rows if "outcome" in row and row.get("what")]
    assert [row["step"] for row in steps] == [1, 2, 3, 4, 5] * 2
    assert [row["outcome"] for row in steps[:4]][1] == "command failed"
    assert [row for row in steps if row["step"] != 3 and "acme" in json.dumps(row)] == []


def test_an_export_that_ends_early_tells_what_it_has_written(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oh_tui.commands.across_runs.run_lines._move", _stops())
    done = oh_tui("export", runs, "--to", "otlp")
    assert "what leaves: 5 steps of 1 run" in done.stderr or "what leaves: 10" in done.stderr


def _stops() -> object:
    def move(*_: object) -> None:
        raise KeyboardInterrupt

    return move


def test_however_many_runs_the_list_is_bounded() -> None:
    total = WhatLeaves()
    for number in range(3 * MOST):
        one = WhatLeaves(1)
        one.take([f"https://h{number}.dev https://same.dev"], 1)
        total.take_run(f"run{number}", one)
    assert len(total.hosts) == MOST
    assert len(total.hosts["same.dev"]) == FIRST
    lines = list(told(total))
    assert lines[0] == f"what leaves: {3 * MOST:,} steps of {3 * MOST:,} runs"
    assert "same.dev (run0 1, run1 1, run2 1…)" in lines[1]
    assert lines[1].endswith("and 980 or more")
