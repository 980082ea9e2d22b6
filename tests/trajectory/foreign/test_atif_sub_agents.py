"""Sub-agents of runs in ATIF: within the text and in files beside it, and what all of it cost."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from oh_tui.sources.file_runs import run_of
from oh_tui.trajectory.findings.study import Study, SubRuns
from oh_tui.trajectory.formats.foreign import atif_kept
from oh_tui.trajectory.formats.foreign.atif_kept import DEEPEST
from oh_tui.trajectory.formats.table import find_files, open_runs
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage_stats import record_sums
from oh_tui.trajectory.reading.describe import describe
from tests.processes import oh_tui
from tests.trajectory.sub_agent_files import run_files, zip_of

from .runs import JsonObject


def step(number: int, cost: float = 0.0, *started: JsonObject) -> JsonObject:
    """A step with a call, which may have started sub-agents."""
    result: JsonObject = {"source_call_id": f"call-{number}", "content": "done"}
    result |= {"subagent_trajectory_ref": list(started)} if started else {}
    return {
        "step_id": number,
        "source": "agent",
        "message": "",
        "tool_calls": [
            {"tool_call_id": f"call-{number}", "function_name": "ask", "arguments": {"n": number}}
        ],
        "observation": {"results": [result]},
        "metrics": {"prompt_tokens": 10, "completion_tokens": 1, "cost_usd": cost},
    }


def document(
    name: str, *steps: JsonObject, below: tuple[JsonObject, ...] = (), total: float | None = None
) -> JsonObject:
    made: JsonObject = {
        "schema_version": "ATIF-v1.7",
        "trajectory_id": name,
        "session_id": "all-the-same",
        "agent": {"name": "some-agent", "version": "1"},
        "steps": [{"step_id": 1, "source": "user", "message": f"Task of {name}."}, *steps],
    }
    made |= {"subagent_trajectories": list(below)} if below else {}
    return made | ({"final_metrics": {"total_cost_usd": total}} if total is not None else {})


def embedded(total: float | None = None) -> JsonObject:
    """Step 2 starts `a`, whose step 3 starts `deep`; step 4 starts `b` and `c`."""
    deep = document("deep", step(2, 0.0375))
    a = document("a", step(2, 0.1), step(3, 0.2, {"trajectory_id": "deep"}), below=(deep,))
    b, c = document("b", step(2, 0.01)), document("c", step(2, 0.02))
    return document(
        "run",
        step(2, 0.25, {"trajectory_id": "a"}),
        step(3, 0.5),
        step(4, 0.0, {"trajectory_id": "c"}, {"trajectory_id": "b", "trajectory_path": "b.json"}),
        below=(b, c, a),
        total=total,
    )


def costs(value: JsonObject) -> float:
    """What the steps of a run and all within it cost."""
    own = [one["metrics"]["cost_usd"] for one in value["steps"] if "metrics" in one]
    return math.fsum([*own, *map(costs, value.get("subagent_trajectories", ()))])


def read(path: Path, **files: Any) -> tuple[Trajectory, SubRuns, list[str]]:
    """The run in `run.json`, and what cannot be read."""
    for name, value in files.items():
        (path / f"{name}.json").write_text(json.dumps(value))
    runs = open_runs(path / "run.json")
    run = next(iter(runs.entries())).open()
    trajectory = run_of(run, run.events())
    return trajectory, Study(trajectory).sub_runs, run.problems


def told(runs: SubRuns) -> list[tuple[str, str]]:
    return [(one.path, one.name) for one in runs.all()]


def test_each_belongs_to_the_step_that_names_it(tmp_path: Path) -> None:
    _, runs, problems = read(tmp_path, run=embedded())
    assert sorted(told(runs)) == [("2.", "a"), ("2.3.", "deep"), ("4.", "b"), ("4b.", "c")]
    assert (problems, runs.note) == ([], "")


@pytest.mark.parametrize("more", [None, 0.0, 0.3])
def test_parent_and_sub_agents_are_the_total(tmp_path: Path, more: float | None) -> None:
    """The total of the file has what its sub-agents cost."""
    whole = costs(embedded())
    total = None if more is None else whole + more
    trajectory, runs, _ = read(tmp_path, run=embedded(total))
    assert runs.total.cost == pytest.approx(whole + (more or 0.0), abs=1e-9)
    assert runs.own.cost == pytest.approx(0.75 + (more or 0.0), abs=1e-9)
    assert runs.own.cost + sum(one.total.cost for one in runs.runs) == pytest.approx(
        runs.total.cost, abs=1e-9
    )
    used = [runs.used_by(one).cost for one in runs.trajectory.steps]
    assert used == pytest.approx([0, 0.3375, 0, 0.03], abs=1e-9)
    assert runs.total.prompt == 10 * 8
    assert record_sums(trajectory.stats).cost == pytest.approx(runs.total.cost, abs=1e-9)


def test_a_total_that_is_too_low_is_of_the_run_alone(tmp_path: Path) -> None:
    _, runs, _ = read(tmp_path, run=embedded(0.8))
    assert runs.own.cost == pytest.approx(0.8)
    assert runs.total.cost == pytest.approx(0.8 + costs(embedded()) - 0.75)


def test_files_beside_it_are_its_sub_agents_too(tmp_path: Path) -> None:
    """Before 1.7 by `session_id` and `trajectory_path`; a circle of files comes to an end."""
    other = document("x", step(2, 0.2, {"trajectory_path": "third.json"}))
    run = document(
        "run",
        step(2, 0.1, {"session_id": "s", "trajectory_path": "other.json"}),
        step(3, 0.1, {"session_id": "t", "trajectory_path": "gone.json"}),
        step(4, 0.1, {"session_id": "u", "trajectory_path": "../far.json"}),
    )
    third = document("y", step(2, 0.3, {"trajectory_path": "other.json"}))
    _, runs, problems = read(tmp_path, run=run, other=other, third=third)
    assert told(runs) == [("2.", "s"), ("2.2.", "third")]
    assert runs.total.cost == pytest.approx(0.8)
    assert sorted(problems) == [
        "the sub-agent in ../far.json cannot be read",
        "the sub-agent in gone.json cannot be read",
    ]


def test_one_that_no_step_names_is_found_by_its_first_message_or_is_loose(tmp_path: Path) -> None:
    run = document("run", step(2, 0.1), below=(document("stray", step(2, 0.5)),), total=0.6)
    _, runs, _ = read(tmp_path, run=run)
    assert told(runs) == [("a.", "stray")] and runs.total.cost == pytest.approx(0.6)
    assert runs.own.cost == pytest.approx(0.1)


def test_one_without_calls_belongs_to_the_result_that_names_it(tmp_path: Path) -> None:
    """As of a summary that a step of the system made by another agent."""
    summary: JsonObject = {"step_id": 2, "source": "system", "message": "Summarised."}
    refs = [{"trajectory_id": "s"}]
    summary["observation"] = {"results": [{"content": "short", "subagent_trajectory_ref": refs}]}
    run = document("run", summary, step(3), below=(document("s", step(2, 0.5)),))
    trajectory, runs, _ = read(tmp_path, run=run)
    assert told(runs) == [("3.", "s")] and trajectory.steps[2].event.kind == "ObservationEvent"


def test_names_that_are_used_twice_and_odd_values_are_kept_apart(tmp_path: Path) -> None:
    twice = [document("same", step(2, 0.1)), document("same", step(2, 0.2)), "text", {"steps": 7}]
    run = document("run", step(2, 0.0, {"trajectory_id": "same"}, {"trajectory_id": 5}))
    run |= {"subagent_trajectories": twice}
    run["steps"][1]["observation"]["results"][0]["subagent_trajectory_ref"] += ["x", None]
    _, runs, _ = read(tmp_path, run=run)
    assert sorted(name for _, name in told(runs)) == ["same", "same-2", "sub-agent", "sub-agent-2"]
    assert runs.total.cost == pytest.approx(0.3)
    assert [run.name for run in runs.of(runs.trajectory.steps[1])] == ["same"]


def test_levels_without_end_are_left_out_and_said(tmp_path: Path) -> None:
    run = document("0", step(2, 0.01))
    for level in range(DEEPEST + 2):
        run = document(str(level), step(2, 0.01, {"trajectory_id": run["trajectory_id"]}),
                       below=(run,))  # fmt: skip
    _, runs, _ = read(tmp_path, run=run)
    assert len(told(runs)) == DEEPEST
    assert "levels deep are left out" in runs.note


def test_the_ids_of_a_sub_agent_are_its_own(tmp_path: Path) -> None:
    trajectory, runs, _ = read(tmp_path, run=embedded())
    ids = [event.id for event in trajectory.events]
    for one in runs.all():
        ids += [event.id for event in one.trajectory.events]
    assert len(set(ids)) == len(ids)


def test_sub_agents_without_names_are_numbered_in_one_go() -> None:
    class Counted(dict[str, Any]):
        asked = 0

        def __contains__(self, name: object) -> bool:
            Counted.asked += 1
            return super().__contains__(name)

    found, numbers = Counted(), dict[str, int]()
    for _ in range(1000):
        found[atif_kept._free("sub-agent", found, numbers)] = None
    assert list(found)[:2] + list(found)[-1:] == ["sub-agent", "sub-agent-2", "sub-agent-1000"]
    assert Counted.asked <= 3000


def test_a_folder_lists_no_file_of_a_sub_agent_that_a_run_has(tmp_path: Path) -> None:
    def write(name: str, value: JsonObject) -> None:
        (tmp_path / f"{name}.json").write_text(json.dumps(value))

    def started(name: str) -> JsonObject:
        return {"trajectory_path": f"{name}.json"}

    write("a", document("a", step(2, 0.1)))
    write("b", document("b", step(2, 0.1, started("a"))))
    write("run", document("run", step(2, 0.1, started("b"), started("none"))))
    copied = step(2, 0.1, started("left")) | {"is_copied_context": True}
    write("other", document("other", step(2)) | {"continued_trajectory_ref": "other-2.json"})
    write("other-2", document("other-2", copied, step(3)))
    write("left", document("left", step(2, 0.1)))  # named in a step that is left out
    # a call may have an argument of that name
    asks = step(2)
    asks["tool_calls"][0]["arguments"] = started("other")
    write("z", document("z", asks))
    assert [path.stem for path in find_files([tmp_path])] == ["left", "other", "run", "z"]
    assert find_files([tmp_path / "a.json"]) == [tmp_path / "a.json"]


def test_sub_agents_below_the_deepest_level_are_listed(tmp_path: Path) -> None:
    names = [f"{level:02}" for level in range(DEEPEST + 2)]
    for name, below in zip(names, [*names[1:], ""], strict=True):
        steps = [step(2, 0.0, {"trajectory_path": f"{below}.json"})] if below else [step(2)]
        (tmp_path / f"{name}.json").write_text(json.dumps(document(name, *steps)))
    assert [path.stem for path in find_files([tmp_path])] == ["00", names[-1]]


@pytest.mark.parametrize("version", ["now", "0.2.0"])
def test_sub_agents_that_oh_tui_wrote_are_read_again(tmp_path: Path, version: str) -> None:
    path = zip_of(tmp_path / "run.zip", run_files())
    before = Study(run_of(run := next(iter(open_runs(path).entries())).open(), run.events()))
    if version == "now":
        text = oh_tui("export", path, "--to", "atif").stdout
    else:
        text = (Path(__file__).parent / "written_by_0_2_0/sub_agents.json").read_text()
    _, after, problems = read(tmp_path, run=json.loads(text))
    assert problems == [] and told(after) == told(before.sub_runs)
    assert after.total == before.sub_runs.total
    for one, other in zip(before.sub_runs.all(), after.all(), strict=True):
        assert one.verdict == other.verdict
        assert [describe(step, one.trajectory.outcome(step)) for step in one.trajectory.steps] == [
            describe(step, other.trajectory.outcome(step)) for step in other.trajectory.steps
        ]
