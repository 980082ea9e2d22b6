"""The strip: the steps of a run as columns of time, for a picture of any width."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from datetime import tzinfo
from itertools import pairwise
from typing import NamedTuple

import msgspec

from oh_tui.text.human import clock, clock_time, since_midnight
from oh_tui.trajectory.analysis.activity import Course, LlmTimes
from oh_tui.trajectory.analysis.scale import Gaps, Scale
from oh_tui.trajectory.content.describe import family_of
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import MESSAGE_KINDS, Outcome, Step, Trajectory
from oh_tui.trajectory.model.tool_use import Family

MARKS = ("error", "loop", "waiting", "paused", "user", "condensed", "failed", "rejected")
"""What a column can be marked with, the strongest first."""

_SETTLED = 64
"""Steps back from the end after which nothing new is told of the model's time but by a list."""

_FAR = 2_000
"""Steps that are read again at once when more is told of the model's time."""

REREADING = 0.005
"""Seconds of an update for those of a longer way back."""

_AT_ONCE = 256
"""Open calls looked at for whether they wait for an answer: more are never made at once."""

_PICTURES = 4
"""Widths for which the last picture is kept."""


class Label(NamedTuple):
    """A text of the axis and the column at which it begins."""

    column: int
    text: str


class Column(msgspec.Struct, frozen=True, gc=False):
    """A column of the picture; shares are those of its time, and come to 1 at most."""

    llm: float = 0.0
    tool: float = 0.0
    family: Family | None = None
    """The one that took most of the tools' time, or made most of the calls that took none."""
    mark: str = ""
    """The strongest of MARKS among its steps."""
    idle: bool = False
    """Time was cut out here."""
    open: bool = False
    """A call without a result is under way, or is the last that is known."""
    happened_llm: bool = False
    happened_tool: bool = False


class Picture(msgspec.Struct, frozen=True):
    axis: list[Label]
    """In order, two cells apart at least. A time is that of its column's beginning since the
    first step; how long nobody did anything stands where that was cut out."""
    columns: list[Column]
    """As many as it is wide; none for a run without steps."""


class _Frame(NamedTuple):
    """What is known for one width."""

    scale: Scale
    first: list[int]
    """By column, and one more: number of the first step that stands there or later."""
    picture: Picture


