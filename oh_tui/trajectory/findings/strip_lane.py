"""The lane of a sub-agent in the strip of the run that started it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import NamedTuple

from oh_tui.trajectory.findings.strip import Column, Strip
from oh_tui.trajectory.findings.study import SubRun
from oh_tui.trajectory.model.steps import Step


class Lane(NamedTuple):
    """A sub-agent on the time axis of the whole run; what happened outside has no column."""

    run: SubRun
    started: Step
    """The step of the whole run by which it began, directly or through another sub-agent."""

    @property
    def name(self) -> str:
        """As the numbers of its steps begin: 12, 12b or 12.3."""
        return self.run.path.rstrip(".")

    def columns(self, strip: Strip, width: int) -> list[Column]:
        """Its columns in the strip of the whole run; those cut out there are idle."""
        if not strip.activity.places or width <= 0:
            return []
        below, begin, end = self.run.strip, self._begin(strip), strip.activity.end
        activity = below.activity
        columns = [Column(idle=True)] * width
        for part in strip.scale(width).parts:
            steps = [bisect_left(activity.places, edge - begin) + 1 for edge in part.edges]
            if part.edges[-1] >= end:
                steps[-1] = bisect_right(activity.places, end - begin) + 1
            last = part.column + len(part.edges) - 1
            columns[part.column : last] = below.columns(part, steps, begin)
        return columns

    def outside(self, strip: Strip) -> str:
        """Why no column has anything, as far as that is known; "" otherwise."""
        begin = self._begin(strip)
        if begin > strip.activity.end:
            return "began after the end of this run"
        return "ended before this run began" if begin + self.run.strip.activity.end < 0 else ""

    def column_of(self, strip: Strip, step: Step, width: int) -> int | None:
        """The column of one of its steps; None outside of the axis."""
        places = self.run.strip.activity.places
        if not (strip.activity.places and places) or width <= 0:
            return None
        place = self._begin(strip) + places[min(step.number, len(places)) - 1]
        return strip.scale(width).column(place) if place <= strip.activity.end else None

    def _begin(self, strip: Strip) -> float:
        """The place in the whole run at which it began."""
        places = strip.activity.places
        place = places[min(self.started.number, len(places)) - 1]
        when, began = self.started.event.seconds(), self.run.trajectory.began
        return place if when is None or began is None else place + began - when
