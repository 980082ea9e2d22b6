"""Sub-agents in zips and folders: their runs, and the steps that started them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from oh_tui.sources.file_runs import run_of
from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.costs.spending import spending
from oh_tui.trajectory.findings.study import Study, SubRun, SubRuns
from oh_tui.trajectory.findings.sub_agents import letters
from oh_tui.trajectory.formats.zip.archive import open_archive
from oh_tui.trajectory.formats.zip.zip_layout import DEEPEST
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import SubAgent, Trajectory
from oh_tui.trajectory.model.usage_stats import stats_text
from tests.trajectory.made import failure, message, result
from tests.trajectory.sub_agent_files import (
    CHECK,
    COSTS,
    DEEP,
    PROBE,
    REPORTED,
    ROUTES,
    STRAY,
    delegate,
    folder,
    folder_of,
    run_files,
    task,
    used,
    worked,
    zip_of,
)

Files = dict[str, bytes]
Make = Callable[[Path, Files], Path]


@contextmanager
def read(path: Path) -> Iterator[SubRuns]:
    with open_archive(path) as archive:
        trajectory = run_of(archive, archive.events())
        yield Study(trajectory).sub_runs


def told(runs: SubRuns) -> list[tuple[str, str, int]]:
    return [(run.path, run.name, len(run.trajectory)) for run in runs.all()]


@pytest.mark.parametrize("make", [zip_of, folder_of])
def test_each_sub_agent_belongs_to_the_step_that_started_it(tmp_path: Path, make: Make) -> None:
    home = "0" * 32 + "/" if make is zip_of else ""
    with read(make(tmp_path / "run", run_files(home))) as runs:
        assert told(runs) == [
            ("a.", STRAY, 2),
            ("2.", CHECK, 3),
            ("2.3.", DEEP, 3),
            ("3.", ROUTES, 2),
            ("3b.", PROBE, 2),
        ]
        assert [run.name for run in runs.loose] == [STRAY]
        assert runs.note == "1 sub-agent at the end: no step tells the start"


def joined(
    tmp_path: Path, parent: list[Event], subs: dict[str, list[Event]]
) -> list[tuple[str, str]]:
    """The path of each sub-agent of a run, and its name."""
    files = folder("", parent)
    for name, events in subs.items():
        files |= folder(f"subagents/{name}/", events, name)
    with read(folder_of(tmp_path / "run", files)) as runs:
        return [(run.path, run.name) for run in runs.runs]


def test_an_id_in_the_result_comes_before_prompt_and_order(tmp_path: Path) -> None:
    parent = [*task("1", "Same.", 1, 9), *task("2", "Same.", 2, 9)]
    subs = {"task_2": worked("a", "Same.", 3), "task_1": worked("b", "Same.", 4)}
    assert joined(tmp_path, parent, subs) == [("2.", "task_2"), ("1.", "task_1")]


def test_of_equal_prompts_the_first_step_has_the_first_sub_agent(tmp_path: Path) -> None:
    parent = [*task("1", "Same.", 1, 4), *task("2", "Same.", 5, 9)]
    subs = {"x": worked("b", "Same.", 6), "y": worked("a", "Same.", 2)}
    assert joined(tmp_path, parent, subs) == [("1.", "y"), ("2.", "x")]


def test_without_a_prompt_time_and_order_decide(tmp_path: Path) -> None:
    parent = [*task("1", "", 1, 4), *task("2", "", 5, 9), *task("3", "", 10, None)]
    subs = {"x": worked("b", "Told.", 6), "y": worked("a", "Told.", 12)}
    assert joined(tmp_path, parent, subs) == [("2.", "x"), ("3.", "y")]


def test_a_refused_or_a_resumed_task_starts_nothing(tmp_path: Path) -> None:
    resumed = {"kind": "TaskObservation", "task_id": "task_1", "status": "completed"}
    parent = [
        *task("0", "", 1, None),
        failure("0", "no such tool", tool="task", second=2),
        *task("1", "", 3, 4),
        *delegate("5", {}, 5, 6),
        *task("7", "", 7, None, resume="task_1"),
        result("7", resumed, tool="task", second=9),
    ]
    subs = {"x": worked("b", "Told.", 3), "y": worked("a", "Told.", 8)}
    assert joined(tmp_path, parent, subs) == [("2.", "x"), ("a.", "y")]


def test_a_sub_agent_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    files = folder("", task("1", "Look.", 1, 4))
    files |= folder("subagents/x/", worked("a", "Look.", 2), "x")
    files["subagents/x/events/event-00002-a-r.json"] = b"{"
    files["subagents/y/base_state.json"] = b"{"
    with read(folder_of(tmp_path / "run", files)) as runs:
        assert {run.name: run.path for run in runs.runs} == {"x": "1.", "y": "a."}
        assert "sub-agent a: subagents/y/base_state.json is not JSON" in runs.note


def test_a_folder_without_files_of_a_run_is_passed_over(tmp_path: Path) -> None:
    files = folder("", [message("m", "Do it.")])
    files |= folder("subagents/x/subagents/y/", worked("a", "Look.", 2), "y")
    with read(zip_of(tmp_path / "run.zip", files)) as runs:
        assert [run.name for run in runs.all()] == ["y"]


def test_sub_agents_are_read_so_many_levels_deep(tmp_path: Path) -> None:
    files, home = folder("", [message("m", "Do it.")]), ""
    for level in range(DEEPEST + 5):
        home += f"subagents/{level}/"
        files |= folder(home, [message(f"m{level}", "Do it.")], str(level))
    for path in (zip_of(tmp_path / "run.zip", files), folder_of(tmp_path / "run", files)):
        with read(path) as runs:
            assert len(list(runs.all())) == DEEPEST
        with closing(open_archive(path)) as archive:
            assert archive.note == f"sub-agents more than {DEEPEST} levels deep are left out"


def test_closing_a_run_closes_its_sub_agents_and_not_the_other_way(tmp_path: Path) -> None:
    archive = open_archive(zip_of(tmp_path / "run.zip", run_files()))
    (first, second) = (archive.sub_agents[0].open(), archive.sub_agents[1].open())
    first.close()
    assert first.read(0) == b"" and json.loads(second.read(0)) and json.loads(archive.read(0))
    archive.close()
    assert second.read(0) == b""


def test_letters_go_on_after_z() -> None:
    assert [letters(place) for place in (1, 2, 26, 27, 702, 703)] == [
        "a", "b", "z", "aa", "zz", "aaa",
    ]  # fmt: skip


def test_a_sub_agent_that_ended_with_an_error_has_failed(tmp_path: Path) -> None:
    with read(zip_of(tmp_path / "run.zip", run_files())) as runs:
        failed: list[SubRun] = [run for run in runs.all() if run.has_failed]
        assert [run.name for run in failed] == [DEEP]


# what they used

TASKS, PARENT = 0.35 + 0.01 + 0.02, 0.75
"""Dollars of all sub-agents, and of the run itself."""


@pytest.mark.parametrize(
    "reported",
    [{}, REPORTED, {"task:task_1": REPORTED["task:task_1"]}, {"task:other": used([0.3])}],
)
def test_the_run_and_its_sub_agents_make_the_total(
    tmp_path: Path, reported: dict[str, Any]
) -> None:
    with read(zip_of(tmp_path / "run.zip", run_files(reported=reported))) as runs:
        assert round(runs.own.cost, 9) == PARENT
        assert round(runs.total.cost, 9) == round(PARENT + TASKS, 9)
        assert runs.total.prompt == 100 * sum(map(len, COSTS.values())) and runs.priced
        assert [round(runs.used_by(step).cost, 9) for step in runs.trajectory.steps] == [
            0, 0.35, 0.03, 0,
        ]  # fmt: skip
        check = next(run for run in runs.runs if run.name == CHECK)
        assert (round(check.sub_runs.own.cost, 9), round(check.total.cost, 9)) == (0.3, 0.35)


def test_where_the_stats_tell_more_than_the_files_the_more_counts(tmp_path: Path) -> None:
    told = {"task:task_1": used([0.5]), "delegate:gone": used([0.125])}
    with read(zip_of(tmp_path / "run.zip", run_files(reported=told))) as runs:
        assert round(runs.total.cost, 9) == round(PARENT + 0.5 + 0.125, 9)


def test_what_a_task_used_is_told_without_files_of_the_sub_agent(tmp_path: Path) -> None:
    events = [*task("1", "Check it.", 5, 20), *task("2", "And that.", 21, 30)]
    stats = {"task:task_1": used([0.1]), "task:task_3": used([0.5])}
    with read(folder_of(tmp_path / "run", folder("", events, usages=stats))) as runs:
        assert [runs.used_by(step).cost for step in runs.trajectory.steps] == [0.1, 0]
        assert round(runs.total.cost, 9) == round(PARENT + 0.6, 9)


def test_a_conversation_of_a_server_belongs_to_a_step_by_its_id_alone() -> None:
    trajectory = Trajectory()
    trajectory.extend([message("m", "Do it."), *task("1", "Look.", 1, 9)])
    sub = Trajectory()
    sub.extend(worked("a", "Look.", 2))
    trajectory.sub_agents = [SubAgent("x", lambda: (sub, ""), is_conversation=True)]
    runs = Study(trajectory).sub_runs
    assert [run.path for run in runs.runs] == ["a."]


def test_where_it_went_has_what_the_stats_of_the_run_do_not_tell(tmp_path: Path) -> None:
    with read(zip_of(tmp_path / "run.zip", run_files("0" * 32 + "/", REPORTED))) as runs:
        spent = spending(runs.trajectory, Accounts(runs.trajectory), runs.unreported)
        assert spent.total.cost == runs.total.cost == pytest.approx(1.13)
        assert dict(spent.usages)["sub-agents"].cost == pytest.approx(0.02)
        assert sum(used.cost for _, used in spent.usages) == pytest.approx(1.13)


def test_a_run_that_grows_counts_what_it_reports_then(tmp_path: Path) -> None:
    run = Trajectory()
    run.extend([*task("1", "Look.", 1, 4)])
    study = Study(run)
    assert study.sub_runs.total.cost == 0
    usages = {"task:task_1": used([0.5]), "agent": used([0.25])}
    run.stats = stats_text({"usage_to_metrics": usages})
    run.extend([message("late", "More.", second=9)])
    study.update()
    assert study.sub_runs.total.cost == pytest.approx(0.75)
    assert study.sub_runs.below.cost == pytest.approx(0.5)
