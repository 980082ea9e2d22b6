"""The goal that a run was set (`/goal`): rounds of the agent, each judged, until it is reached."""

from __future__ import annotations

import msgspec

from oh_tui.text.human import plural
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.bodies import field, text_field
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import Trajectory

_MISSING = 200
"""Characters of what a judge says is missing."""


class Goal(msgspec.Struct, frozen=True):
    """How far it is, as the server last said; texts are clean and on one line."""

    word: str
    """running, reached, capped (its last round did not reach it), interrupted, or one that a newer
    server has."""
    rounds: int
    """Rounds that were judged, or that a stopped goal had begun."""
    most: int
    """Rounds that it may take; 0 where that is not known."""
    objective: str
    score: float | None
    """Of the last verdict, from 0 to 1; None without one."""
    missing: str
    """What the judge found missing."""

    @property
    def words(self) -> str:
        """Such as "goal not reached after 5 rounds (0.4): pytest output not shown"."""
        scored = "" if self.score is None else f" ({self.score:g})"
        lacks = f": {self.missing}" if self.missing and self.word != "reached" else ""
        of = f" of {self.most:,}" if self.most else ""
        if self.word in ("reached", "capped"):
            how = "reached" if self.word == "reached" else "not reached"
            return f"goal {how} after {plural(self.rounds, 'round')}{scored}{lacks}"
        how = "" if self.word == "running" else f" {self.word}"
        return f"goal{how} in round {self.rounds + 1:,}{of}{scored}{lacks}"


def goal_in(event: Event) -> Goal | None:
    """The goal that a state update tells; None for one that tells none. Never raises."""
    value = field(event.body(), "value")
    if not (status := safe_line(text_field(value, "status")[:40])):
        return None
    status = status.lower()
    score = field(value, "verdict", "score")
    is_number = isinstance(score, int | float) and not isinstance(score, bool)
    return Goal(
        "reached" if status == "complete" else status,
        _count(field(value, "iteration")),
        _count(field(value, "max_iterations")),
        safe_line(text_field(value, "objective")[:1_000]),
        float(score) if is_number and 0 <= score <= 1 else None,
        safe_line(text_field(value, "verdict", "missing")[:1_000], _MISSING),
    )


def goal_of(trajectory: Trajectory) -> Goal | None:
    return goal_in(trajectory.goals[-1].event) if trajectory.goals else None


def is_of_last_turn(trajectory: Trajectory) -> bool:
    """Whether nobody has asked for something else since the last goal was set."""
    after = trajectory.goals[-1].after if trajectory.goals else 0
    later = trajectory.steps[after:]
    return not any(step.event.is_by_user for step in later)


def _count(value: object) -> int:
    return value if type(value) is int and 0 <= value < 10**6 else 0
