"""Steps: calls joined with their results, messages, errors and other events of a run."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

import msgspec

from oh_tui.trajectory.model.events import UNREADABLE, Event

HIDDEN_KINDS = frozenset({
    "StreamingDeltaEvent", "ConversationStateUpdateEvent", "TokenEvent", "LLMCompletionLogEvent",
    "SystemPromptEvent", "CondensationRequest", "SecurityAnalysisEvent",
})  # fmt: skip
"""Kinds that are not steps; they are counted, and shown on demand."""

RESULT_KINDS = frozenset({"ObservationEvent", "AgentErrorEvent", "UserRejectObservation"})
"""Kinds that answer a call."""

CUT_OFF = "cut off: the end of this run is not in the file"
NO_END = "how it ended is not known: the last event of this run cannot be read"
"""Values of `Trajectory.cut_off`, shown in place of a verdict."""

MESSAGE_KINDS = frozenset({"MessageEvent"})

FEW = 8
"""Up to so many results of one call are a tuple, more are a list."""


class Outcome(StrEnum):
    OK = "ok"
    COMMAND_FAILED = "command failed"
    ERROR = "error"
    REJECTED = "rejected"
    """The user or a hook did not let the call run; no failure."""
    WAITING = "waiting"
    RUNNING = "running"
    NO_RESULT = "no result"


class Step(msgspec.Struct, gc=False, eq=False):
    """One thing that happened.

    `number` counts from 1 in the order of the source. `event` is the call, the message or the
    error; `results` are the events that answer it, in order: usually one, none while the call is
    open, several when the run has a second result. A result without its call is a step of its own
    (`is_stray`).
    """

    number: int
    event: Event
    results: Sequence[Event] = ()
    approved: float | None = None
    """When a call that waited for confirmation began to run, in seconds since 1970."""

    @property
    def is_call(self) -> bool:
        return self.event.kind in ("ActionEvent", "ACPToolCallEvent")

    @property
    def is_stray(self) -> bool:
        """A result without its call. An AgentErrorEvent that names no call is an error step."""
        event = self.event
        return event.kind in RESULT_KINDS and bool(event.action_id or event.tool_call_id)

    @property
    def result(self) -> Event | None:
        """The result that counts: the first; of an ACP call the last report."""
        if not self.results:
            return None
        return self.results[-1 if self.event.kind == "ACPToolCallEvent" else 0]

    @property
    def is_open(self) -> bool:
        """A call that has not ended. The only report of an ACP call may be the one of its end."""
        last = self.result or self.event
        if self.event.kind == "ACPToolCallEvent":
            return not (last.ended or last.failed)
        return self.is_call and last is self.event and not last.failed

    def ran(self) -> float | None:
        """Seconds from the call, or its approval, to its result; negative when the clock went back.
        None without a result or a time, and for a rejected call, which never ran."""
        result = self.result
        if result is None or result.kind == "UserRejectObservation":
            return None
        began, ended = self.began(), result.seconds()
        return None if began is None or ended is None else ended - began

    def began(self) -> float | None:
        """When the step began to run, in seconds since 1970; None without a time."""
        return self.event.seconds() if self.approved is None else self.approved


class Counts(msgspec.Struct):
    """Counts of a run, updated as events arrive. `calls`, `ok`, `failed_commands`, `call_errors`,
    `rejected` and `open` count calls only; `errors` counts every step that is an error."""

    events: int = 0
    hidden: int = 0
    calls: int = 0
    ok: int = 0
    failed_commands: int = 0
    call_errors: int = 0
    rejected: int = 0
    open: int = 0
    errors: int = 0
    second_results: int = 0
    stray_results: int = 0
    unreadable: int = 0


class StatusChange(NamedTuple):
    """A change of `execution_status`, after so many steps."""

    after: int
    status: str
    event: Event


class Trajectory:
    """The events of one run, joined into steps as they arrive.

    `extend` takes time in proportion to the new events. Events keep the order of the source; one
    with a known id is dropped. `complete` is False while older events are missing: step numbers
    are not final. `live` is False for a file: nothing in it is running.
    """

    def __init__(self, *, live: bool = False, complete: bool = True) -> None:
        self.live = live
        self.complete = complete
        self.cut_off = ""
        """A sentence on why the end of the run is unknown; "" when it is known."""
        self.status = ""
        """The last `execution_status` in the events, "" without one."""
        self.stats = b""
        """Tokens, cost and latency that the source has beside the events, by `stats_text`."""
        self.statuses: list[StatusChange] = []
        """All changes of the status, in order."""
        self.numberings = 1
        """Version of the step numbers: one more each time steps were removed."""
        self.events: list[Event] = []
        self.steps: list[Step] = []
        self.counts = Counts()
        self._owner: dict[str, int] = {}
        """Event id -> number of its step, 0 for a hidden event."""
        self._calls: dict[str, int] = {}
        """tool_call_id -> number of the last step that made it."""
        self._unanswered: dict[str, list[int]] = {}
        """tool_call_id used by several steps -> their numbers; answered ones at the end are removed
        when they are met."""
        self._groups: dict[str, int | list[int]] = {}
        """llm_response_id -> number of its call, or the list of several; lists for
        single calls would take 4 MB in 100,000 events."""
        self._strays: dict[str, list[Event]] = {}
        """action_id or tool_call_id -> results whose call has not arrived."""
        self._last_response = ""
        self._last_updates: dict[str, Event] = {}
        """Key -> the last state update."""
        self._updates: dict[str, Event] = {}
        """Id of a state update -> the previous one with the same key."""
        self.began: float | None = None
        """Time of the first step that has one, in seconds since 1970."""

    def __len__(self) -> int:
        return len(self.steps)

    def extend(self, events: Iterable[Event]) -> list[int]:
        """Adds events that follow the known ones; all or nothing, if iterating over them fails.
        Returns the numbers of earlier steps that got a result."""
        known = len(self.steps)
        changed: set[int] = set()
        gone: set[int] = set()
        """Numbers of stray results whose call has arrived."""
        for event in list(events):
            if event.id in self._owner:
                continue
            self.events.append(event)
            self.counts.events += 1
            if event.status and event.status != self.status:
                if event.status == "running" and self.status == "waiting_for_confirmation":
                    self._approve(event)
                self.status = event.status
                self.statuses.append(StatusChange(len(self.steps), event.status, event))
            if event.kind in HIDDEN_KINDS:
                self._owner[event.id] = 0
                self.counts.hidden += 1
                if event.kind == "ConversationStateUpdateEvent":
                    if previous := self._last_updates.get(event.key):
                        self._updates[event.id] = previous
                    self._last_updates[event.key] = event
                continue
            number = self._step_answered(event)
            if number:
                self._attach(number, event)
                if number <= known:
                    changed.add(number)
                continue
            step = self._add_step(event)
            if step.is_stray:
                for name in filter(None, {event.action_id, event.tool_call_id}):
                    self._strays.setdefault(name, []).append(event)
            elif step.is_call and self._strays:
                gone |= self._adopt(step)
        if gone:
            self._renumber(gone)
            changed = set(range(1, len(self.steps) + 1))
        return sorted(changed)

    def ended(self) -> float | None:
        """When the last step that has a time ended, in seconds since 1970."""
        times = ((step.result or step.event).seconds() for step in reversed(self.steps[-50:]))
        return next((when for when in times if when is not None), None)

    def holds(self, event_id: str) -> bool:
        return event_id in self._owner

    def place_of(self, event_id: str) -> int | None:
        """The index of an event in `events`; a linear search."""
        return next((n for n, e in enumerate(self.events) if e.id == event_id), None)

    def step_of(self, event_id: str) -> Step | None:
        """The step of an event; None for a hidden or unknown event."""
        number = self._owner.get(event_id, 0)
        return self.steps[number - 1] if number else None

    def outcome(self, step: Step) -> Outcome:
        if step.is_open:
            return self._open_outcome(step)
        return _closed_outcome(step.event, step.result)

    def group(self, step: Step) -> Sequence[int]:
        """Numbers of the calls in the same answer of the model, ascending; () for other steps. Do
        not change it: it is not a copy, as a group may be as long as the run."""
        return self._group(step.event.llm_response_id) if step.is_call else ()

    def _group(self, response: str) -> Sequence[int]:
        found = self._groups.get(response, ())
        return (found,) if isinstance(found, int) else found

    def update_before(self, event: Event) -> Event | None:
        """The previous state update with the same key."""
        return self._updates.get(event.id)

    def _open_outcome(self, step: Step) -> Outcome:
        """A call can only be waiting or running if the model has not answered since."""
        if step.event.llm_response_id == self._last_response:
            if self.status == "waiting_for_confirmation":
                return Outcome.WAITING
            if self.live and self.status == "running":
                return Outcome.RUNNING
        return Outcome.NO_RESULT

    def _approve(self, event: Event) -> None:
        """The calls of the last answer were approved: they run from this event on."""
        for number in self._group(self._last_response):
            step = self.steps[number - 1]
            if step.is_open:
                step.approved = event.seconds()

    def _step_answered(self, event: Event) -> int:
        """The number of the step that this event is a result of, else 0."""
        if event.kind == "ACPToolCallEvent":
            return self._calls.get(event.tool_call_id, 0)
        if event.kind not in RESULT_KINDS:
            return 0
        number = self._owner.get(event.action_id, 0) if event.action_id else 0
        if number and self.steps[number - 1].is_call:
            return number
        waiting = self._unanswered.get(event.tool_call_id, [])
        while waiting and self.steps[waiting[-1] - 1].results:
            waiting.pop()
        return waiting[-1] if waiting else self._calls.get(event.tool_call_id, 0)

    def _add_step(self, event: Event) -> Step:
        step = Step(len(self.steps) + 1, event)
        if self.began is None:
            self.began = event.seconds()
        self.steps.append(step)
        self._owner[event.id] = step.number
        if step.is_call:
            if event.tool_call_id:
                before = self._calls.setdefault(event.tool_call_id, step.number)
                if before != step.number:
                    self._calls[event.tool_call_id] = step.number
                    self._unanswered.setdefault(event.tool_call_id, [before]).append(step.number)
            if event.llm_response_id:
                group = self._groups.setdefault(event.llm_response_id, step.number)
                if isinstance(group, list):
                    group.append(step.number)
                elif group != step.number:
                    self._groups[event.llm_response_id] = [group, step.number]
        if step.is_call or event.kind in MESSAGE_KINDS:
            self._last_response = event.llm_response_id
        self._count(step, 1)
        return step

    def _attach(self, number: int, event: Event) -> None:
        step = self.steps[number - 1]
        self._count(step, -1)
        if isinstance(step.results, list):
            step.results.append(event)
        else:  # a tuple is smaller, a long list faster to append to
            few = len(step.results) < FEW
            step.results = (*step.results, event) if few else [*step.results, event]
        # share equal strings
        call = step.event
        if event.action_id == call.id:
            event.action_id = call.id
        if event.tool_call_id == call.tool_call_id:
            event.tool_call_id = call.tool_call_id
        self._owner[event.id] = number
        self._count(step, 1)

    def _adopt(self, step: Step) -> set[int]:
        """Joins a new call with results that arrived before it, as when a clock went back. Returns
        the numbers of the steps that those results were."""
        event = step.event
        gone: set[int] = set()
        for name in (event.id, event.tool_call_id):
            for result in self._strays.pop(name, []):
                own = self._owner[result.id]
                # its other id may have found another call
                if self.steps[own - 1].event is result:
                    gone.add(own)
                    self._count(self.steps[own - 1], -1)
                    self._attach(step.number, result)
        return gone

    def _renumber(self, gone: set[int]) -> None:
        """Removes steps; takes time in proportion to the run, so at most once per `extend`."""
        self.numberings += 1
        kept = [step for step in self.steps if step.number not in gone]
        new = {step.number: number for number, step in enumerate(kept, 1)}
        for step in kept:
            step.number = new[step.number]
        self.steps = kept
        ordered = sorted(gone)
        self.statuses = [
            change._replace(after=change.after - bisect_right(ordered, change.after))
            for change in self.statuses
        ]
        self._owner = {event_id: new.get(n, 0) for event_id, n in self._owner.items()}
        self._calls = {name: new[n] for name, n in self._calls.items()}
        for name, numbers in self._unanswered.items():
            self._unanswered[name] = [new[n] for n in numbers]
        for name, group in self._groups.items():
            self._groups[name] = new[group] if isinstance(group, int) else [new[n] for n in group]

    def _count(self, step: Step, sign: int) -> None:
        counts = self.counts
        if step.event.kind == UNREADABLE:
            counts.unreadable += sign
        if step.is_stray:
            counts.stray_results += sign
        if not step.is_call:
            if _closed_outcome(step.event, None) is Outcome.ERROR:
                counts.errors += sign
            return
        counts.calls += sign
        if step.event.kind != "ACPToolCallEvent":
            counts.second_results += sign * max(0, len(step.results) - 1)
        if step.is_open:
            counts.open += sign
            return
        outcome = _closed_outcome(step.event, step.result)
        if outcome is Outcome.ERROR:
            counts.errors += sign
            counts.call_errors += sign
        elif outcome is Outcome.COMMAND_FAILED:
            counts.failed_commands += sign
        elif outcome is Outcome.REJECTED:
            counts.rejected += sign
        else:
            counts.ok += sign


def _closed_outcome(event: Event, result: Event | None) -> Outcome:
    """The outcome of a step that has ended."""
    last = result or event
    if last.kind == "UserRejectObservation":
        return Outcome.REJECTED
    if last.failed:
        return Outcome.ERROR
    if last.command_failed:
        return Outcome.COMMAND_FAILED
    return Outcome.OK


def find_step(trajectory: Trajectory, text: str) -> int | None:
    """The index of the step named by a step number, an event id or the start of one."""
    if text.isdecimal() and 0 < int(text) <= len(trajectory) and trajectory.complete:
        return int(text) - 1
    step = trajectory.step_of(text)
    if step is None and len(text) >= 4:
        event = next((e for e in trajectory.events if e.id.startswith(text)), None)
        step = trajectory.step_of(event.id) if event else None
    return step.number - 1 if step else None
