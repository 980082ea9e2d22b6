"""Where a run can be forked: at which of its steps no call is left without a result.

A server that goes on from a fork first runs the calls in it that have no result, without asking,
also those in the midst of parallel ones (measured, agent servers 1.34.0 and 1.58.2).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import NamedTuple

from oh_tui.text.problem import Problem
from oh_tui.trajectory.model.event_tree import NONE, Places, Tree
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory


class ForkPlace(NamedTuple):
    event_id: str
    """The last event that the fork takes."""
    step: int
    """The number of the last step that it knows; 0 for none."""
    known: int
    """How many steps it knows: fewer than `step` on a branch."""

    def words(self, total: int) -> str:
        """What the fork knows of so many steps, such as `steps 1-42 of 61`."""
        if not self.step:
            return "nothing of this run"
        if self.known < self.step:
            return f"{self.known:,} steps up to step {self.step:,} of {total:,}"
        first = "step 1" if self.step == 1 else f"steps 1-{self.step:,}"
        return f"{first} of {total:,}"


class _State(NamedTuple):
    """What there is on the way from the first event to one."""

    open: frozenset[tuple[str, str]]
    """Ids of the calls without a result, and their `tool_call_id`s."""
    last: int
    """The number of its last step."""
    known: int
    """How many steps it has."""


_START = _State(frozenset(), 0, 0)


class ForkPlaces:
    """The safe places of a run as it is now. Finding them takes time in proportion to it."""

    def __init__(self, run: Trajectory) -> None:
        """Raises Problem for a run of which only a part is read: a call may be open before it."""
        if not run.complete:
            raise Problem("Only the end of this run is read", "read all of it first")
        self.run = run
        self._places = Places(run.events)
        self._tree = Tree(self._places)
        self._tree.extend(run.events)
        self._states: list[_State] = []
        self._safe: dict[int, ForkPlace] = {}
        for place, event in enumerate(run.events):
            up = self._tree.up[place]
            step = run.step_of(event.id)
            state = _after(self._states[up] if up != NONE else _START, event, step)
            self._states.append(state)
            if not step or state.open:
                continue
            group = run.group(run.steps[state.last - 1])
            if not group or group[-1] == state.last:  # no later call is of the same answer
                self._safe[state.last] = ForkPlace(event.id, state.last, state.known)
        self._steps = sorted(self._safe)

    def at(self, step: int) -> ForkPlace:
        """The place after a step. Raises Problem for one that is not safe, naming the nearest
        two."""
        if found := self._safe.get(step):
            return found
        raise self._refusal(f"Step {step:,}", step)

    def end(self) -> ForkPlace:
        """The place after the last step."""
        last = len(self.run.steps)
        if not last:
            raise Problem("Nothing has happened in this run yet")
        if found := self._safe.get(last):
            return found
        raise self._refusal(f"Its end, step {last:,},", last)

    def before(self, step: int) -> ForkPlace:
        """The place before a message, to say another thing there. Raises Problem as `at`."""
        place = self._places.of(self.run.steps[step - 1].event.id)
        place = NONE if place is None else self._tree.up[place]
        while place != NONE:
            event = self.run.events[place]
            # not with a change of a state, or anything else that is no event of the agent
            if event.is_system or self.run.step_of(event.id):
                break
            place = self._tree.up[place]
        if place == NONE:
            raise Problem(f"Nothing is before step {step:,}", "start a new conversation instead")
        state = self._states[place]
        if state.open:
            raise self._refusal(f"What is before step {step:,}", step)
        return ForkPlace(self.run.events[place].id, state.last, state.known)

    def nearest(self, step: int) -> tuple[int | None, int | None]:
        """The last safe step before one, and the first after it."""
        before, after = bisect_left(self._steps, step), bisect_right(self._steps, step)
        return (
            self._steps[before - 1] if before else None,
            self._steps[after] if after < len(self._steps) else None,
        )

    def _refusal(self, what: str, step: int) -> Problem:
        near = [f"step {number:,}" for number in self.nearest(step) if number]
        places = f"place{'s' * (len(near) > 1)}"
        hint = f"the nearest safe {places}: {' and '.join(near)}" if near else "no step is safe"
        return Problem(f"{what} leaves a call without a result, which a fork would run again", hint)


def _after(before: _State, event: Event, step: Step | None) -> _State:
    calls, last, known = before
    if event.is_action:
        calls |= {(event.id, event.tool_call_id)}
    elif event.is_result and not event.is_call_error and calls:
        calls = frozenset(call for call in calls if call[0] != event.action_id)
    elif event.is_call_error and event.tool_call_id:
        calls = frozenset(call for call in calls if call[1] != event.tool_call_id)
    if step is not None and step.event is event:
        known += 1
    return _State(calls, max(last, step.number if step else 0), known)
