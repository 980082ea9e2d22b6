"""Folders with foreign runs: jobs of Harbor, and runs in ATIF that go on in other files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.formats.run_file import FormatProblem
from oh_tui.trajectory.formats.table import find_files, open_runs
from oh_tui.trajectory.model.recorded import Label

from . import test_atif
from .test_documents import joined

RESULT = {
    "task_name": "fix-dates",
    "trial_name": "fix-dates__a",
    "agent_info": {"name": "openhands", "model_info": {"name": "some/model"}},
    "agent_result": {"cost_usd": 0.31, "n_input_tokens": 900, "n_output_tokens": 70},
    "verifier_result": {"rewards": {"reward": 1.0}},
    "exception_info": None,
}


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))


def a_job(tmp_path: Path) -> Path:
    job = tmp_path / "jobs" / "2026-01-02"
    write(job / "config.json", {"agents": []})
    write(job / "result.json", {"stats": {}})
    for name in ("fix-dates__a", "fix-dates__b", "fix-dates__c"):
        write(job / name / "config.json", {})
        write(job / name / "agent" / "trajectory.json", test_atif.made())
    write(job / "fix-dates__a" / "result.json", RESULT)
    write(job / "fix-dates__b" / "verifier" / "reward.txt", "0\n")
    error = {"exception_type": "AgentTimeoutError", "exception_message": "too long"}
    write(job / "fix-dates__c" / "result.json", {"exception_info": error})
    (job / "fix-dates__c" / "agent" / "trajectory.json").unlink()
    return job


def test_a_job_lists_its_trials_with_what_the_verifier_said(tmp_path: Path) -> None:
    job = a_job(tmp_path)
    assert find_files([tmp_path]) == find_files([job]) == [job]
    entries = list(open_runs(job).entries())
    assert [entry.name for entry in entries] == ["fix-dates__a", "fix-dates__b", "fix-dates__c"]
    labels = [Label.RESOLVED, Label.UNRESOLVED, Label.ERROR]
    assert [entry.info["label"] for entry in entries] == labels
    assert entries[0].info["title"] == "fix-dates" and entries[0].info["cost"] == 0.31
    opened = [entry.open() for entry in entries]
    assert [run.recorded.label for run in opened] == labels
    assert [len(joined(run)) for run in opened] == [6, 6, 0]
    assert opened[0].info["llm_model"] == "some/model" and b"0.31" in opened[0].stats
    assert opened[2].recorded.error == "AgentTimeoutError: too long"
    assert "no agent/trajectory.json" in opened[2].note


def test_a_trial_is_a_run_too(tmp_path: Path) -> None:
    trial = a_job(tmp_path) / "fix-dates__a"
    assert find_files([trial]) == [trial]
    (entry,) = open_runs(trial).entries()
    assert entry.name == "" and len(joined(entry.open())) == 6


@pytest.mark.parametrize(
    ("summary", "label"),
    [
        ({"tests": 2, "passed": 2}, Label.RESOLVED),
        ({"tests": 2, "passed": 1}, Label.UNRESOLVED),
        ({"tests": 0, "passed": 0}, Label.UNRESOLVED),
        ({"tests": "2", "passed": 2}, Label.RESOLVED),
        ({"tests": "two", "passed": 2}, None),
        ([], None),
    ],
)
def test_the_tests_of_a_verifier_are_its_word(
    summary: Any, label: Label | None, tmp_path: Path
) -> None:
    trial = a_job(tmp_path) / "fix-dates__b"
    (trial / "verifier" / "reward.txt").unlink()
    write(trial / "verifier" / "ctrf.json", {"results": {"summary": summary}})
    (entry,) = open_runs(trial).entries()
    assert entry.open().recorded.label is label


def test_other_folders_with_settings_are_no_jobs(tmp_path: Path) -> None:
    write(tmp_path / "config.json", {})
    assert find_files([tmp_path]) == [tmp_path]
    with pytest.raises(FormatProblem):
        open_runs(tmp_path)


def test_broken_files_of_a_trial_are_told(tmp_path: Path) -> None:
    trial = a_job(tmp_path) / "fix-dates__a"
    write(trial / "result.json", "{")
    write(trial / "agent" / "trajectory.json", "{")
    (entry,) = open_runs(trial).entries()
    assert "cannot be read" in entry.open().note


def test_a_run_goes_on_in_the_file_that_it_names(tmp_path: Path) -> None:
    first, second = test_atif.made(), test_atif.made()
    for step in second["steps"][:3]:
        step["is_copied_context"] = True
    write(tmp_path / "run.json", first | {"continued_trajectory_ref": "run.cont-1.json"})
    write(tmp_path / "run.cont-1.json", second | {"continued_trajectory_ref": "run.json"})
    (entry,) = open_runs(tmp_path / "run.json").entries()
    run = entry.open()
    assert len(joined(run)) == 9
    assert "goes on in run.json, which is not read" in run.note  # it would go round


def test_a_folder_lists_no_file_that_continues_another(tmp_path: Path) -> None:
    """`run.cont-1.json` comes before `run.json` in the order of names."""
    first, second, third = (tmp_path / f"run{name}.json" for name in ("", ".cont-1", ".cont-2"))
    write(first, test_atif.made() | {"continued_trajectory_ref": second.name})
    write(second, test_atif.made() | {"continued_trajectory_ref": third.name})
    write(third, test_atif.made())
    other = tmp_path / "z.json"
    write(other, test_atif.made() | {"continued_trajectory_ref": "none.json"})
    assert find_files([tmp_path]) == [first, other]
    assert find_files([tmp_path, second]) == [first, other, second]
    source = FileSource([tmp_path])
    rows = source.conversations()
    assert [len(joined(source.runs.run(row))) >= 18 for row in rows] == [True, False]
    source.close_files()
    write(second, "{")  # what cannot be read belongs to nothing, nor does what it would lead to
    assert find_files([tmp_path]) == [third, first, other]


def test_of_files_that_continue_each_other_in_a_circle_the_first_is_listed(tmp_path: Path) -> None:
    names = ["a.json", "b.json", "c.json"]
    for name, following in zip(names, [*names[1:], names[0]], strict=True):
        write(tmp_path / name, test_atif.made() | {"continued_trajectory_ref": following})
    assert find_files([tmp_path]) == [tmp_path / "a.json"]
    write(tmp_path / "d.json", test_atif.made() | {"continued_trajectory_ref": "b.json"})
    assert find_files([tmp_path]) == [tmp_path / "d.json"]


@pytest.mark.parametrize("ref", ["../other.json", "/etc/passwd", "none.json"])
def test_a_continuation_is_looked_for_in_the_same_folder_only(ref: str, tmp_path: Path) -> None:
    write(tmp_path / "in" / "run.json", test_atif.made() | {"continued_trajectory_ref": ref})
    write(tmp_path / "other.json", test_atif.made())
    (entry,) = open_runs(tmp_path / "in" / "run.json").entries()
    assert len(joined(entry.open())) == 6 and "goes on in" in entry.open().note


def test_rows_in_atif_are_rows(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    path.write_text("\n".join([json.dumps(test_atif.made())] * 2))
    assert len(list(open_runs(path).entries())) == 2
