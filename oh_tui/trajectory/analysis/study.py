"""What follows from a run: time and cost, sub-agents, loops, verdict, strip, changed files."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from oh_tui.trajectory.analysis.accounting import Accounts
from oh_tui.trajectory.analysis.changes import ChangeLog, changes
from oh_tui.trajectory.analysis.loops import Loops
from oh_tui.trajectory.analysis.strip import Strip
from oh_tui.trajectory.analysis.sub_agents import SubRuns
from oh_tui.trajectory.analysis.verdict import Verdict, judge
from oh_tui.trajectory.model.trajectory import SubAgent, Trajectory

READING = 0.005
"""Longest time for changed files in one update while the agent works, in seconds."""


class Study:
    """The analysis of a growing trajectory, each part computed when it is first asked for. Call
    `update` after each `extend`."""

    def __init__(self, trajectory: Trajectory) -> None:
        self.trajectory = trajectory

    @cached_property
    def accounts(self) -> Accounts:
        return Accounts(self.trajectory)

    @cached_property
    def sub_runs(self) -> SubRuns:
        """Its sub-agents, which a file has; they are read now. Those of a server come later, by
        `take_sub_agents`."""
        return SubRuns(self.trajectory, self.accounts)

    @cached_property
    def verdict(self) -> Verdict:
        return judge(self.trajectory)

    @property
    def loops(self) -> frozenset[int]:
        """Numbers of the steps in loops."""
        return self._loops.steps

    @cached_property
    def _loops(self) -> Loops:
        return Loops(self.trajectory)

    @cached_property
    def strip(self) -> Strip:
        strip = Strip(self.trajectory, self.accounts)
        strip.update(self.loops)
        return strip

    @cached_property
    def changes(self) -> ChangeLog:
        return changes(self.trajectory)

    def compute(self) -> Study:
        """Computes all of it. This takes about as long as joining the events, so use a thread for
        a long run."""
        _ = self.sub_runs, self.verdict, self.strip, self.changes
        return self

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
        """Adds the events since the last update to what is computed. While the agent works, changed
        files get 5 ms at most; the rest is done in later updates."""
        trajectory, computed = self.trajectory, vars(self)
        computed.pop("verdict", None)
        if "accounts" in computed:
            self.accounts.update()
        if "sub_runs" in computed:
            self.sub_runs.recount()
        if "_loops" in computed:
            self._loops.update()
        if "strip" in computed:
            self.strip.update(self.loops)
        if "changes" in computed:
            is_at_work = trajectory.live and trajectory.status == "running"
            self.changes.update(budget=READING if is_at_work else None)
