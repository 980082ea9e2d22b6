"""What is told of a run besides its steps: time and money, loops, verdict, strip, changed files."""

from __future__ import annotations

from oh_tui.trajectory.analysis.accounting import Accounts
from oh_tui.trajectory.analysis.changes import ChangeLog
from oh_tui.trajectory.analysis.loops import Loops
from oh_tui.trajectory.analysis.strip import Strip
from oh_tui.trajectory.analysis.verdict import judge
from oh_tui.trajectory.model.steps import Trajectory

READING = 0.005
"""Seconds that reading changed files may take of an update while the agent works."""


class Study:
    """Made once for a trajectory and kept up with `update` while it grows. Costs about as much as
    the joining of the events: for a long run make it in a thread."""

    def __init__(self, trajectory: Trajectory) -> None:
        self.trajectory = trajectory
        self.accounts = Accounts(trajectory)
        self.strip = Strip(trajectory, self.accounts)
        self.changes = ChangeLog(trajectory)
        self.changes.update()
        self._loops = Loops(trajectory)
        self.update()

    @property
    def tells_something(self) -> bool:
        """Whether there is more to say than that nothing happened."""
        return bool(self.trajectory.steps or self.verdict.word)

    def update(self) -> None:
        """After the trajectory took in more events. While the agent works, files are read for
        5 ms at most: those left over come in with the next events."""
        trajectory = self.trajectory
        self.accounts.update()
        self._loops.update()
        self.loops = self._loops.steps
        """Numbers of the steps that repeat each other without end."""
        self.verdict = judge(trajectory)
        self.strip.update(self.loops)
        is_at_work = trajectory.live and trajectory.status == "running"
        self.changes.update(budget=READING if is_at_work else None)
