"""The end of a run: its last steps, and which of them tell how it stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.model.bodies import text_field
from oh_tui.trajectory.model.steps import Outcome, StatusChange, Step, Trajectory

RECENT = 50
"""How many steps from the end are looked at for what a run ended with."""

FAILURES = ("ConversationErrorEvent", "ServerErrorEvent")
"""What a run can fail with; one of the server need not be why it ended."""

STOPS = {"PauseEvent": "paused", "InterruptEvent": "interrupted"}
ASIDE = frozenset(
    {"HookExecutionEvent", "Condensation", "CondensationSummaryEvent", "CondensationRequest"}
)
"""Kinds of steps that may follow the one a run ended with."""


def recent_steps(trajectory: Trajectory) -> Iterator[Step]:
    """The last steps, the last one first."""
    steps = trajectory.steps
    return (steps[place] for place in range(len(steps) - 1, max(-1, len(steps) - 1 - RECENT), -1))


def last_step(trajectory: Trajectory, holds: Callable[[Step], bool], since: int = 0) -> Step | None:
    """The last of the recent steps for which this holds, above the number `since`."""
    return next((s for s in recent_steps(trajectory) if s.number > since and holds(s)), None)


def last_telling(trajectory: Trajectory) -> Step | None:
    return last_step(trajectory, lambda step: step.event.kind not in ASIDE)


def last_number(trajectory: Trajectory) -> int | None:
    return len(trajectory.steps) or None


def before_last_change(trajectory: Trajectory, status: str) -> int:
    """How many steps there were when the run came into the state before this one: what belongs to
    an earlier turn does not explain this one."""
    changes: list[StatusChange] = trajectory.statuses
    return changes[-2].after if len(changes) > 1 and changes[-1].status == status else 0


def failure_of(trajectory: Trajectory) -> Step | None:
    """The event that tells why the run failed. The app server may have it later than the state."""
    since = before_last_change(trajectory, "error")
    found = [s for s in recent_steps(trajectory) if s.number > since and s.event.kind in FAILURES]
    return min(found, key=lambda step: FAILURES.index(step.event.kind), default=None)


def is_answer(step: Step) -> bool:
    """What a run ends with: a `finish`, or a message of the agent's."""
    if step.event.kind == "MessageEvent":
        return step.event.source == "agent"
    return step.event.part == "FinishAction" and not step.is_open and not has_failed(step)


def has_failed(step: Step) -> bool:
    return step.result is not None and step.result.failed


def with_outcome(trajectory: Trajectory, outcome: Outcome) -> list[Step]:
    """The recent calls with this outcome, in order."""
    found = [s for s in recent_steps(trajectory) if s.is_open and trajectory.outcome(s) is outcome]
    return found[::-1]


def open_calls(trajectory: Trajectory) -> list[Step]:
    """The calls without a result that the model's last answer made."""
    return [step for step in calls_before(trajectory, None) if step.is_open]


def calls_before(trajectory: Trajectory, end: Step | None) -> list[Step]:
    """The calls that the model's last answer before a step (or the end) made, in order."""
    for step in recent_steps(trajectory):
        if end is not None and step.number >= end.number:
            continue
        if step.is_call:
            group = trajectory.group(step) or (step.number,)
            return [trajectory.steps[number - 1] for number in group[-RECENT:]]
        if step.event.kind not in ASIDE and step.event.kind not in STOPS:
            break
    return []


_INTERRUPTED = pattern(r"\b(?:interrupted|cancell?ed)\b", re.IGNORECASE)


def is_cut_off(call: Step) -> bool:
    """Whether a stop ended this call: it has no result, or (since 1.24) one that the server made
    up and that says so."""
    result = call.result
    if result is None or result.kind != "AgentErrorEvent":
        return call.is_open
    return _INTERRUPTED.search(text_field(result.body(), "error")[:500]) is not None
