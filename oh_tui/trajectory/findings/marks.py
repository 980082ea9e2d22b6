"""The marks of steps: failed, in a loop, yours …, and which calls have no result."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Outcome, Step

if TYPE_CHECKING:
    from array import array

    from oh_tui.trajectory.model.trajectory import Trajectory

MARKS = ("error", "loop", "waiting", "paused", "user", "condensed", "failed", "rejected")
"""The marks, the strongest first."""

_AT_ONCE = 256
"""How many open calls may wait for confirmation; no answer has more."""

_MARK_OF = {
    Outcome.ERROR: "error",
    Outcome.COMMAND_FAILED: "failed",
    Outcome.REJECTED: "rejected",
}


class StepMarks:
    """The marks of a growing run's steps, one at most each. `add` takes a new step or result."""

    def __init__(self, trajectory: Trajectory) -> None:
        self._trajectory = trajectory
        self._own: list[str] = []
        """By step number - 1: its own mark."""
        self._marked: dict[str, list[int]] = {mark: [] for mark in MARKS}
        """Step numbers by mark, ascending."""
        self._open: list[int] = []
        """Numbers of the calls without a result, ascending."""
        self._loops: frozenset[int] = frozenset()
        self._seen_statuses = 0

    def __len__(self) -> int:
        return len(self._own)

    def update(self, loops: frozenset[int]) -> None:
        """Takes what more than one step tells; `loops` are the numbers of the steps in loops."""
        for change in self._trajectory.statuses[self._seen_statuses :]:
            if change.status == "paused" and change.after:
                _put(self._marked["paused"], change.after)
        self._seen_statuses = len(self._trajectory.statuses)
        if loops != self._loops or len(loops) != len(self._marked["loop"]):
            self._loops = loops
            self._marked["loop"] = sorted(n for n in loops if 0 < n <= len(self._own))
        run = self._trajectory
        self._marked["waiting"] = [
            number
            for number in self._open[-_AT_ONCE:]
            if run.outcome(run.steps[number - 1]) is Outcome.WAITING
        ]

    def add(self, step: Step) -> None:
        number = step.number
        if number > len(self._own):
            self._own.append("")
        outcome = self._trajectory.outcome(step)
        is_open = step.is_open and outcome is not Outcome.OK
        mark = "" if is_open else _MARK_OF.get(outcome, "")
        if not (mark or is_open or step.is_call):
            mark = _mark_of_event(step.event)
        if mark != self._own[number - 1]:
            if self._own[number - 1]:
                _drop(self._marked[self._own[number - 1]], number)
            if mark:
                _put(self._marked[mark], number)
            self._own[number - 1] = mark
        if is_open:
            _put(self._open, number)
        elif self._open:
            _drop(self._open, number)

    def nearest(self, number: int, by: int, marks: Iterable[str]) -> int:
        """The nearest step with one of these marks after (`by` 1) or before (-1); 0 for none."""
        found = 0
        for mark in marks:
            numbers = self._marked[mark]
            if mark == "loop":
                numbers = [n for n in numbers if n - 1 not in self._loops]
            index = bisect_right(numbers, number) if by > 0 else bisect_left(numbers, number) - 1
            if 0 <= index < len(numbers):
                nearer = min if by > 0 else max
                found = nearer(found, numbers[index]) if found else numbers[index]
        return found

    def strongest(self, begin: int, end: int) -> tuple[str, int]:
        """The strongest mark of the steps from `begin` to before `end`, and the step's number."""
        for mark, numbers in self._marked.items():
            number = first_in(numbers, begin, end)
            if number:
                return mark, number
        return "", 0

    def is_open(self, begin: int, end: int) -> bool:
        """Whether a call from step `begin` to `end` - 1 has no result, or the last step before."""
        if not self._open:
            return False
        if begin < end:
            return bool(first_in(self._open, begin, end))
        index = bisect_right(self._open, begin - 1) - 1
        if index < 0:
            return False
        number = self._open[index]
        group = self._trajectory.group(self._trajectory.steps[number - 1])
        return number == begin - 1 or (bool(group) and group[-1] == begin - 1)


def _mark_of_event(event: Event) -> str:
    if event.is_stop:
        return "paused"
    if event.is_summary:
        return "condensed"
    return "user" if event.is_by_user else ""


def first_in(numbers: Sequence[int] | array[int], begin: int, end: int) -> int:
    """The first of the ascending numbers from `begin` to `end` - 1, or 0."""
    index = bisect_left(numbers, begin)
    return numbers[index] if index < len(numbers) and numbers[index] < end else 0


def _put(numbers: list[int], number: int) -> None:
    if not numbers or numbers[-1] < number:
        numbers.append(number)
    elif numbers[bisect_left(numbers, number)] != number:
        insort(numbers, number)


def _drop(numbers: list[int], number: int) -> None:
    index = bisect_left(numbers, number)
    if index < len(numbers) and numbers[index] == number:
        del numbers[index]
