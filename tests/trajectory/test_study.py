"""A study that follows a run: it is that of the run read whole, and does not hold up the screen."""

from __future__ import annotations

from oh_tui.trajectory.events import Event
from oh_tui.trajectory.steps import Trajectory
from oh_tui.trajectory.study import Study

from .made import state
from .test_changes import edit


def test_files_are_read_a_little_at_a_time_while_the_agent_works() -> None:
    trajectory = Trajectory(live=True)
    trajectory.extend([state("s", "running")])
    study = Study(trajectory)
    edits: list[Event] = []
    for n in range(3_000):
        edits += edit(str(n), f"/w/{n}.py", "a\n", "b\n")
    trajectory.extend(edits)
    study.update()
    read, steps = study.changes.progress
    assert 0 < read < steps
    assert study.changes.headline == ""
    trajectory.extend([state("t", "finished")])
    study.update()
    assert study.changes.headline == "changed 3,000 files +3,000 -3,000"
    assert study.changes.headline == Study(trajectory).changes.headline
