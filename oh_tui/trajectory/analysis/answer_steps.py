"""The steps that are answers of the model, and which usage pays for which of them."""

from __future__ import annotations

from operator import itemgetter

import msgspec

from oh_tui.trajectory.context.answers import is_answer
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Step

_NOT_BY_STEPS = ("title", "delegate", "task", "workflow", "critic", "ask", "oracle", "vision",
                 "security", "analyz")  # fmt: skip
"""Parts of usage ids whose answers are not steps of this run."""


class Times(msgspec.Struct, gc=False):
    """The steps that one kind of usage pays for, ordered by time."""

    times: list[float] = []
    events: list[str] = []


class AnswerSteps:
    def __init__(self) -> None:
        self._responses: set[str] = set()
        self.made_by: dict[str, Step] = {}
        """Event id -> the step of an answer, the first one of a group."""
        self.calls = Times()
        self.condensations = Times()

    def take(self, steps: list[Step]) -> tuple[list[Step], bool]:
        """The steps of answers, and whether their times are in order."""
        made: list[Step] = []
        in_order = True
        for step in steps:
            event = step.event
            if not _is_answer(event):
                continue
            if event.llm_response_id:
                if event.llm_response_id in self._responses:
                    continue
                self._responses.add(event.llm_response_id)
            self.made_by[event.id] = step
            made.append(step)
            when = event.seconds()
            if when is None:
                continue
            answers = self.condensations if event.kind == "Condensation" else self.calls
            in_order &= not answers.times or when >= answers.times[-1]
            answers.times.append(when)
            answers.events.append(event.id)
        if not in_order:
            for answers in (self.calls, self.condensations):
                pairs = list(zip(answers.times, answers.events, strict=True))
                pairs.sort(key=itemgetter(0))
                answers.times = [when for when, _ in pairs]
                answers.events = [event_id for _, event_id in pairs]
        return made, in_order

    def paid_by(self, usage: str) -> Times | None:
        """The answers that this usage pays for; None for those that are no steps of this run."""
        name = usage.lower()
        if "condens" in name:
            return self.condensations
        return None if any(part in name for part in _NOT_BY_STEPS) else self.calls


def _is_answer(event: Event) -> bool:
    """Whether an event comes from the model; one of an unknown kind then has a response id."""
    if event.kind == "MessageEvent":
        return is_answer(event)
    return is_answer(event) or event.kind == "Condensation" or bool(event.llm_response_id)
