"""When a run waited for the user, and the time before each step, from its events alone."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping

from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory

_NEAR = 20
"""How many waits are checked for one call."""

_AT_REST = ("idle", "finished")
"""Statuses that tell, where they are the first of all, that nobody worked since the last event."""

_GROUP = 100
"""How many calls of a group are checked for its end."""


class Waits:
    """The waits of a run; `take` adds its events as they arrive."""

    def __init__(self, since: float | None = None) -> None:
        """`since` is when a fork was made, which then waits for its first message."""
        self.spans: list[tuple[float, float]] = []
        """Start and end in seconds since 1970, in the order of the events."""
        self.seconds = 0.0
        self.ended: float | None = None
        """Time of the last shown event that has one."""
        self.away = 0.0
        """Seconds in which the run was on other branches."""
        self.since = since
        """When the wait began that has not ended, in seconds since 1970."""
        self._status = ""
        self._last: Event | None = None
        self._before: Event | None = None
        """The shown event before the last message of the user."""
        self._first: Event | None = None
        self._has_begun = since is not None
        """The agent has something to do, or did something."""

    def take(self, events: list[Event], returns: Mapping[str, Event]) -> None:
        """`returns`: ids of events before which it was on other branches, with the last there."""
        for event in events:
            if event.id in returns:
                self._return(event, returns[event.id])
            if event.status:
                if event.status != self._status:
                    is_first, self._status = not self._status, event.status
                    if event.status == "running":
                        if is_first:
                            self._rested()
                        self._works(event)
                    else:
                        rested = is_first and event.status in _AT_REST
                        self._begin(self._last if rested and self._last else event)
                continue
            if event.is_hidden:
                continue
            self._first = self._first or event
            if event.is_by_user:
                if not self._has_begun:  # V0 writes events while it waits for the task
                    self._begin(self._first)
                elif self._last is not None and self._last.ends_turn:
                    self._begin(self._last)
                self._before = self._last
                self._works(event)
            elif event.is_call or event.is_rejection:
                self._works(event)
            elif (event.is_failure or event.is_stop) and self.since is not None:
                self.since = event.seconds()  # it tells of the end, after the status
            elif self._status == "paused" and event.is_result:
                # an agent that is stopped while the model answers first ends its step (measured)
                self.since = event.seconds()
            self._last = event
        for event in reversed(events):
            if not event.is_hidden and (when := event.seconds()) is not None:
                self.ended = when
                break

    @property
    def resting(self) -> float:
        """Seconds between an end that nobody has answered and the last shown event."""
        if self.since is None or self.ended is None:
            return 0.0
        return max(0.0, self.ended - self.since)

    def within(self, began: float, span: float) -> float:
        """Seconds of waiting within `span` seconds from `began`."""
        if not self.spans:
            return 0.0
        index = max(0, bisect_left(self.spans, (began, began)) - 1)
        waited = 0.0
        for since, until in self.spans[index : index + _NEAR]:
            if since >= began + span:
                break
            waited += max(0.0, min(until, began + span) - max(since, began))
        return waited

    def _return(self, event: Event, elsewhere: Event) -> None:
        """Since the end of the other branch the run waited, if somebody then says something."""
        ended = self._last.seconds() if self.since is None and self._last else self.since
        goes_on = event.status or event.source == "user"
        self.since = elsewhere.seconds() if goes_on else None
        when = event.seconds() if self.since is None else self.since
        if ended is not None and when is not None:
            self.away += max(0.0, when - ended)
        self._last = None

    def _rested(self) -> None:
        """A message made an agent run of unknown status, which rested before, as a fork does."""
        last, before = self._last, self._before
        if last is None or before is None or before.source == "user" or before.ends_turn:
            return
        if last.is_by_user:
            self.since = before.seconds()
            self._end(last)

    def _begin(self, event: Event) -> None:
        # the run begins with its first shown event
        if self.since is None and self._last is not None:
            self.since = event.seconds()

    def _works(self, event: Event) -> None:
        self._has_begun = True
        self._end(event)

    def _end(self, event: Event) -> None:
        if self.since is None:
            return
        when = event.seconds()
        if when is not None and when > self.since:
            self.spans.append((self.since, when))
            self.seconds += when - self.since
        self.since = None


def gap_before(trajectory: Trajectory, step: Step) -> float | None:
    """Seconds since the step before ended or the run was resumed; None if unknown."""
    event = step.event
    when = event.seconds()
    steps = trajectory.steps
    if when is None or not 1 < step.number <= len(steps):
        return None
    before = steps[step.number - 2]
    ends = _ends(before)
    if before.results and not ends:
        return None  # other formats may not tell when a call ended
    response = before.event.llm_response_id
    if response and before.is_call:
        if response == event.llm_response_id:
            return None
        # of calls in one answer the last one to end counts
        group = trajectory.group(before)
        end = bisect_left(group, step.number) if len(group) > 1 else 0
        for number in group[max(0, end - _GROUP) : end]:
            ends += _ends(steps[number - 1])
    if (made := before.event.seconds()) is not None:
        ends.append(made)
    if not ends:
        return None
    began = max(ends)
    statuses = trajectory.statuses
    index = bisect_right(statuses, step.number - 1, key=lambda change: change.after)
    if index and statuses[index - 1].after == step.number - 1:
        change = statuses[index - 1]
        if change.status == "running":
            began = max(began, change.event.seconds() or began)
    gap = when - began
    # ACP calls may overlap
    return None if gap < 0 and event.is_reported else gap


def _ends(step: Step) -> list[float]:
    """When its results came, where that is known."""
    return [when for result in step.results if (when := result.seconds()) is not None]
