"""The strip: a picture of a run as columns of time, of any width."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import tzinfo
from itertools import pairwise
from typing import NamedTuple

import msgspec

from oh_tui.text.human import clock, clock_time, since_midnight
from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.findings.activity import Activity
from oh_tui.trajectory.findings.loops import StepMarks, first_in
from oh_tui.trajectory.findings.strip_axis import Gaps, Part, Scale
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.tool_use import Family
from oh_tui.trajectory.model.trajectory import Trajectory

_SETTLED = 64
"""Only lists change the model's time of steps this far before the end."""

_FAR = 2_000
"""How many steps are read again at once when the model's times change."""

REREADING = 0.005
"""Longest time per update to read more steps again, in seconds."""

_PICTURES = 4
"""How many widths are cached."""


class Label(NamedTuple):
    """A text of the axis and its first column."""

    column: int
    text: str


class Column(msgspec.Struct, frozen=True, gc=False):
    """A column of the picture; `llm` and `tool` are shares of its time, together at most 1."""

    llm: float = 0.0
    tool: float = 0.0
    family: Family | None = None
    """The family with most of the tools' time, or with most calls if they took none."""
    mark: str = ""
    """The strongest of MARKS among its steps."""
    idle: bool = False
    """A gap is cut out here."""
    open: bool = False
    """A call without a result is here, or is the last step before."""
    happened_llm: bool = False
    happened_tool: bool = False


class Picture(msgspec.Struct, frozen=True):
    axis: list[Label]
    """In order, at least two cells apart: times since the first step, durations of gaps."""
    columns: list[Column]
    """One per cell of width; none for a run without steps."""


class _Frame(NamedTuple):
    """The cache of one width."""

    scale: Scale
    first: list[int]
    """By column, and one more: number of the first step there or later."""
    picture: Picture


