"""`oh-tui compare`: two runs, wherever they are, and two sets of runs."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from oh_tui import cli
from oh_tui.trajectory.comparison.statistics import Figures
from oh_tui.trajectory.findings.verdict import judge
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage import Cost
from tests.commands.conftest import IDS
from tests.commands.schemas import check
from tests.processes import oh_tui
from tests.trajectory.evaluation_files import history, metrics, row, write

DATES, LEDGER = IDS["week-dates"], IDS["ledger"]

CHAT = [
    {"role": "user", "content": "Fix the bug."},
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {
                "id": "1",
                "type": "function",
                "function": {"name": "execute_bash", "arguments": '{"command": "echo 1"}'},
            }
        ],
    },
    {"role": "tool", "tool_call_id": "1", "content": "output of 1"},
]


def compared(*words: str | Path) -> Any:
    done = oh_tui("compare", *words, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    check("compare", told)
    return told


@pytest.fixture
def output(tmp_path: Path) -> Path:
    changed = history(3)
    changed[3]["action"]["command"] = "echo two"
    rows = [
        row("base", history(3), metrics=metrics([0.25, 0.5, 0.5, 0.25])),
        row("changed", changed, metrics=metrics([0.25, 0.5, 0.5, 0.0])),
        row("shorter", history(2)),
        row("empty", []),
    ]
    return write(tmp_path / "output.jsonl", rows)


def test_steps_that_differ_are_named_by_their_numbers(output: Path) -> None:
    told = compared(f"{output}#base", f"{output}#changed")
    assert told["first_difference"] == {"a": 3, "b": 3}
    assert told["differences"] == [{"kind": "changed", "a": 3, "b": 3}]
    assert told["totals"]["same"] == 4
    assert told["totals"]["b_minus_a"]["cost"] == -0.25
    assert told["a"]["model"] == told["b"]["model"] == "some/model"
    shorter = compared(f"{output}#base", f"{output}#shorter")
    # its last call finishes with other words
    assert shorter["differences"] == [
        {"kind": "only_a", "a": 4, "b": None},
        {"kind": "changed", "a": 5, "b": 4},
    ]
    assert shorter["first_difference"] == {"a": 4, "b": 4}


def test_swapped_it_is_mirrored(output: Path) -> None:
    there, back = (
        compared(*(f"{output}#{name}" for name in names))
        for names in (("base", "shorter"), ("shorter", "base"))
    )
    assert (there["a"], there["b"]) == (back["b"], back["a"])
    assert back["differences"] == [
        {"kind": "only_b", "a": None, "b": 4},
        {"kind": "changed", "a": 4, "b": 5},
    ]
    gap, swapped = (one["totals"]["b_minus_a"]["steps"] for one in (there, back))
    assert gap == -swapped == -1


def test_run_does_not_differ_from_itself(run_file: Path) -> None:
    told = compared(run_file, run_file)
    assert (told["first_difference"], told["differences"]) == (None, [])
    assert told["totals"]["same"] == 61 == told["a"]["steps"]
    assert told["totals"]["b_minus_a"] == {"steps": 0, "work_s": 0.0, "cost": 0.0}


def test_what_is_not_known_is_null_and_no_zero(output: Path) -> None:
    told = compared(f"{output}#shorter", f"{output}#empty")
    assert (told["a"]["cost"], told["b"]["cost"], told["b"]["work_s"]) == (None, None, None)
    assert told["totals"]["b_minus_a"] == {"steps": -4, "work_s": None, "cost": None}
    both = compared(f"{output}#empty", f"{output}#empty")
    assert (both["differences"], both["totals"]["same"]) == ([], 0)
    assert "$0.00" not in oh_tui("compare", f"{output}#empty", f"{output}#shorter").stdout


def test_runs_of_a_server_and_of_files_are_compared(run_file: Path) -> None:
    for words in ((DATES, LEDGER), (run_file, DATES), (DATES[:6], run_file)):
        told = compared("--demo", *words)
        assert {DATES} <= {told["a"]["id"], told["b"]["id"]} <= {DATES, LEDGER}
    assert told["differences"] == []


def test_runs_of_other_formats_do_the_same(output: Path, tmp_path: Path) -> None:
    chat = tmp_path / "chat.json"
    chat.write_text(json.dumps(CHAT))
    told = compared(f"{output}#base", chat)
    assert told["totals"]["same"] == 2
    assert told["first_difference"] == {"a": 3, "b": None}


def test_into_a_pipe_go_all_rows(output: Path) -> None:
    done = oh_tui("compare", f"{output}#base", f"{output}#changed")
    *lines, parting, sums = done.stdout.splitlines()
    rows = [line.split("\t") for line in lines]
    assert "then they part at step 3" in parting and "4 same" in sums
    assert [row[4] for row in rows] == ["=", "=", "~", "=", "="]
    assert [(row[2], row[7]) for row in rows][2] == ("$ echo 2", "$ echo two")
    assert {len(row) for row in rows} == {9}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run.zip"], "compare needs A B"),
        (["gone.zip", "gone.zip"], "There is no file or folder gone.zip"),
        (["--demo", "gone.zip", "x"], "'x' is not a conversation id"),
        (["run.zip"] * 13, "compare needs A B"),
    ],
)
def test_wrong_use_is_said(words: list[str], said: str) -> None:
    done = oh_tui("compare", *words)
    assert (done.returncode, done.stdout) == (2, "") and said in done.stderr


# sets


def sets(folder: Path) -> tuple[Path, Path]:
    """Two outputs: one task gained, one lost, one in both, one in neither, and one alone each."""
    places = []
    for name, resolved, calls, extra in (
        ("a", ["lost", "both"], 2, "only-a"),
        ("b", ["gained", "both"], 3, "only-b"),
    ):
        place = folder / name
        place.mkdir()
        ids = ["gained", "lost", "both", "neither", extra]
        (place / "output.report.json").write_text(
            json.dumps({"resolved_ids": resolved, "unresolved_ids": sorted({*ids} - {*resolved})})
        )
        costs = [0.25] * (calls + 1)
        rows = [row(one, history(calls), metrics=metrics(costs)) for one in ids]
        if name == "b":
            rows[2] = row("both", history(2), metrics=metrics([0.25] * 3))
        places.append(write(place / "output.jsonl", rows))
    return places[0], places[1]


def test_two_outputs_are_paired_by_instance(tmp_path: Path) -> None:
    told = compared(*sets(tmp_path))
    totals = told["totals"]
    assert totals["resolved"] == {"gained": 1, "lost": 1, "both": 1, "neither": 1, "unknown": 0}
    assert (totals["pairs"], totals["only_a"], totals["only_b"]) == (4, 1, 1)
    assert totals["mcnemar_p"] == 1
    assert totals["steps"] == {"pairs": 4, "a": 4, "b": 5, "difference": 1, "interval": [0.0, 1.0]}
    assert totals["cost"]["difference"] == 0.25
    # the pair that does not differ has no row
    assert {one["id"]: one["resolved"] for one in told["pairs"]} == {
        "gained": "gained",
        "lost": "lost",
        "neither": "neither",
    }
    assert told["pairs"][0]["first_difference"] == {"a": 4, "b": 4}


def test_two_folders_are_paired_by_title_and_without_labels_nothing_is_resolved(
    tmp_path: Path, run_file: Path
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in (1, 2):
            (tmp_path / name / f"{number}.zip").write_bytes(run_file.read_bytes())
    told = compared(tmp_path / "a", tmp_path / "b")
    assert (told["totals"]["pairs"], told["pairs"]) == (2, [])
    assert (told["totals"]["mcnemar_p"], told["totals"]["resolved"]["unknown"]) == (None, 2)


def test_sets_in_a_pipe_are_rows_with_the_changes_first(tmp_path: Path) -> None:
    done = oh_tui("compare", *sets(tmp_path))
    lines = done.stdout.splitlines()
    rows = [line.split("\t") for line in lines if "\t" in line]
    assert [row[0] for row in rows] == ["gained", "lost", "neither"]
    sums = lines[len(rows) :]
    assert sums[0].startswith("4 pairs") and sums[1].startswith("resolved: 1 gained, 1 lost")
    assert {line.split()[0] for line in sums[2:]} >= {"steps", "time", "cost"}
    assert done.stderr == ""


def test_labels_of_one_side_alone_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = sets(tmp_path)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    (a.parent / "output.report.json").unlink()
    assert cli.main(["compare", str(a), str(b)]) == 0
    assert "is not known: no pair has labels in both" in capsys.readouterr().out
    (b.parent / "output.report.json").unlink()
    assert cli.main(["compare", str(a), str(b)]) == 0
    assert "is not known: there are no labels" in capsys.readouterr().out


def test_sets_without_a_pair_say_so_in_a_pipe(tmp_path: Path) -> None:
    places = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        rows = [row(f"{name}-{number}", history(1)) for number in (1, 2)]
        places.append(write(tmp_path / name / "output.jsonl", rows))
    done = oh_tui("compare", *places)
    assert (done.returncode, done.stdout.splitlines()[0]) == (
        2,
        "0 pairs, 2 only in A, 2 only in B",
    )
    assert "no run in A has the id or the title" in done.stderr
    assert oh_tui("compare", *places, "--json").returncode == 2


def test_sets_that_do_not_differ_say_so_in_a_pipe(tmp_path: Path) -> None:
    a, _ = sets(tmp_path)
    done = oh_tui("compare", a, a)
    assert done.returncode == 0 and not done.stderr
    assert re.match(r"\d+ pairs\n", done.stdout) and "\t" not in done.stdout


def test_lines_that_are_not_known_are_left_out() -> None:
    known = Figures(judge(Trajectory()), None, 1, None, Cost(None, None), 0, 2, 3, 0)
    assert known.changes == "2 files +3"
    assert msgspec.structs.replace(known, added=0).changes == "2 files"
    assert msgspec.structs.replace(known, files=0, added=0).changes == ""


def test_foreign_text_and_keys_do_not_reach_the_terminal(tmp_path: Path) -> None:
    odd = history(1)
    odd[1]["action"]["command"] = "echo \x1b[31m[/b] sk-ant-api03-" + "a" * 40
    odd[2]["observation"]["content"][0]["text"] = "\x1b]0;title\x07 sk-ant-api03-" + "b" * 40
    rows = [row("[red]odd\x1b[2J", odd), row("plain", history(1))]
    output = write(tmp_path / "output.jsonl", rows)
    for words in ([f"{output}#1", f"{output}#2"], [output, output]):
        for more in ([], ["--json"]):
            done = oh_tui("compare", *words, *more)
            assert done.returncode == 0
            assert not {"\x1b", "\x07"} & set(done.stdout + done.stderr)
            assert "aaaaaaaa" not in done.stdout and "bbbbbbbb" not in done.stdout


def test_what_the_model_saw_where_they_part_is_told(tmp_path: Path) -> None:
    """The prompt of B has a line more, and then it does something else."""
    other = [{"role": "user", "content": "Fix the bug.\nDo not touch the tests."}, *CHAT[1:]]
    call = json.loads(json.dumps(CHAT[1]).replace("echo 1", "echo 2"))
    chats = ("one", CHAT), ("other", [other[0], call, CHAT[2]])
    for name, messages in chats:
        (tmp_path / f"{name}.json").write_text(json.dumps({"messages": messages}))
    parted = compared(tmp_path / "one.json", tmp_path / "other.json")["parted"]
    assert (parted["seen"], parted["messages"], parted["plain"]) == ("other", 1, [])
    (message,) = parted["differs"]
    assert message["role"] == "user" and message["only"] is None
    assert (message["a"], message["b"]) == ("", "Do not touch the tests.")
    done = oh_tui("compare", tmp_path / "one.json", tmp_path / "other.json")
    assert "they saw other things: first the user's message of step 1" in done.stdout


def test_runs_that_answer_the_same_do_not_part(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / f"{name}.json").write_text(json.dumps({"messages": CHAT}))
    assert compared(tmp_path / "one.json", tmp_path / "other.json")["parted"] is None
