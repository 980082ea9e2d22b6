"""What is told of a run besides its steps: time and money, loops, verdict, strip, changed files."""

from __future__ import annotations

from oh_tui.trajectory.accounting import Accounts
from oh_tui.trajectory.changes import ChangeLog
from oh_tui.trajectory.steps import Trajectory
from oh_tui.trajectory.strip import Strip
from oh_tui.trajectory.verdict import judge, loop_steps


class Study:
    """Made once for a trajectory and kept up with `update` while it grows. Costs about as much as
    the joining of the events: for a long run make it in a thread."""

    def __init__(self, trajectory: Trajectory) -> None:
        self.trajectory = trajectory
        self.accounts = Accounts(trajectory)
        self.strip = Strip(trajectory, self.accounts)
        self.changes = ChangeLog(trajectory)
        self.update()

    def update(self) -> None:
        """After the trajectory took in more events."""
        self.accounts.update()
        self.loops = loop_steps(self.trajectory)
        """Numbers of the steps that repeat each other without end."""
        self.verdict = judge(self.trajectory)
        self.strip.update(self.loops)
        self.changes.update()