class Strip:
    """The strip of a growing trajectory. Call `update` after `extend`, once `llm` is updated. An
    update takes time in proportion to the new events, a picture in proportion to its width."""

    def __init__(self, trajectory: Trajectory, llm: Accounts) -> None:
        self._trajectory = trajectory
        self._llm = llm
        self._begin()
        self.update()

    @property
    def is_cut_off(self) -> bool:
        return bool(self._trajectory.cut_off)

    @property
    def has_times(self) -> bool:
        """Whether some step has a time; without any all steps stand in the first column."""
        return self._trajectory.began is not None

    def _begin(self) -> None:
        self._steps = self._trajectory.steps
        self.marks = StepMarks(self._trajectory)
        self._activity = Activity(self._trajectory, self._llm)
        self._next: Activity | None = None
        """Its replacement, until that has read all events."""
        self._seen_events = 0
        self._gaps: Gaps | None = None
        self._frames: dict[int, _Frame] = {}

    def update(self, loops: frozenset[int] = frozenset()) -> None:
        """Adds the new events; `loops` are the numbers of the steps in loops."""
        trajectory = self._trajectory
        if trajectory.steps is not self._steps or len(trajectory.events) < self._seen_events:
            # steps were removed and renumbered
            self._begin()
        changed_from = self._llm.take_changed()
        changed: dict[int, Step] = {}
        known = len(self.marks)
        for event in trajectory.events[self._seen_events :]:
            step = trajectory.step_of(event.id)
            # a result that arrived before its call is handled with the call
            if step is not None and (step.event is event or step.number <= known):
                changed[step.number] = step
        for step in changed.values():
            self.marks.add(step)
        self._seen_events = len(trajectory.events)
        self._follow(changed_from)
        self.marks.update(loops)
        self._gaps = None
        self._frames.clear()

    def _follow(self, changed_from: int | None) -> None:
        """Updates the activity; one to be read from far back is made in several updates."""
        settled = max(1, len(self.marks) - _SETTLED)
        recheck = min(settled, changed_from or settled)
        at_work = self._trajectory.live and self._trajectory.status == "running"
        if at_work and self._next is None and settled - recheck > _FAR:
            self._next = Activity(self._trajectory, self._llm)
        if self._next is None:
            self._activity.update(recheck)
        elif self._next.update(recheck, REREADING if at_work else None):
            self._activity, self._next = self._next, None
        else:
            self._activity.update(settled)

    def picture(self, width: int) -> Picture:
        return self._frame(width).picture

    @property
    def activity(self) -> Activity:
        return self._activity

    def scale(self, width: int) -> Scale:
        return self._frame(width).scale

    def axis(self, width: int, zone: tzinfo | None) -> list[Label]:
        """The axis with times of day in a zone (None: the local one), if a step has a time."""
        began = next((at for step in self._steps if (at := step.event.seconds()) is not None), None)
        if began is None:
            return self.picture(width).axis
        zone = self._trajectory.zone(zone)
        labels = self._frame(width).scale.labels(
            lambda span: clock_time(began + span, zone), since_midnight(began, zone)
        )
        return [Label(column, text) for column, text in labels]

    def column_of(self, step_number: int, width: int) -> int:
        """The column of a step; 0 for a run without steps."""
        places = self._activity.places
        if not places or width <= 0:
            return 0
        number = min(max(1, step_number), len(places))
        return self._frame(width).scale.column(places[number - 1])

    def step_at(self, column: int, width: int) -> int:
        """The number of the main step of a column; 0 for a run without steps. It is the step with
        the strongest mark, else the first one. In a column without steps it is the step whose call
        runs there, or which the model prepares, else the nearest one."""
        last = len(self._activity.places)
        if not last or width <= 0:
            return min(1, last)
        frame = self._frame(width)
        column = min(max(0, column), width - 1)
        begin, end = frame.first[column : column + 2]
        if begin < end:
            return self.marks.strongest(begin, end)[1] or begin
        before, after = begin - 1, begin
        if before < 1 or after > last:
            return min(max(1, before), last)
        shown = frame.picture.columns[column]
        if shown.tool or shown.llm:
            return before if shown.tool > shown.llm else after
        places, scale = self._activity.places, frame.scale
        to_before = column - scale.column(places[before - 1])
        return before if to_before <= scale.column(places[after - 1]) - column else after

    def _frame(self, width: int) -> _Frame:
        frame = self._frames.get(width)
        if frame is None:
            if len(self._frames) >= _PICTURES:
                self._frames.clear()
            frame = self._frames[width] = self._draw(max(0, width))
        return frame

    def _draw(self, width: int) -> _Frame:
        activity = self._activity
        if self._gaps is None:
            self._gaps = Gaps(activity.end, activity.gap_starts, activity.gap_ends)
        scale = Scale(self._gaps, width)
        places = activity.places
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
            end = part.column + len(part.edges) - 1
            columns[part.column : end] = self.columns(part, first[part.column : end + 1])
        axis = [Label(column, text) for column, text in scale.labels(clock)]
        return _Frame(scale, first, Picture(axis, columns))

    def columns(self, part: Part, steps: Sequence[int], begin: float = 0.0) -> list[Column]:
        """Those of a part of an axis on which the run begins at a place; `steps` are the first ones
        in each column, and behind the last."""
        edges = [edge - begin for edge in part.edges]
        spent = [self._activity.spent(edge) for edge in edges]
        return [
            self._column(*of, span, (after[0] - before[0], after[1] - before[1]), part.seconds)
            for of, span, (before, after) in zip(
                pairwise(steps), pairwise(edges), pairwise(spent), strict=True
            )
        ]

    def _column(
        self,
        begin: int,
        end: int,
        edges: tuple[float, float],
        spent: tuple[float, float],
        seconds: float,
    ) -> Column:
        """The column of the steps `begin` to `end` - 1; `spent` are seconds of model and tools."""
        tool = _share(spent[1], seconds)
        llm = min(_share(spent[0], seconds), 1.0 - tool)
        made = begin < end and bool(first_in(self._activity.made, begin, end))
        family, has_calls = self._family(begin, end, edges, tool > 0)
        return Column(
            llm=llm,
            tool=tool,
            family=family,
            mark=self.marks.strongest(begin, end)[0] if begin < end else "",
            open=self.marks.is_open(begin, end),
            happened_llm=made or llm > 0,
            happened_tool=has_calls or tool > 0,
        )

    def _family(
        self, begin: int, end: int, edges: tuple[float, float], ran: bool
    ) -> tuple[Family | None, bool]:
        """The main family of a column, and whether a call is in it."""
        best: tuple[float, int] = (0.0, 0)
        family, has_calls = None, False
        if begin == end and not ran:
            return None, False
        for name, calls in self._activity.calls.items():
            count = 0
            if begin < end:
                count = bisect_left(calls.numbers, end) - bisect_left(calls.numbers, begin)
            took = calls.spent(edges[1]) - calls.spent(edges[0]) if ran else 0.0
            has_calls |= count > 0
            if (took, count) > best:
                best, family = (took, count), name
        if ran and family is None:
            family = self._activity.under_way
        return family, has_calls


def _share(part: float, seconds: float) -> float:
    """A share of a column's time; less than a thousandth counts as 0."""
    share = part / seconds if seconds > 0 else 0.0
    return min(1.0, share) if share >= 0.001 else 0.0
