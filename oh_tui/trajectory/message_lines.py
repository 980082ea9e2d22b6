"""One line for each message of a context, and the steps that it comes from."""

from __future__ import annotations

from oh_tui.trajectory.context.message import MODEL, RESULT, Message
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.sent_messages import first_line
from oh_tui.trajectory.reading.describe import describe, describe_event


def message_line(message: Message, run: Trajectory) -> str:
    """What a message says on one line, as the timeline says it of calls and results."""
    kind = message.kind
    if kind == MODEL:
        steps = [run.step_of(event_id) for event_id in message.event_ids]
        calls = [step.event for step in steps if step and step.is_call]
        if calls:
            return "  +  ".join(describe_event(event).what for event in calls)
    elif kind == RESULT and (step := run.step_of(message.event_ids[0])) is not None:
        result = step.result
        if result is not None and result.id == message.event_ids[0]:
            said = describe(step, run.outcome(step)).result
            if said:
                return said
    return first_line(message.dump())


def steps_words(steps: tuple[int, ...]) -> str:
    """`step 12`, `steps 2-31`, or `steps 1, 47` of two or more that do not follow each other."""
    if not steps:
        return ""
    first, last = steps[0], steps[-1]
    if first == last:
        return f"step {first:,}"
    if last - first + 1 == len(steps):
        return f"steps {first:,}-{last:,}"
    if len(steps) == 2:
        return f"steps {first:,}, {last:,}"
    return f"{len(steps):,} steps {first:,}-{last:,}"
