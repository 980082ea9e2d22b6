"""Waits: when a run stood still until you wrote or answered, and what passed before a step, told
from its events alone."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import HIDDEN_KINDS, RESULT_KINDS, Step, Trajectory

_NEAR = 20
"""Waits looked at for one call: it has hardly more than one."""

_GROUP = 100
"""Calls of one group that are looked at for its end."""


class Waits:
    """Takes in the events of a run as they come."""

    def __init__(self) -> None:
        self.spans: list[tuple[float, float]] = []
        """From when to when, in seconds since 1970, in the order of the events."""
        self.seconds = 0.0
        """All of them together."""
        self.ended: float | None = None
        """When the last event happened that is shown and has a time."""
        self._since: float | None = None
        self._status = ""
        self._last: Event | None = None
        """The last event that is shown."""

    def take(self, events: list[Event]) -> None:
        for event in events:
            if event.status:
                if event.status != self._status:
                    self._status = event.status
                    if event.status == "running":
                        self._go_on(event)
                    else:
                        self._come_to_rest(event)
                continue
            if event.kind in HIDDEN_KINDS:
                continue
            if event.kind == "MessageEvent" and event.source == "user":
                if self._last is not None and _is_end(self._last):
                    self._come_to_rest(self._last)
                self._go_on(event)
            elif event.kind in ("ActionEvent", "UserRejectObservation"):
                self._go_on(event)
            elif self._status == "paused" and event.kind in RESULT_KINDS:
                # one that was stopped while its model thought has ended its step (measured)
                self._since = event.seconds()
            self._last = event
        for event in reversed(events):
            if event.kind not in HIDDEN_KINDS and (when := event.seconds()) is not None:
                self.ended = when
                break

    def within(self, began: float, span: float) -> float:
        """Seconds of the `span` seconds after a moment in which the run waited for you."""
        if not self.spans:
            return 0.0
        place = max(0, bisect_left(self.spans, (began, began)) - 1)
        waited = 0.0
        for since, until in self.spans[place : place + _NEAR]:
            if since >= began + span:
                break
            waited += max(0.0, min(until, began + span) - max(since, began))
        return waited

    def _come_to_rest(self, event: Event) -> None:
        # until something is shown the run has not begun
        if self._since is None and self._last is not None:
            self._since = event.seconds()

    def _go_on(self, event: Event) -> None:
        if self._since is None:
            return
        when = event.seconds()
        if when is not None and when > self._since:
            self.spans.append((self._since, when))
            self.seconds += when - self._since
        self._since = None


def _is_end(event: Event) -> bool:
    """After it the agent has nothing to do: its message, or the call and result of `finish`."""
    if event.kind == "MessageEvent":
        return event.source == "agent"
    return event.part in ("FinishAction", "FinishObservation")


def gap_before(trajectory: Trajectory, step: Step) -> float | None:
    """Seconds since the step before ended, or since the run went on after it; None when that is
    not known, or when both were made at once."""
    event = step.event
    when = event.seconds()
    steps = trajectory.steps
    if when is None or not 1 < step.number <= len(steps):
        return None
    before = steps[step.number - 2]
    ends = [e.seconds() for e in (before.event, *before.results)]
    response = before.event.llm_response_id
    if response and before.is_call:
        if response == event.llm_response_id:
            return None  # made with the one before
        # calls made at once: whichever of them ended last
        group = trajectory.group(before)
        end = bisect_left(group, step.number) if len(group) > 1 else 0
        for number in group[max(0, end - _GROUP) : end]:
            ends += [e.seconds() for e in steps[number - 1].results]
    known = [end for end in ends if end is not None]
    if not known:
        return None
    began = max(known)
    statuses = trajectory.statuses
    place = bisect_right(statuses, step.number - 1, key=lambda change: change.after)
    if place and statuses[place - 1].after == step.number - 1:
        change = statuses[place - 1]
        if change.status == "running":
            began = max(began, change.event.seconds() or began)
    gap = when - began
    # calls that another agent reports may overlap
    return None if gap < 0 and event.kind == "ACPToolCallEvent" else gap
