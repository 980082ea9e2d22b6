"""The files beside an evaluation output: reports, label files, metadata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from oh_tui.trajectory.formats.lines.labels import Beside
from oh_tui.trajectory.formats.table import open_runs
from oh_tui.trajectory.model.recorded import Label
from tests.trajectory.evaluation_files import row, write

REPORT = {
    "total_instances": 5,
    "resolved_ids": ["a"],
    "unresolved_ids": ["b", True, None],
    "empty_patch_ids": ["c", "a"],
    "error_ids": ["d"],
    "incomplete_ids": ["e"],
}


def infos(path: Path) -> tuple[dict[str, Any], list[str]]:
    runs = open_runs(path)
    found = {entry.name: entry.info for entry in runs.entries()}
    return found, runs.problems


def output(folder: Path, names: str = "abcde") -> Path:
    return write(folder / "output.jsonl", [row(name) for name in names])


def test_a_report_labels_its_instances(tmp_path: Path) -> None:
    (tmp_path / "output.report.json").write_text(json.dumps(REPORT, indent=2))
    (tmp_path / "other.report.json").write_text('{"resolved_ids": ["b"]}')
    found, problems = infos(output(tmp_path))
    assert {name: info["label"] for name, info in found.items()} == {
        "a": Label.RESOLVED,
        "b": Label.UNRESOLVED,
        "c": Label.UNRESOLVED,
        "d": Label.ERROR,
        "e": Label.NONE,
    }
    assert problems == []


def test_ids_may_be_numbers(tmp_path: Path) -> None:
    path = write(tmp_path / "output.jsonl", [row("815") | {"instance_id": 815}, row("816")])
    (tmp_path / "output.report.json").write_text('{"resolved_ids": [815, 816]}')
    found, problems = infos(path)
    assert [found[name]["label"] for name in ("815", "816")] == [Label.RESOLVED] * 2
    assert problems == []


def test_a_label_file_has_costs_too(tmp_path: Path) -> None:
    labels = {
        "a": {"cost": 0.5, "resolved": True},
        "b": {"cost": "x", "resolved": False},
        "c": {"resolved": None},
        "z": {"resolved": True},
        "d": 5,
    }
    (tmp_path / "swe-bench.json").write_text(json.dumps(labels))
    (tmp_path / "metadata.json").write_text('{"llm": {"model": "some/model"}, "dataset": "x"}')
    found, problems = infos(output(tmp_path))
    assert [found[name]["label"] for name in "abc"] == [
        Label.RESOLVED,
        Label.UNRESOLVED,
        Label.NONE,
    ]
    assert [found[name]["cost"] for name in "abc"] == [0.5, None, None]
    assert found["a"]["llm_model"] == "some/model"
    assert problems == []


def test_labels_and_costs_may_be_numbers_and_texts(tmp_path: Path) -> None:
    labels = {
        "a": {"resolved": 1, "cost": "0.5"},
        "b": {"resolved": " False", "cost": True},
        "c": {"resolved": "maybe", "cost": 2},
        "d": {"resolved": 2},
        "e": {"resolved": [1]},
    }
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    found, problems = infos(output(tmp_path))
    assert [found[name]["label"] for name in "abcde"] == [
        Label.RESOLVED, Label.UNRESOLVED, Label.NONE, Label.NONE, Label.NONE
    ]  # fmt: skip
    assert [found[name]["cost"] for name in "abc"] == [0.5, None, None]
    assert problems == []


def test_without_a_report_nothing_is_labelled(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('{"x": {"y": 1}}')
    found, problems = infos(output(tmp_path))
    assert {info["label"] for info in found.values()} == {None}
    assert problems == []


def test_unknown_instances_of_a_report_are_named(tmp_path: Path) -> None:
    report = {"resolved_ids": ["a", "x", "y", "z", "zz"]}
    (tmp_path / "output.report.json").write_text(json.dumps(report))
    _, problems = infos(output(tmp_path))
    assert problems == [
        "output.report.json names 4 instances that are not in output.jsonl: x, y, z, ..."
    ]


def test_both_attempts_of_an_instance_have_its_label(tmp_path: Path) -> None:
    (tmp_path / "output.report.json").write_text('{"resolved_ids": ["a"]}')
    found, problems = infos(write(tmp_path / "output.jsonl", [row("a"), row("a")]))
    assert {name: info["label"] for name, info in found.items()} == {
        "a": Label.RESOLVED,
        "a@2": Label.RESOLVED,
    }
    assert problems == []


@pytest.mark.parametrize("text", ["", "{", '"resolved_ids":', '{"resolved_ids": {}}', "[1]", "7"])
def test_a_broken_report_hides_no_run(tmp_path: Path, text: str) -> None:
    for name in ("output.report.json", "metadata.json", "labels.json"):
        (tmp_path / name).write_text(text)
    found, problems = infos(output(tmp_path))
    assert list(found) == list("abcde")
    assert all("is not JSON" in problem for problem in problems)


def test_an_opened_run_has_its_label(tmp_path: Path) -> None:
    (tmp_path / "output.report.json").write_text(json.dumps(REPORT))
    runs = open_runs(output(tmp_path))
    labels = [entry.open().recorded.label for entry in runs.entries()]
    assert labels == ["resolved", "unresolved", "unresolved", "error", "unlabelled"]
    assert Beside(tmp_path, "nosuch.jsonl").problems == []


def test_a_file_of_one_instance_labels_it(tmp_path: Path) -> None:
    (tmp_path / "eval_a.json").write_text('{"resolved": true}')
    (tmp_path / "eval_b.json").write_text('{"resolved": 0}')
    (tmp_path / "eval_d.json").write_text('{"d": {"resolved": false}}')
    (tmp_path / "eval_c.json").write_text('{"final_score": {"result": 1}}')
    found, _ = infos(output(tmp_path))
    labels = [found[name]["label"] for name in "abcd"]
    assert labels == [Label.RESOLVED, Label.UNRESOLVED, Label.NONE, Label.UNRESOLVED]


@pytest.mark.parametrize(
    ("fields", "label"),
    [
        ({"resolved": True}, Label.RESOLVED),
        ({"resolved": 0}, Label.UNRESOLVED),
        ({"report": {"resolved": False}}, Label.UNRESOLVED),
        ({"test_result": {"report": {"resolved": True}}}, Label.RESOLVED),
        ({"resolved": "yes"}, None),
        ({"resolved": None, "report": [1]}, None),
    ],
)
def test_a_row_may_have_its_own_label(
    tmp_path: Path, fields: dict[str, Any], label: Label | None
) -> None:
    (entry,) = open_runs(write(tmp_path / "output.jsonl", [row("a", **fields)])).entries()
    assert entry.open().recorded.label == label
    (tmp_path / "output.report.json").write_text('{"error_ids": ["a"]}')
    (entry,) = open_runs(tmp_path / "output.jsonl").entries()
    assert entry.open().recorded.label is Label.ERROR, "a report knows better"


# cost_report.jsonl


def sums(lines: Any = 5) -> str:
    """As OpenHands/benchmarks writes it: one JSON text over several lines."""
    attempts = [{"filename": f"output.critic_attempt_{n}.jsonl", "cost": 2.5} for n in (1, 2)]
    report = {
        "main_output": {"filename": "output.jsonl", "lines": lines, "cost": 4.2},
        "critic_files": [attempts[0] | {"lines": 3}, attempts[1]],
        "summary": {"total_cost": 5.0, "only_main_output_cost": 4.2, "sum_critic_files": 5.0},
    }
    return json.dumps(report, indent=2)


def test_the_sums_of_a_cost_report_are_told(tmp_path: Path) -> None:
    (tmp_path / "cost_report.jsonl").write_text(sums())
    runs = open_runs(output(tmp_path))
    assert len(list(runs.entries())) == 5 and runs.problems == []
    told = "cost_report.jsonl tells $4.20 for 5 rows, $5.00 with all attempts"
    assert runs.remarks == [told]
    attempt = open_runs(write(tmp_path / "output.critic_attempt_1.jsonl", [row("a")] * 3))
    assert len(list(attempt.entries())) == 3
    assert attempt.remarks == ["cost_report.jsonl tells $2.50 for 3 rows"]
    other = open_runs(write(tmp_path / "other.jsonl", [row("a")]))
    assert len(list(other.entries())) == 1 and not other.remarks


def test_a_cost_report_of_other_rows_is_told(tmp_path: Path) -> None:
    (tmp_path / "cost_report.jsonl").write_text(sums(7))
    _, problems = infos(output(tmp_path))
    assert problems == ["cost_report.jsonl counted 7 rows, and output.jsonl has 5 rows"]


def test_a_cost_report_by_instance_gives_the_cost_of_rows(tmp_path: Path) -> None:
    lines = [{"instance_id": "a", "cost": 0.5}, {"instance_id": "b", "accumulated_cost": 0.25}, 7]
    (tmp_path / "cost_report.jsonl").write_text("\n".join(map(json.dumps, lines)))
    found, problems = infos(output(tmp_path))
    assert [found[name]["cost"] for name in "abc"] == [0.5, 0.25, None] and not problems
    labels = {"a": {"cost": 0.75, "resolved": True}}
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    assert infos(output(tmp_path))[0]["a"]["cost"] == 0.75


@pytest.mark.parametrize("text", ["{", "[1]", "null", sums("x"), sums(-1), '{"main_output": 3}'])
def test_any_cost_report_is_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "cost_report.jsonl").write_text(text)
    found, problems = infos(output(tmp_path))
    assert len(found) == 5
    assert problems == (["cost_report.jsonl is not JSON"] if text == "{" else [])
