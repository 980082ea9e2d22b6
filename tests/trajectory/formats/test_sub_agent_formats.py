"""Sub-agents in each format that can hold them: parent and sub-agents are the total, to the cent,
and one that failed is named."""

from __future__ import annotations

import json
import math
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.findings.study import Study
from tests.trajectory.foreign.runs import JsonObject
from tests.trajectory.foreign.test_atif_sub_agents import costs, embedded
from tests.trajectory.made import event
from tests.trajectory.sub_agent_files import COSTS, REPORTED, folder_of, run_files, zip_of

HOME = "0" * 32 + "/"


def zipped(path: Path) -> Path:
    return zip_of(path / "run.zip", run_files(HOME, REPORTED))


def in_folder(path: Path) -> Path:
    return folder_of(path / "run", run_files("", REPORTED))


def tarred(path: Path) -> Path:
    folder_of(path / "files", run_files(HOME, REPORTED))
    with tarfile.open(path / "run.tar.gz", "w:gz") as tar:
        tar.add(path / "files" / HOME, HOME.rstrip("/"))
    return path / "run.tar.gz"


def atif() -> JsonObject:
    """Its sub-agent `deep` ends with an error, which ATIF has only in what oh-tui wrote."""
    run = embedded(costs(embedded()))
    error = event("ConversationErrorEvent", "e", code="LLMError", detail="no such model")
    told = json.loads(error.raw())
    (deep,) = run["subagent_trajectories"][2]["subagent_trajectories"]
    extra = {"oh_tui": {"event": told}}
    last = {"step_id": 3, "source": "system", "message": told["kind"], "extra": extra}
    deep["steps"].append(last)
    return run


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def as_atif(path: Path) -> Path:
    return written(path / "run.json", json.dumps(atif()))


def as_lines(path: Path) -> Path:
    return written(path / "output.jsonl", json.dumps(atif()) + "\n")


def as_harbor(path: Path) -> Path:
    written(path / "job/trial/result.json", json.dumps({"agent_info": {}, "task_name": "t"}))
    written(path / "job/config.json", "{}")
    written(path / "job/trial/agent/trajectory.json", json.dumps(atif()))
    return path / "job"


ZIPPED = math.fsum(cost for each in COSTS.values() for cost in each)
ATIF = costs(embedded())


@pytest.mark.parametrize(
    ("make", "whole", "own", "failed"),
    [
        (zipped, ZIPPED, 0.75, "2.3."),
        (in_folder, ZIPPED, 0.75, "2.3."),
        (tarred, ZIPPED, 0.75, "2.3."),
        (as_atif, ATIF, 0.75, "2.3."),
        (as_lines, ATIF, 0.75, "2.3."),
        (as_harbor, ATIF, 0.75, "2.3."),
    ],
)
async def test_parent_and_sub_agents_are_the_total(
    tmp_path: Path, make: Callable[[Path], Path], whole: float, own: float, failed: str
) -> None:
    source = FileSource([make(tmp_path)])
    (row,) = source.conversations()
    runs = Study(source.runs.read(row)).sub_runs
    told = [run.path for run in runs.failed]
    await source.close()
    assert runs.total.cost == pytest.approx(whole, abs=1e-9)
    assert runs.own.cost == pytest.approx(own, abs=1e-9)
    assert runs.own.cost + sum(run.total.cost for run in runs.runs) == pytest.approx(whole)
    steps = [*map(runs.used_by, runs.trajectory.steps)]
    loose = sum(run.total.cost for run in runs.loose)
    assert sum(used.cost for used in steps) + loose + own == pytest.approx(whole, abs=1e-9)
    for run in runs.all():
        below = sum(one.total.cost for one in run.sub_runs.runs)
        assert run.total.cost == pytest.approx(run.sub_runs.own.cost + below, abs=1e-9)
    assert told == [failed]
