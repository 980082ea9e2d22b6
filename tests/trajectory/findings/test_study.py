"""A study that follows a run equals that of the whole run, and does not block the screen."""

from __future__ import annotations

from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.tui.widgets.summary import spans, totals
from tests.trajectory.costs.test_accounting import full_state, lists, metrics, stats
from tests.trajectory.edited import edit
from tests.trajectory.made import output, shell, state
from tests.work import counted


def test_files_are_read_a_little_at_a_time_while_the_agent_works() -> None:
    trajectory = Trajectory(live=True)
    trajectory.extend([state("s", "running")])
    study = Study(trajectory).compute()
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
    assert study.changes.headline == "changed 3,000 files +3000 -3000"
    assert study.changes.headline == Study(trajectory).changes.headline


def test_a_long_run_is_followed_within_a_frame() -> None:
    """An update costs at most one pass over the entries of a state, and none over the events."""
    count = 30_000
    listed = metrics(
        1.0, count, count, **lists(*((f"answer-{n}", 1, 1, 0.0, 2.0) for n in range(count)))
    )
    trajectory = Trajectory(live=True)
    trajectory.extend([state("s", "running"), full_state("f", 0, agent=listed)])
    trajectory.extend([e for n in range(count) for e in (shell(str(n)), output(str(n)))])
    study = Study(trajectory).compute()
    assert len(study.accounts.context) == count

    def tick(*events: Event) -> int:
        trajectory.extend(events)
        with counted() as work:
            study.update()
            totals(study, spans(study, 0.0))
        return work.lines

    assert tick(shell("a"), stats("t", 1, agent=metrics(2.0, count + 9, count))) < 2 * count
    assert tick(full_state("u", 2)) < 2 * count
    assert study.accounts.context_now == 1
