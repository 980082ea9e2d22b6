"""Loops: an agent that does the same again and again, found in the steps as OpenHands finds it.

The server stops a run that loops and says no more than "stuck". What it looks for (source: its
StuckDetector, the same from 1.0 to 1.34) is looked for here: the same call with the same result 4
times, the same call with an error 3 times, 3 messages of the agent in a row, two calls that
alternate for 6; in all cases since the user last wrote. Unlike the server we leave the thought out
of the comparison, so that a loop is named from its true beginning.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from oh_tui.trajectory.model.bodies import arguments, field
from oh_tui.trajectory.model.events import UNREADABLE
from oh_tui.trajectory.model.steps import Step, Trajectory

LONGEST = 500
"""Steps of a loop that are looked at; the server stops after a few, but can be told to go on."""

_SURE = 5
"""A loop with more steps is found from each of them on as the same loop."""

_LATE = 20
"""Times that the run was stuck which are looked at again for a result that came late."""

_BETWEEN = 30
"""How many steps that are no calls (hooks, notes of the server) may stand between two calls."""


class Pattern(StrEnum):
    SAME = "same call and result"
    ERRORS = "same call, an error each time"
    ALTERNATING = "two calls in turn"
    MESSAGES = "messages in a row"


class Loop(msgspec.Struct, frozen=True):
    """The steps of a loop, by their numbers and in order."""

    pattern: Pattern
    steps: tuple[int, ...]

    @property
    def times(self) -> str:
        """How often, as far as it was looked at: "4 times"."""
        more = " or more" if len(self.steps) >= LONGEST else ""
        return f"{len(self.steps)} times{more}"


class _Mark(NamedTuple):
    """What two steps must have in common to be the same; hashes, as bodies can be large."""

    call: int
    result: int
    is_error: bool


Marks = dict[int, _Mark]
"""By the step's number; spares decoding a step twice."""


def find_loop(trajectory: Trajectory, end: int, marks: Marks | None = None) -> Loop | None:
    """The loop that the first `end` steps end with; decodes its steps and a few more."""
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
    """The loops in which the server stopped a run, kept up as it grows: `update` looks at what is
    new only."""

    def __init__(self, trajectory: Trajectory) -> None:
        self.trajectory = trajectory
        self._begin()
        self.update()

    def _begin(self) -> None:
        self.steps: frozenset[int] = frozenset()
        """The numbers of all steps that were part of a loop."""
        self._numbered = self.trajectory.steps
        self._seen_events = 0
        self._seen_statuses = 0
        self._ends: list[int] = []
        """How many steps there were each time the run was stuck, ascending."""

    def update(self) -> None:
        """After the trajectory took in more events."""
        steps, statuses = self.trajectory.steps, self.trajectory.statuses
        if steps is not self._numbered:
            self._begin()  # steps were numbered anew
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
        """The steps of the loops at these ends."""
        found: set[int] = set()
        marks: Marks = {}
        at = len(ends) - 1
        while at >= 0:
            loop = find_loop(self.trajectory, ends[at], marks)
            found.update(loop.steps if loop else ())
            if loop and loop.pattern is not Pattern.MESSAGES and len(loop.steps) > _SURE:
                # who lets a loop go on is stopped again at each turn of it: of these ends only the
                # first may tell of more
                at = min(at, bisect_left(ends, loop.steps[_SURE]) + 1)
            at -= 1
        return found

    def _late(self) -> set[int]:
        """The ends that may be those of another loop, as a result before them came after them."""
        events, due = self.trajectory.events, set[int]()
        for event in events[self._seen_events if self._ends else len(events) :]:
            step = self.trajectory.step_of(event.id)
            if step is not None and step.event is not event and step.number <= self._ends[-1]:
                at = bisect_left(self._ends, step.number)
                due.update(self._ends[at : at + _LATE])
        self._seen_events = len(events)
        return due


def loop_steps(trajectory: Trajectory) -> frozenset[int]:
    """The numbers of all steps that were part of a loop which the server stopped."""
    return Loops(trajectory).steps


class _Calls:
    """The calls before a place, the last one first, each decoded when it is asked for."""

    def __init__(self, steps: list[Step], end: int, marks: Marks) -> None:
        self._rest = _calls(steps, end)
        self._found: list[tuple[int, _Mark]] = []
        self._marks = marks

    def get(self, place: int) -> _Mark | None:
        """The mark of the call `place` calls back; None when there is none, or it has no result."""
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
        """The numbers of the last calls for which this holds, in order."""
        place = 0
        while place < LONGEST and (mark := self.get(place)) and holds(place, mark):
            place += 1
        return tuple(number for number, _ in self._found[:place])[::-1]


def _calls(steps: list[Step], end: int) -> Iterator[Step]:
    """The calls among the first `end` steps from the last one back to the user's last message."""
    between = 0
    for place in range(min(end, len(steps)) - 1, -1, -1):
        step = steps[place]
        between = 0 if step.is_call else between + 1
        if between > _BETWEEN or _is_by_user(step):
            return
        if step.is_call:
            yield step


def _messages(steps: list[Step], end: int) -> Iterator[int]:
    """The numbers of the agent's messages that these steps end with, the last one first."""
    for place in range(min(end, len(steps)) - 1, max(0, end - LONGEST) - 1, -1):
        step = steps[place]
        if step.event.kind == "MessageEvent" and step.event.source == "agent":
            yield step.number
        elif _is_by_user(step) or not _goes_unheard(step):
            return


def _is_by_user(step: Step) -> bool:
    return step.event.kind == "MessageEvent" and step.event.source == "user"


def _goes_unheard(step: Step) -> bool:
    """What does not end a row of messages: a note of the server's own, a condensation."""
    return step.event.kind in ("MessageEvent", "Condensation", "CondensationSummaryEvent")


_VARIES = frozenset({"metadata", "pid", "id", "timestamp", "duration", "full_output_save_dir"})
"""Fields of an observation that differ between two runs of the same thing."""


def _mark(step: Step) -> _Mark | None:
    """None for a call without a result, or one that cannot be read (its file may be gone)."""
    if step.is_open:
        return None
    event, result = step.event, step.result or step.event
    body, answer = event.body(), result.body()
    if UNREADABLE in (body.get("kind"), answer.get("kind")):
        return None
    if event.kind == "ACPToolCallEvent":
        given: Any = (field(body, "title"), field(body, "raw_input"))
        came: Any = tuple(field(answer, name) for name in ("status", "raw_output", "content"))
    else:
        given = field(body, "action")
        given = arguments(body) if given is None else given
        came = _result(answer)
    return _Mark(
        _hash((event.tool_name, given)),
        _hash((result.kind, came)),
        result.kind == "AgentErrorEvent",
    )


def _result(answer: dict[str, Any]) -> Any:
    observation = field(answer, "observation")
    if not isinstance(observation, dict):
        return (field(answer, "error"), field(answer, "rejection_reason"))
    return {
        name: value
        for name, value in observation.items()
        if name not in _VARIES and not name.endswith(("_id", "_time", "_at"))
    }


def _hash(value: Any) -> int:
    try:
        return hash(msgspec.json.encode(value, order="sorted"))
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError):
        pass
    try:
        return hash(repr(value))  # lone surrogates, which JSON cannot hold
    except RecursionError:
        return id(value)  # too deep to be compared: like nothing else
