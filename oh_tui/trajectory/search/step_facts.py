"""What some words ask of a step: secrets in it, its plan, what it forgets, and whether a number is
known."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from oh_tui.text.redact import HIDDEN, safe
from oh_tui.trajectory.model.bodies import field
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.plans import plan_counts
from oh_tui.trajectory.search.searchable_text import texts_of
from oh_tui.trajectory.search.step_attributes import COST, RAN, StepColumn

if TYPE_CHECKING:
    from oh_tui.trajectory.costs.accounting import Accounts


class PlanState(StrEnum):
    OPEN = "open"
    """An item of the plan is not done."""
    DONE = "done"


def plan_state(step: Step) -> PlanState | None:
    """How a step leaves the plan; None for one that does not show it, or where it is not known."""
    plan = plan_counts(step)
    if plan is None:
        return None
    if plan.is_open:
        return PlanState.OPEN
    return None if plan.unknown else PlanState.DONE


def tells_plan(step: Step) -> bool:
    """Whether a step tells how it leaves the plan, if it may change that."""
    if step.event.tool != "TaskTracker" or plan_state(step):
        return True
    return step.result is not None and (step.result.failed or plan_counts(step) is None)


class Half(StrEnum):
    CALL = "call"
    OUTPUT = "output"


def has_secret(step: Step, half: Half) -> bool:
    """Whether what a call is given, or its result, has a secret that is masked on the screen."""
    if not step.is_call:
        return False
    events = (step.event,) if half is Half.CALL else step.results
    texts = (text for event in events for text in texts_of(event))
    return any(safe(text).count(HIDDEN) > text.count(HIDDEN) for text in texts)


def forgets_task(step: Step, trajectory: Trajectory) -> bool:
    """Whether a condensation takes the first message of the user out of the context."""
    if not step.event.is_condensation:
        return False
    gone = field(step.event.body(), "forgotten_event_ids")
    first = next((s.event for s in trajectory.steps if s.event.is_by_user), None)
    return first is not None and isinstance(gone, list) and first.id in gone


def tells_forgotten(trajectory: Trajectory) -> bool:
    """Whether the format of a run has its condensations."""
    return trajectory.recorded.format in ("", "v0")


def has_number(attribute: StepColumn, accounts: Accounts | None, step: Step) -> bool:
    """Whether a number of a step is known, if it has one."""
    if attribute is RAN:
        result = step.result
        lacks_none = not step.is_call or result is None or result.is_rejection
        return lacks_none or step.ran() is not None
    if attribute is COST and step.event.is_answer and attribute.shown(accounts, step) is None:
        # another call of the same answer may be charged what that cost
        group = accounts.trajectory.group(step) if accounts else ()
        return bool(group) and group[0] != step.number
    return True
