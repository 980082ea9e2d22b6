"""The answers of the model in a run."""

from __future__ import annotations

from typing import NamedTuple

from oh_tui.trajectory.model.usage import Usage, fill


class Answer(NamedTuple):
    """One answer of the agent's model: a message, or one or more calls."""

    step: int
    """The number of its first step."""
    event_id: str
    """Of its first event."""
    event_ids: tuple[str, ...]
    """Of the message, or of all calls in it."""
    response: str
    """Its `llm_response_id`; "" where the run has none."""
    usage: Usage | None
    """Its tokens, cost and time, from the list of answers in the stats of the run; None where that
    does not have it, as in a run of which only sums are known."""
    window: int
    """The tokens that the model's context had room for, from the same list; 0 when not known."""

    @property
    def fill(self) -> float | None:
        """How full the context was, 1 being full; None when a number for it is not known."""
        return fill(self.usage, self.window)
