"""A run in a comparison, with what its events show."""

from __future__ import annotations

from typing import NamedTuple

from oh_tui.api.models import Conversation
from oh_tui.trajectory.analysis.study import Study
from oh_tui.trajectory.analysis.verdict import Verdict
from oh_tui.trajectory.comparison.statistics import Figures, figures
from oh_tui.trajectory.model.usage_stats import Cost


class Compared(NamedTuple):
    conversation: Conversation
    study: Study
    figures: Figures
    note: str = ""
    """A note on how it was read."""


def compared(
    conversation: Conversation, study: Study, verdict: Verdict, note: str = ""
) -> Compared:
    beside = Cost(conversation.cost, conversation.cost_is_partial)
    return Compared(conversation, study, figures(study, beside, verdict), note)
