"""The order in time of what a run and its sub-agents did."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.changes.touched_files import TouchedFiles
from oh_tui.trajectory.model.bodies import field
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Step

Moment: TypeAlias = tuple[float, tuple[float, ...]]
"""Seconds, where several runs are ordered, and the place of an event in its run; before that, of a
sub-agent, the place of the call that started it. Moments compare; they mean nothing else."""

START: Moment = (float("-inf"), ())
END: Moment = (float("inf"), ())

Label: TypeAlias = int | str
"""The number of a step; a sub-agent's is a path such as "12.3"."""


class Part:
    """A run, or one of its sub-agents, whose files lie in the same place."""

    def __init__(
        self, touched: TouchedFiles, prefix: str = "", above: Part | None = None, started: int = 0
    ) -> None:
        self.touched = touched
        self.trajectory = touched.trajectory
        self.prefix = prefix
        """What the numbers of its steps begin with, such as `12.`."""
        self.above, self.started = above, started
        """The run that started it, and by which step; 0 where that is not known."""
        self.delegated: frozenset[int] = frozenset()
        """Numbers of its steps that did no more than start sub-agents, all of which are parts."""
        self._places: dict[int, int] = {}
        self._seconds: list[float] = []
        self._base: tuple[float, ...] = ()
        self._is_parallel: bool | None = None

    def label(self, step: Step) -> Label:
        return f"{self.prefix}{step.number}" if self.prefix else step.number

    @property
    def is_placed(self) -> bool:
        """Whether it is known when it was at work."""
        return self.above is None or bool(self.started) or any(self._seconds)

    def arrange(self, order: int, *, by_time: bool) -> None:
        """Take the places of all events, by times if there are several parts, those above first."""
        events = self.trajectory.events
        self._is_parallel = None
        self._places = {id(event): place for place, event in enumerate(events)}
        begin, self._base, self._seconds = 0.0, (), []
        if self.above is not None:
            self._base = (-1, order)
            if self.started:
                call = self.above.trajectory.steps[self.started - 1].event
                begin, base = self.above.when(call)
                self._base = (*base, order)
        if by_time:
            for event in events:
                begin = max(begin, event.seconds() or 0.0)
                self._seconds.append(begin)

    def when(self, event: Event) -> Moment:
        """An event that came since `arrange` is after all others."""
        place = self._places.get(id(event), len(self._places))
        seconds = self._seconds[min(place, len(self._seconds) - 1)] if self._seconds else 0.0
        return seconds, (*self._base, place)

    def just_before(self, event: Event) -> Moment:
        """After the event before this one."""
        seconds, places = self.when(event)
        place = self._places[id(event)]
        before = self._seconds[place - 1] if self._seconds and place else seconds
        return before, (*places[:-1], places[-1] - 0.5)

    def began(self, step: Step) -> Moment:
        """When a step began: calls of one answer run in turn, or several at once."""
        asked = self.when(step.event)
        group = self.trajectory.group(step)
        place = group.index(step.number) if len(group) > 1 else 0
        if not place or self._runs_in_parallel(group):
            return asked
        result = self.trajectory.steps[group[place - 1] - 1].result
        return max(asked, self.when(result)) if result else asked

    def ended(self, step: Step) -> Moment:
        """When the result of a step came. A call that has not ended may be at work for ever."""
        if step.is_open:
            return END
        return self.when(step.result or step.event)

    def _runs_in_parallel(self, group: Sequence[int]) -> bool:
        """What the state of the agent says, or results in another order than their calls tell."""
        if self._is_parallel is None:
            events = self.trajectory.events
            state = next((event for event in events if event.key == "full_state"), None)
            limit = field(state.body(), "value", "agent", "tool_concurrency_limit") if state else 1
            self._is_parallel = isinstance(limit, int) and limit > 1
        if self._is_parallel:
            return True
        results = (self.trajectory.steps[number - 1].result for number in group)
        times = [result.seconds() or 0.0 for result in results if result]
        return any(later < earlier for earlier, later in pairwise(times))


def end_of_step(parts: Sequence[Part], label: Label) -> Moment:
    """The end of a step of the run, which is the first part, or of a sub-agent: END for a number
    beyond the last step of the run, START for 0. Raises Problem for what is no step."""
    prefix, dot, number = str(label).rpartition(".")
    part = next((one for one in parts if one.prefix == prefix + dot), None)
    if part is None or not (number.isascii() and number.isdecimal() and len(number) < 10):
        raise Problem(f"There is no step {safe_line(str(label))}")
    steps = part.trajectory.steps
    if part is parts[0] and not 0 < int(number) <= len(steps):
        return END if int(number) else START
    if not steps:
        return END
    if not int(number):
        return part.just_before(steps[0].event)
    step = steps[min(int(number), len(steps)) - 1]
    ended = part.ended(step)
    return part.when(step.event) if ended == END else ended
