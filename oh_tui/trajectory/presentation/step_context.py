"""The neighbours of a step or an event in its run."""

from __future__ import annotations

from collections.abc import Sequence

from oh_tui.trajectory.model.bodies import list_field
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.trajectory import Trajectory

_FAR = 5000
"""How many steps back the previous call of a tool is searched."""


class StepContext:
    """What blocks tell about the neighbours of a step, or of an event without a step."""

    def __init__(self, trajectory: Trajectory, of: Step | Event) -> None:
        self._run = trajectory
        self._step = of if isinstance(of, Step) else None
        self._event = of.event if isinstance(of, Step) else of

    @property
    def group(self) -> Sequence[int]:
        """Numbers of the calls in the same answer of the model, with this one."""
        return self._run.group(self._step) if self._step else ()

    @property
    def place(self) -> int:
        """Position of this call in its group, from 1; 0 for a single call."""
        group = self.group
        return group.index(self._step.number) + 1 if self._step and len(group) > 1 else 0

    @property
    def before(self) -> Step | None:
        """The previous successful call of the same tool; None without one among 5,000 steps."""
        if self._step is None:
            return None
        event, last = self._step.event, self._step.number - 1
        for n in range(last - 1, max(-1, last - 1 - _FAR), -1):
            before = self._run.steps[n]
            is_same = (before.event.tool, before.event.tool_name) == (event.tool, event.tool_name)
            if is_same and before.is_call and before.result and not before.result.failed:
                return before
        return None

    @property
    def after(self) -> Step | None:
        """The next step outside the group."""
        if self._step is None:
            return None
        last = max([self._step.number, *self.group[-1:]])
        return self._run.steps[last] if last < len(self._run.steps) else None

    @property
    def may_have_sub_agent(self) -> bool:
        """A sub-agent's steps are known that this started, or of which nothing tells what did."""
        own, starts = self.number_of(self._event.id), [a.started_by for a in self._run.sub_agents]
        return any(not start or (own and self.number_of(start) == own) for start in starts)

    @property
    def is_over(self) -> bool:
        """Nothing follows: the last step of a file, or of a run that has ended."""
        if self.after is not None or not self._run.complete:
            return False
        if self._run.status == "paused":
            return False  # it may go on
        return not self._run.live or self._run.status not in ("", "running", "idle")

    def until(self, step: Step) -> float | None:
        """Seconds from this event to a step; None without times."""
        began, then = self._event.seconds(), step.event.seconds()
        return None if began is None or then is None else then - began

    def outcome(self, step: Step) -> Outcome:
        return self._run.outcome(step)

    def number_of(self, event_id: str) -> int:
        """The number of the step of an event, 0 without one."""
        step = self._run.step_of(event_id)
        return step.number if step else 0

    @property
    def event_before(self) -> Event | None:
        """The previous state update with the same key."""
        return self._run.update_before(self._event)

    @property
    def forgotten(self) -> tuple[int, int] | None:
        """First and last of the steps that a condensation took out of the context, or None."""
        gone = list_field(self._event.body(), "forgotten_event_ids")
        steps = [self._run.step_of(name) for name in gone if isinstance(name, str)]
        numbers = [step.number for step in steps if step is not None]
        return (min(numbers), max(numbers)) if numbers else None
