"""A run in a comparison, with what its events show."""

from __future__ import annotations

from typing import NamedTuple

from oh_tui.conversation import Conversation, same_id
from oh_tui.trajectory.comparison.statistics import Figures, figures
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.findings.verdict import Verdict


class Compared(NamedTuple):
    conversation: Conversation
    study: Study
    figures: Figures
    note: str = ""


def compared(
    conversation: Conversation, study: Study, verdict: Verdict, note: str = ""
) -> Compared:
    found = figures(study, conversation.price, verdict)
    return Compared(conversation, study, found, note)


class Fork(NamedTuple):
    """That one of two runs, A and B, was forked from the other."""

    of: str
    """"a" or "b"."""
    step: int | None
    """The last step of that which the fork took; None where it took all, or nothing tells."""

    @property
    def words(self) -> str:
        origin = self.of.upper()
        at = f" at step {self.step:,}" if self.step else ""
        return f"{'A' if origin == 'B' else 'B'} is a fork of {origin}{at}"


def fork_of(a: Compared, b: Compared) -> Fork | None:
    """None where neither record says so."""
    for name, origin, fork in (("a", a, b), ("b", b, a)):
        record = fork.conversation
        if record.origin and same_id(record.origin, origin.conversation.id):
            step = origin.study.trajectory.step_of(record.forked_at)
            return Fork(name, step.number if step else None)
    return None
