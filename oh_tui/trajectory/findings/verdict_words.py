"""The words of a verdict: at which step, when, and what it did."""

from __future__ import annotations

from collections.abc import Sequence

from oh_tui.text.human import clock, clock_time, unzoned
from oh_tui.trajectory.findings.ending import RECENT
from oh_tui.trajectory.model.clock import LONGEST_RUN, is_bare
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.describe import describe


def spans(numbers: Sequence[int]) -> str:
    """Ascending numbers as "58-61" or "3, 5-7"; more than four ranges as "12 from 3 to 40"."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    if len(ranges) > 4:
        return f"{len(numbers)} from {numbers[0]} to {numbers[-1]}"
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges)


def done_before(trajectory: Trajectory, failure: Step) -> str:
    """Where a model failed: " at the first step", " after step 12", or "" if unknown."""
    if not trajectory.complete:
        return ""
    before = trajectory.steps[max(0, failure.number - 1 - RECENT) : failure.number - 1]
    for step in reversed(before):
        if step.is_call or step.event.is_by_agent:
            return f" after step {step.number}"
    return "" if failure.number > RECENT else " at the first step"


def moment(trajectory: Trajectory, step: Step) -> str:
    """ " at 2:14:05" since the start of the run, or the time of day while the start is unknown; ""
    for a time that is missing or goes back."""
    when = step.event.seconds()
    if when is None:
        return ""
    if not trajectory.complete:
        if not 0 < when < 100 * LONGEST_RUN:
            return ""
        is_known = not is_bare(step.event.timestamp)
        return (
            f" at {clock_time(when)} UTC" if is_known else f" at {unzoned(clock_time(when), True)}"
        )
    before = (s.event.seconds() for s in trajectory.steps[max(0, step.number - 4) : step.number])
    known = [began for began in (trajectory.began, *before) if began is not None]
    span = when - (trajectory.began or 0.0)
    return f" at {clock(span)}" if max(known) <= when and span < LONGEST_RUN else ""


def what(trajectory: Trajectory, step: Step) -> str:
    about = describe(step, trajectory.outcome(step))
    return about.what if not step.event.is_message else f"{about.what}: {about.result}"


def more(steps: Sequence[Step]) -> str:
    return f" +{len(steps) - 1} more" if len(steps) > 1 else ""


def fit(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
