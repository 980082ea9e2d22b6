"""The marks of steps: failed, in a loop, yours …, and which calls have no result. And the loops: an
agent that repeats itself, found as OpenHands finds it.

The server stops a looping run with the status "stuck" and no reason. This module looks for what its
StuckDetector looks for (the same from 1.0 to 1.34), since the user's last message: the same call
with the same result 4 times, the same call with an error 3 times, 3 messages of the agent in a row,
or two calls in turn for 6. Unlike the server it ignores thoughts, to find where a loop starts.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from oh_tui.trajectory.model.event_kinds import UNREADABLE
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.trajectory import Trajectory

if TYPE_CHECKING:
    from array import array

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


LONGEST = 500
"""Most steps of a loop; the server stops after a few, but the user can continue the run."""

_SURE = 5
"""In a longer loop, the same loop is found from each further step."""

_LATE = 20
"""How many ends of loops are checked again after a late result."""

_BETWEEN = 30
"""Most other steps, such as hooks, between two calls of a loop."""


class Pattern(StrEnum):
    SAME = "same call and result"
    ERRORS = "same call, an error each time"
    ALTERNATING = "two calls in turn"
    MESSAGES = "messages in a row"


class Loop(msgspec.Struct, frozen=True):
    """The numbers of the steps of a loop, in order."""

    pattern: Pattern
    steps: tuple[int, ...]

    @property
    def times(self) -> str:
        """Such as "4 times"."""
        more = " or more" if len(self.steps) >= LONGEST else ""
        return f"{len(self.steps)} times{more}"


class _Mark(NamedTuple):
    """Hashes of a call and its result, to compare steps."""

    call: int
    result: int
    is_error: bool


Marks = dict[int, _Mark]
"""By step number, so that no step is decoded twice."""


def find_loop(trajectory: Trajectory, end: int, marks: Marks | None = None) -> Loop | None:
    """The loop at the end of the first `end` steps; decodes its steps and a few more."""
    calls = _Calls(trajectory.steps, end, {} if marks is None else marks)
    last = calls.get(0)
    if last is not None:
        for pattern, least, holds in (
            (Pattern.SAME, 4, lambda n, mark: mark == last),
            (Pattern.ERRORS, 3, lambda n, mark: mark.is_error and mark.call == last.call),
            (Pattern.ALTERNATING, 6, lambda n, mark: n < 2 or mark == calls.get(n - 2)),
        ):
            found = calls.while_(holds)
            if len(found) >= least:
                return Loop(pattern, found)
    messages = tuple(_messages(trajectory.steps, end))[::-1]
    return Loop(Pattern.MESSAGES, messages) if len(messages) >= 3 else None


class Loops:
    """The loops in which the server stopped a growing run; `update` reads new events only."""

    def __init__(self, trajectory: Trajectory) -> None:
        self.trajectory = trajectory
        self._begin()
        self.update()

    def _begin(self) -> None:
        self.steps: frozenset[int] = frozenset()
        """The numbers of all steps in loops."""
        self._numbered = self.trajectory.steps
        self._seen_events = 0
        self._seen_statuses = 0
        self._ends: list[int] = []
        """The number of steps each time the run was stuck, ascending."""

    def update(self) -> None:
        """Adds the events since the last update."""
        steps, statuses = self.trajectory.steps, self.trajectory.statuses
        if steps is not self._numbered:
            self._begin()  # steps were renumbered
        due = self._late()
        for change in statuses[self._seen_statuses :]:
            end = change.after
            if change.status == "stuck" and (not self._ends or end > self._ends[-1]):
                self._ends.append(end)
                due.add(end)
        self._seen_statuses = len(statuses)
        found = self._find(sorted(due))
        if not found <= self.steps:
            self.steps |= found

    def _find(self, ends: list[int]) -> set[int]:
        found: set[int] = set()
        marks: Marks = {}
        index = len(ends) - 1
        while index >= 0:
            loop = find_loop(self.trajectory, ends[index], marks)
            found.update(loop.steps if loop else ())
            if loop and loop.pattern is not Pattern.MESSAGES and len(loop.steps) > _SURE:
                # a continued loop is stopped again at each turn; only the first of these ends may
                # belong to another loop as well
                index = min(index, bisect_left(ends, loop.steps[_SURE]) + 1)
            index -= 1
        return found

    def _late(self) -> set[int]:
        """The ends whose loop may have changed through a late result."""
        events, due = self.trajectory.events, set[int]()
        for event in events[self._seen_events if self._ends else len(events) :]:
            step = self.trajectory.step_of(event.id)
            if step is not None and step.event is not event and step.number <= self._ends[-1]:
                index = bisect_left(self._ends, step.number)
                due.update(self._ends[index : index + _LATE])
        self._seen_events = len(events)
        return due


def loop_steps(trajectory: Trajectory) -> frozenset[int]:
    return Loops(trajectory).steps


class _Calls:
    """The calls before an end, the last one first, decoded on demand."""

    def __init__(self, steps: list[Step], end: int, marks: Marks) -> None:
        self._rest = _calls(steps, end)
        self._found: list[tuple[int, _Mark]] = []
        self._marks = marks

    def get(self, place: int) -> _Mark | None:
        """The mark of the call `place` calls back; None without one, or without its result."""
        while len(self._found) <= place:
            step = next(self._rest, None)
            if step is None:
                return None
            mark = self._marks.get(step.number) or _mark(step)
            if mark is None:
                self._rest = iter(())
                return None
            self._marks[step.number] = mark
            self._found.append((step.number, mark))
        return self._found[place][1]

    def while_(self, holds: Callable[[int, _Mark], bool]) -> tuple[int, ...]:
        """The numbers of the last calls for which `holds` is true, in order."""
        place = 0
        while place < LONGEST and (mark := self.get(place)) and holds(place, mark):
            place += 1
        return tuple(number for number, _ in self._found[:place])[::-1]


def _calls(steps: list[Step], end: int) -> Iterator[Step]:
    """The calls among the first `end` steps, from the last one back to the user's last message."""
    between = 0
    for index in range(min(end, len(steps)) - 1, -1, -1):
        step = steps[index]
        between = 0 if step.is_call else between + 1
        if between > _BETWEEN or step.event.is_by_user:
            return
        if step.is_call:
            yield step


def _messages(steps: list[Step], end: int) -> Iterator[int]:
    """The numbers of the agent's messages at the end of these steps, the last one first."""
    for index in range(min(end, len(steps)) - 1, max(0, end - LONGEST) - 1, -1):
        step = steps[index]
        if step.event.is_by_agent:
            yield step.number
        elif step.event.is_by_user or not (step.event.is_message or step.event.is_summary):
            return


_VARIES = frozenset({"metadata", "pid", "id", "timestamp", "duration", "full_output_save_dir"})
"""Fields of an observation that differ between equal results."""


def _mark(step: Step) -> _Mark | None:
    """What calls are compared by; None for one without a result or with an unreadable one."""
    if step.is_open:
        return None
    event, result, call = step.event, step.result or step.event, step.call
    if UNREADABLE in (call.body.get("kind"), call.returned.get("kind")):
        return None
    returned = {
        name: value
        for name, value in (call.answer or call.returned).items()
        if name not in _VARIES and not name.endswith(("_id", "_time", "_at"))
    }
    return _Mark(
        _hash((event.tool_name, call.title, call.given)),
        _hash((result.kind, returned)),
        result.is_call_error,
    )


def _hash(value: object) -> int:
    try:
        return hash(msgspec.json.encode(value, order="sorted"))
    except RecursionError:
        return id(value)  # too deep to compare: equal to nothing