class Strip:
    """Kept beside a trajectory. `update` it after `extend`, once `llm` knows of the new events;
    that costs in proportion to what is new, a picture in proportion to its width."""

    def __init__(self, trajectory: Trajectory, llm: LlmTimes) -> None:
        self._trajectory = trajectory
        self._llm = llm
        self._loops: frozenset[int] = frozenset()
        self._begin()
        self.update()

    @property
    def is_cut_off(self) -> bool:
        return bool(self._trajectory.cut_off)

    def _begin(self) -> None:
        self._steps = self._trajectory.steps
        self._course = Course(self._trajectory, self._llm)
        self._next: Course | None = None
        """The one that will take its place, when it has read all events."""
        self._seen_events = 0
        self._seen_statuses = 0
        self._marks: list[str] = []
        """By step number - 1: what it is marked with by itself."""
        self._marked: dict[str, list[int]] = {mark: [] for mark in MARKS}
        """Numbers of steps by mark, ascending."""
        self._open: list[int] = []
        """Numbers of the calls without a result, ascending."""
        self._gaps: Gaps | None = None
        self._frames: dict[int, _Frame] = {}

    def update(self, loops: frozenset[int] = frozenset()) -> None:
        """Take in what the trajectory got since; `loops` are the numbers of the steps that go
        round in circles."""
        trajectory = self._trajectory
        if trajectory.steps is not self._steps or len(trajectory.events) < self._seen_events:
            # steps were taken out, and numbers changed
            self._begin()
        changed_from = self._llm.take_changed()
        changed: dict[int, Step] = {}
        known = len(self._marks)
        for event in trajectory.events[self._seen_events :]:
            step = trajectory.step_of(event.id)
            # a result that came before its call is told of with the call
            if step is not None and (step.event is event or step.number <= known):
                changed[step.number] = step
        for step in changed.values():
            self._mark(step)
        self._seen_events = len(trajectory.events)
        for change in trajectory.statuses[self._seen_statuses :]:
            if change.status == "paused" and change.after:
                _put(self._marked["paused"], change.after)
        self._seen_statuses = len(trajectory.statuses)
        self._follow(changed_from)
        if loops != self._loops or len(loops) != len(self._marked["loop"]):
            self._loops = loops
            self._marked["loop"] = sorted(n for n in loops if 0 < n <= len(self._marks))
        self._marked["waiting"] = self._waiting()
        self._gaps = None
        self._frames.clear()

    def _follow(self, changed_from: int | None) -> None:
        """Let the course go on. While the agent works, one that must be read again from far back
        is so a little at each update; until it has come to the end the old one is shown."""
        settled = max(1, len(self._marks) - _SETTLED)
        recheck = min(settled, changed_from or settled)
        at_work = self._trajectory.live and self._trajectory.status == "running"
        if at_work and self._next is None and settled - recheck > _FAR:
            self._next = Course(self._trajectory, self._llm)
        if self._next is None:
            self._course.update(recheck)
        elif self._next.update(recheck, REREADING if at_work else None):
            self._course, self._next = self._next, None
        else:
            self._course.update(settled)

    def picture(self, width: int) -> Picture:
        return self._frame(width).picture

    def axis(self, width: int, zone: tzinfo | None) -> list[Label]:
        """The axis of the picture with the clock of a zone (None: the local one) in place of the
        time since the first step; as it is where no step has a time."""
        began = next((at for step in self._steps if (at := step.event.seconds()) is not None), None)
        if began is None:
            return self.picture(width).axis
        labels = self._frame(width).scale.labels(
            lambda span: clock_time(began + span, zone), since_midnight(began, zone)
        )
        return [Label(column, text) for column, text in labels]

    def column_of(self, step_number: int, width: int) -> int:
        """Where a step stands; 0 for a run without steps."""
        places = self._course.places
        if not places or width <= 0:
            return 0
        number = min(max(1, step_number), len(places))
        return self._frame(width).scale.column(places[number - 1])

    def step_at(self, column: int, width: int) -> int:
        """The number of the step that a column tells most of; 0 for a run without steps.

        That is its step with the strongest mark, else its first; without a step, the one whose
        call runs there, or which the model is making, else the nearest.
        """
        last = len(self._course.places)
        if not last or width <= 0:
            return min(1, last)
        frame = self._frame(width)
        column = min(max(0, column), width - 1)
        begin, end = frame.first[column : column + 2]
        if begin < end:
            return self._strongest(begin, end)[1] or begin
        before, after = begin - 1, begin
        if before < 1 or after > last:
            return min(max(1, before), last)
        shown = frame.picture.columns[column]
        if shown.tool or shown.llm:
            return before if shown.tool > shown.llm else after
        places, scale = self._course.places, frame.scale
        to_before = column - scale.column(places[before - 1])
        return before if to_before <= scale.column(places[after - 1]) - column else after

    # Marks

    def _mark(self, step: Step) -> None:
        """Take in a step, or what its results made of it."""
        number = step.number
        if number > len(self._marks):
            self._marks.append("")
        is_open = step.is_open
        mark = "" if is_open else self._mark_of(step)
        if mark != self._marks[number - 1]:
            if self._marks[number - 1]:
                _drop(self._marked[self._marks[number - 1]], number)
            if mark:
                _put(self._marked[mark], number)
            self._marks[number - 1] = mark
        if is_open:
            _put(self._open, number)
        elif self._open:
            _drop(self._open, number)

    def _mark_of(self, step: Step) -> str:
        outcome = self._trajectory.outcome(step)
        if outcome is Outcome.ERROR:
            return "error"
        if outcome is Outcome.COMMAND_FAILED:
            return "failed"
        if outcome is Outcome.REJECTED:
            return "rejected"
        return "" if step.is_call else _mark_of_event(step.event)

    def _waiting(self) -> list[int]:
        """Numbers of the calls that wait for an answer: those at the end, if any."""
        steps = self._trajectory.steps
        return [
            number
            for number in self._open[-_AT_ONCE:]
            if self._trajectory.outcome(steps[number - 1]) is Outcome.WAITING
        ]

    def nearest(self, number: int, by: int, marks: Iterable[str]) -> int:
        """The nearest step after (`by` 1) or before (-1) `number` with one of these marks; 0 if
        there is none. Of a loop only its first step counts."""
        found = 0
        for mark in marks:
            numbers = self._marked[mark]
            if mark == "loop":
                numbers = [n for n in numbers if n - 1 not in self._loops]
            place = bisect_right(numbers, number) if by > 0 else bisect_left(numbers, number) - 1
            if 0 <= place < len(numbers):
                nearer = min if by > 0 else max
                found = nearer(found, numbers[place]) if found else numbers[place]
        return found

    def _strongest(self, begin: int, end: int) -> tuple[str, int]:
        """The strongest mark of the steps from `begin` to before `end`, and the step's number."""
        for mark, numbers in self._marked.items():
            number = _first_in(numbers, begin, end)
            if number:
                return mark, number
        return "", 0

    # Drawing

    def _frame(self, width: int) -> _Frame:
        frame = self._frames.get(width)
        if frame is None:
            if len(self._frames) >= _PICTURES:
                self._frames.clear()
            frame = self._frames[width] = self._draw(max(0, width))
        return frame

    def _draw(self, width: int) -> _Frame:
        course = self._course
        if self._gaps is None:
            self._gaps = Gaps(course.end, course.gap_starts, course.gap_ends)
        scale = Scale(self._gaps, width)
        places = course.places
        first = [1]
        for column in range(1, width):
            at = bisect_left(places, column, lo=first[-1] - 1, key=scale.column)
            first.append(at + 1)
        first.append(len(places) + 1)
        if not places:
            return _Frame(scale, first, Picture([], []))
        columns = [Column()] * width
        for cut in scale.cuts:
            columns[cut.column] = columns[cut.column + cut.cells - 1] = Column(idle=True)
        for part in scale.parts:
            spent = [course.spent(edge) for edge in part.edges]
            for place, (before, after) in enumerate(pairwise(spent)):
                column = part.column + place
                start, end = part.edges[place : place + 2]
                columns[column] = self._column(
                    first[column],
                    first[column + 1],
                    (start, end),
                    (after[0] - before[0], after[1] - before[1]),
                    part.seconds,
                )
        axis = [Label(column, text) for column, text in scale.labels(clock)]
        return _Frame(scale, first, Picture(axis, columns))

    def _column(
        self,
        begin: int,
        end: int,
        edges: tuple[float, float],
        spent: tuple[float, float],
        seconds: float,
    ) -> Column:
        """Steps from `begin` to before `end`; seconds of the model and of tools among all."""
        tool = _share(spent[1], seconds)
        llm = min(_share(spent[0], seconds), 1.0 - tool)
        made = begin < end and bool(_first_in(self._course.made, begin, end))
        family, has_calls = self._family(begin, end, edges, tool > 0)
        return Column(
            llm=llm,
            tool=tool,
            family=family,
            mark=self._strongest(begin, end)[0] if begin < end else "",
            open=self._is_open(begin, end),
            happened_llm=made or llm > 0,
            happened_tool=has_calls or tool > 0,
        )

    def _family(
        self, begin: int, end: int, edges: tuple[float, float], ran: bool
    ) -> tuple[Family | None, bool]:
        """The family that tells most, and whether a call stands here."""
        best: tuple[float, int] = (0.0, 0)
        family, has_calls = None, False
        if begin == end and not ran:
            return None, False
        for name, calls in self._course.calls.items():
            count = 0
            if begin < end:
                count = bisect_left(calls.numbers, end) - bisect_left(calls.numbers, begin)
            took = calls.spent(edges[1]) - calls.spent(edges[0]) if ran else 0.0
            has_calls |= count > 0
            if (took, count) > best:
                best, family = (took, count), name
        if ran and family is None:
            family = self._course.under_way
        return family, has_calls

    def _is_open(self, begin: int, end: int) -> bool:
        """A call without a result stands here, or is the last thing before."""
        if not self._open:
            return False
        if begin < end:
            return bool(_first_in(self._open, begin, end))
        at = bisect_right(self._open, begin - 1) - 1
        if at < 0:
            return False
        number = self._open[at]
        group = self._trajectory.group(self._steps[number - 1])
        return number == begin - 1 or (bool(group) and group[-1] == begin - 1)


