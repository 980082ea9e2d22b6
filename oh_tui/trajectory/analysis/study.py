"""Everything derived from a run: time and cost, loops, verdict, strip, changed files."""

from __future__ import annotations

from collections.abc import Sequence

from oh_tui.trajectory.analysis.accounting import Accounts
from oh_tui.trajectory.analysis.changes import ChangeLog
from oh_tui.trajectory.analysis.loops import Loops
from oh_tui.trajectory.analysis.strip import Strip
from oh_tui.trajectory.analysis.sub_agents import SubRuns
from oh_tui.trajectory.analysis.verdict import judge
from oh_tui.trajectory.model.trajectory import SubAgent, Trajectory

READING = 0.005
"""Longest time for changed files in one update while the agent works, in seconds."""


class Study:
    """The analysis of a growing trajectory; call `update` after each `extend`. Creating it takes
    about as long as joining the events, so use a thread for a long run."""

    def __init__(self, trajectory: Trajectory) -> None:
        self.trajectory = trajectory
        self.accounts = Accounts(trajectory)
        self.strip = Strip(trajectory, self.accounts)
        self.changes = ChangeLog(trajectory)
        self.changes.update()
        self.sub_runs = SubRuns(trajectory, self.accounts)
        """Its sub-agents, which a file has; they are read here. Those of a server come later, by
        `take_sub_agents`."""
        self._loops = Loops(trajectory)
        self.update()

    def take_sub_agents(self, run: Trajectory, agents: Sequence[SubAgent]) -> None:
        """Adds sub-agents to a run, which is this one or a sub-agent; they replace those with the
        same names."""
        names = {agent.name for agent in agents}
        run.sub_agents = [*(a for a in run.sub_agents if a.name not in names), *agents]
        self.sub_runs = SubRuns(self.trajectory, self.accounts)

    @property
    def tells_something(self) -> bool:
        """Whether anything happened in the run."""
        return bool(self.trajectory.steps or self.verdict.word)

    def update(self) -> None:
        """Adds the events since the last update. While the agent works, changed files get 5 ms at
        most; the rest is done in later updates."""
        trajectory = self.trajectory
        self.accounts.update()
        self.sub_runs.recount()
        self._loops.update()
        self.loops = self._loops.steps
        """Numbers of the steps in loops."""
        self.verdict = judge(trajectory)
        self.strip.update(self.loops)
        is_at_work = trajectory.live and trajectory.status == "running"
        self.changes.update(budget=READING if is_at_work else None)
