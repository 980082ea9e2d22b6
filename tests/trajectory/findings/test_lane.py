"""The lane of a sub-agent in the strip of the run that started it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from oh_tui.sources.file_runs import run_of
from oh_tui.trajectory.findings.strip_lane import Lane
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.formats.zip.archive import open_archive
from oh_tui.trajectory.model.trajectory import Trajectory
from tests.trajectory.sub_agent_files import folder, folder_of, run_files, task, worked

WIDTH = 30
"""Columns of a second each: the run takes that long, from its second 2 on."""


@contextmanager
def studied(path: Path) -> Iterator[Study]:
    with open_archive(path) as archive:
        yield Study(run_of(archive, archive.events()))


def lane(study: Study, *numbers: int) -> Lane:
    """That of the sub-agent which these steps started, one in the other."""
    runs, steps = study.sub_runs, study.trajectory.steps
    for number in numbers:
        run = runs.of(steps[number - 1])[0]
        runs, steps = run.sub_runs, run.trajectory.steps
    return Lane(run, study.trajectory.steps[numbers[0] - 1])


def test_a_sub_agent_works_at_its_own_time(tmp_path: Path) -> None:
    with studied(folder_of(tmp_path / "run", run_files())) as study:
        check = lane(study, 2)
        assert check.name == "2"
        columns = check.columns(study.strip, WIDTH)
        busy = [n for n, column in enumerate(columns) if column.llm or column.tool]
        assert (busy[0], busy[-1], len(columns)) == (4, 9, WIDTH)
        steps = check.run.trajectory.steps
        assert [check.column_of(study.strip, step, WIDTH) for step in steps] == [4, 5, 7]


def test_one_below_it_stands_on_the_axis_of_the_whole_run(tmp_path: Path) -> None:
    with studied(folder_of(tmp_path / "run", run_files())) as study:
        deep = lane(study, 2, 3)
        assert deep.name == "2.3"
        marks = [column.mark for column in deep.columns(study.strip, WIDTH)]
        assert marks.index("error") == 10 and marks.count("error") == 1
        assert deep.outside(study.strip) == ""


def test_one_that_outlives_the_run_is_shown_to_its_end(tmp_path: Path) -> None:
    files = folder("", task("1", "Look.", 0, 30))
    files |= folder("subagents/a/", worked("a", "Look.", 29, *task("9", "", 50, 60)), "a")
    with studied(folder_of(tmp_path / "run", files)) as study:
        late = lane(study, 1)
        columns = late.columns(study.strip, WIDTH)
        assert [n for n, c in enumerate(columns) if c.happened_tool or c.mark] == [29]
        found = [late.column_of(study.strip, s, WIDTH) for s in late.run.trajectory.steps]
        assert found == [29, 29, None]


def test_one_outside_of_the_axis_says_where(tmp_path: Path) -> None:
    files = folder("", task("1", "Look.", 20, 30))
    for name, second in (("a", 50), ("b", 10)):
        files |= folder(f"subagents/{name}/", worked(name, "Look.", second), name)
    with studied(folder_of(tmp_path / "run", files)) as study:
        (step,) = study.trajectory.steps
        told = {run.name: Lane(run, step).outside(study.strip) for run in study.sub_runs.runs}
        assert told == {
            "a": "began after the end of this run",
            "b": "ended before this run began",
        }


def test_a_run_without_steps_has_no_lane(tmp_path: Path) -> None:
    with studied(folder_of(tmp_path / "run", run_files())) as study:
        check = lane(study, 2)
        strip = Study(Trajectory()).strip
        assert check.columns(strip, WIDTH) == [] == check.columns(study.strip, 0)
        assert check.column_of(strip, check.run.trajectory.steps[0], WIDTH) is None
