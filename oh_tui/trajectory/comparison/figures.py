"""The numbers of a run that a comparison shows."""

from __future__ import annotations

import msgspec

from oh_tui.trajectory.analysis.accounting import Accounts
from oh_tui.trajectory.analysis.changes import ChangeLog, size_words
from oh_tui.trajectory.analysis.sub_agents import SubRuns
from oh_tui.trajectory.analysis.verdict import Verdict, judge
from oh_tui.trajectory.model.stats import Cost

NO_COST = Cost(None, None)


class Figures(msgspec.Struct, frozen=True):
    """Cost and tokens are those of the run with its sub-agents. None stands for unknown."""

    verdict: Verdict
    steps: int
    work: float | None
    """Seconds without those in which it waited for the user."""
    told_cost: Cost
    tokens: int
    files: int
    added: int
    removed: int

    @property
    def changes(self) -> str:
        """Such as "5 files +142 -97"; without lines if they are unknown, "" without a change."""
        return size_words(self.files, self.added, self.removed)

    @property
    def cost(self) -> float | None:
        """US dollars."""
        return self.told_cost.dollars

    def less(self, other: Figures) -> Gap:
        return Gap(
            self.steps - other.steps,
            None if self.work is None or other.work is None else self.work - other.work,
            None if self.cost is None or other.cost is None else self.cost - other.cost,
        )


class Gap(msgspec.Struct, frozen=True):
    """What one run took more than another, less when negative; None where one is unknown."""

    steps: int
    work: float | None
    cost: float | None


def figures(
    accounts: Accounts,
    sub_runs: SubRuns,
    log: ChangeLog,
    beside: Cost = NO_COST,
    verdict: Verdict | None = None,
) -> Figures:
    """Those of a whole run. The cost `beside` is for a run whose events have no price."""
    trajectory = accounts.trajectory
    return Figures(
        verdict or judge(trajectory),
        len(trajectory),
        None if trajectory.began is None else accounts.active,
        sub_runs.cost(beside.dollars, is_partial=beside.is_partial),
        sub_runs.total.tokens,
        log.changed,
        log.added,
        log.removed,
    )