def _mark_of_event(event: Event) -> str:
    if event.kind in ("PauseEvent", "InterruptEvent"):
        return "paused"
    if event.kind in ("Condensation", "CondensationSummaryEvent"):
        return "condensed"
    if event.kind in MESSAGE_KINDS and event.source == "user":
        # not what OpenHands itself writes in your name
        return "user" if family_of(event) is Family.YOU else ""
    return ""


def _share(part: float, seconds: float) -> float:
    """Part of a column's time; what is not worth a thousandth of it is nothing."""
    share = part / seconds if seconds > 0 else 0.0
    return min(1.0, share) if share >= 0.001 else 0.0


def _first_in(numbers: Sequence[int] | array[int], begin: int, end: int) -> int:
    """The first of the ascending numbers from `begin` to before `end`, 0 if there is none."""
    if not numbers:
        return 0
    at = bisect_left(numbers, begin)
    return numbers[at] if at < len(numbers) and numbers[at] < end else 0


def _put(numbers: list[int], number: int) -> None:
    if not numbers or numbers[-1] < number:
        numbers.append(number)
    elif numbers[bisect_left(numbers, number)] != number:
        insort(numbers, number)


def _drop(numbers: list[int], number: int) -> None:
    at = bisect_left(numbers, number)
    if at < len(numbers) and numbers[at] == number:
        del numbers[at]
