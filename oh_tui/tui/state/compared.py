"""A run that is compared, with the numbers that its line shows."""

from __future__ import annotations

import msgspec

from oh_tui.api.models import Conversation
from oh_tui.trajectory.analysis.study import Study
from oh_tui.trajectory.analysis.verdict import with_sandbox
from oh_tui.trajectory.comparison.statistics import Figures, figures
from oh_tui.trajectory.model.recorded import Label
from oh_tui.trajectory.model.stats import Cost
from oh_tui.trajectory.model.trajectory import Trajectory


class Compared(msgspec.Struct, frozen=True):
    title: str
    model: str
    study: Study
    figures: Figures

    @property
    def run(self) -> Trajectory:
        return self.study.trajectory

    @property
    def label(self) -> Label | None:
        return self.run.recorded.label


def compared(conversation: Conversation, study: Study, title: str, model: str) -> Compared:
    """A whole run; reads what of it is not read yet."""
    study.changes.update()
    verdict = with_sandbox(study.verdict, conversation.sandbox_status)
    beside = Cost(conversation.cost, conversation.cost_is_partial)
    found = figures(study.accounts, study.sub_runs, study.changes, beside, verdict)
    return Compared(title, model, study, found)
