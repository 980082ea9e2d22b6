"""One line for each message of a context."""

from __future__ import annotations

from oh_tui.text.redact import safe_line
from oh_tui.trajectory.context.message import MODEL, RESULT, Message
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.describe import LIMIT, describe


def message_line(message: Message, run: Trajectory) -> str:
    """What a message says, clean and without secrets, at most 400 characters: of calls and results
    what their steps say."""
    steps = [run.steps[number - 1] for number in message.steps]
    if message.kind not in (MODEL, RESULT) or not any(step.is_call for step in steps):
        return safe_line(message.text, LIMIT)
    found = (describe(step, run.outcome(step)) for step in steps)
    return ", ".join(one.what if message.kind == MODEL else one.result for one in found)[:LIMIT]


def stands_for(message: Message) -> str:
    """ "in place of steps 2-31" of a message with a summary; "" of any other."""
    if not (steps := message.replaces):
        return ""
    first, last = steps[0], steps[-1]
    return f"in place of step {first}" if first == last else f"in place of steps {first}-{last}"
