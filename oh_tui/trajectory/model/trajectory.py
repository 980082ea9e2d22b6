"""A run: its events, joined into steps as they arrive."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import NamedTuple

import msgspec

from oh_tui.trajectory.model.clock import NOT_KNOWN, is_bare, zoned
from oh_tui.trajectory.model.event_kinds import HIDDEN_KINDS, RESULT_KINDS
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.fork import Fork
from oh_tui.trajectory.model.recorded import NOTHING_RECORDED
from oh_tui.trajectory.model.steps import Counts, Outcome, Step, closed_outcome

CUT_OFF = "cut off: the end of this run is not in the file"
NO_END = "how it ended is not known: the last event of this run cannot be read"
"""Values of `Trajectory.cut_off`, shown in place of a verdict."""

FEW = 8
"""Up to so many results of one call are a tuple, more are a list."""


class StatusChange(NamedTuple):
    """A change of `execution_status`, after so many steps."""

    after: int
    status: str
    event: Event


class SubAgent(NamedTuple):
    """A sub-agent that the run started, whose own run is not read yet."""

    name: str
    """The id of its conversation."""
    load: Callable[[], tuple[Trajectory, str]]
    """Its run, and what of it cannot be read on one line, or ""."""
    is_conversation: bool = False
    """A conversation of a server: only an id tells that a step started it, as the user may have."""
    started_by: str = ""
    """The id of an event of the step that started it, where the source tells it."""
    usage: str = ""
    """The usage id of its total in the stats of the run that started it, where that is known."""


class Branch(msgspec.Struct, frozen=True, eq=False):
    """Which branch of a run a trajectory is, where the run has several."""

    number: int
    """From 1, in the order in which they began; `ALL` for all of them together."""
    count: int
    active: int
    """The number of the branch that the next event goes on."""
    run: Trajectory
    """All of them together."""
    returns: Mapping[str, Event] = {}
    """The ids of its events before which the run was on others, with the last event there."""


ALL = 0


class Trajectory:
    """The events of one run, joined into steps as they arrive.

    `extend` takes time in proportion to the new events. Events keep the order of the source; one
    with a known id is dropped. `complete` is False while older events are missing: step numbers
    are not final. `live` is False for a file that
    nothing writes: nothing in it is running.
    """

    def __init__(
        self, *, live: bool = False, complete: bool = True, clock: str = NOT_KNOWN
    ) -> None:
        self.clock = clock
        """Whose clock wrote the times that name no zone, as `model.clock` says."""
        self.live = live
        self.complete = complete
        self.orphaned = False
        """The program that wrote the run into a folder is gone."""
        self.cut_off = ""
        """A sentence on why the end of the run is unknown; "" when it is known."""
        self.status = ""
        """The last `execution_status` in the events, "" without one."""
        self.stats = b""
        """Tokens, cost and latency that the source has beside the events, by `stats_text`."""
        self.recorded = NOTHING_RECORDED
        """What the source says of the run beside its events."""
        self.state: Callable[[], bytes] = bytes
        """Reads the state of its conversation that the source keeps beside the events, as JSON;
        b"" where there is none."""
        self.fork: Fork | None = None
        """Of a run that was forked from another, where the source tells it."""
        self.head = ""
        """The id of the event that the next one will follow, where the source tells it."""
        self.copied_from: int | None = None
        """The place in `events` from which on they are a copy, in the order of time, of what the
        source of the others has in its own; None for none."""
        self.branch: Branch | None = None
        """None for a run without branches."""
        self.sub_agents: Sequence[SubAgent] = ()
        """Those whose runs are in the source, by name."""
        self.statuses: list[StatusChange] = []
        """All changes of the status, in order."""
        self.goals: list[StatusChange] = []
        """All that was told of goals, in order; the status of the run is not told here."""
        self.numberings = 1
        """Version of the step numbers: one more each time steps were removed."""
        self.events: list[Event] = []
        self.steps: list[Step] = []
        self.counts = Counts()
        self._counted = 0
        """How many of the first steps are counted. Later ones are, once, when they have what came
        with them."""
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
        self._by_call_id: dict[str, list[Event]] = {}
        """Unknown action_id -> results that were joined by their tool_call_id, which several calls
        may share."""
        self._last_response = ""
        self._last_updates: dict[str, Event] = {}
        """Key -> the last state update."""
        self._updates: dict[str, Event] = {}
        """Id of a state update -> the previous one with the same key."""
        self.began: float | None = None
        """Time of the first step that has one, in seconds since 1970."""
        self.knows_zone = True
        """Whether that time names a zone, or its clock is known."""

    def __len__(self) -> int:
        return len(self.steps)

    def extend(self, events: Iterable[Event]) -> list[int]:
        """Adds events that follow the known ones; all or nothing, if iterating over them fails.
        Returns the numbers of earlier steps that got a result."""
        known = self._counted
        changed: set[int] = set()
        gone: set[int] = set()
        """Numbers of stray results whose call has arrived."""
        for event in list(events):
            if event.id in self._owner:
                continue
            if self.clock:
                event.timestamp = zoned(event.timestamp, self.clock)
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
                    if event.key == "goal":
                        self.goals.append(StatusChange(len(self.steps), "", event))
                continue
            number = self._step_answered(event)
            if number:
                self._attach(number, event)
                if event.action_id and event.action_id not in self._owner:
                    self._by_call_id.setdefault(event.action_id, []).append(event)
                if number <= known:
                    changed.add(number)
                continue
            step = self._add_step(event)
            if step.is_stray:
                for name in filter(None, {event.action_id, event.tool_call_id}):
                    self._strays.setdefault(name, []).append(event)
            elif step.is_call and (self._strays or self._by_call_id):
                gone |= self._adopt(step)
                changed |= {n for n in self._take_over(step) if n <= known}
        for step in self.steps[known:]:
            if step.number not in gone:
                self.counts.add(step)
        if gone:
            self._renumber(gone)
            changed = set(range(1, len(self.steps) + 1))
        self._counted = len(self.steps)
        return sorted(changed)

    @property
    def taken(self) -> Sequence[Event]:
        """The events that a fork took from its origin."""
        return self.events[: self.fork.taken(self.events, self.stats)] if self.fork else ()

    @property
    def inherited(self) -> int:
        """How many of its first steps are among them."""
        begun = (self.step_of(event.id) for event in self.taken)
        return max((step.number for step in begun if step), default=0)

    def ended(self) -> float | None:
        """When the last step that has a time ended, in seconds since 1970."""
        times = ((step.result or step.event).seconds() for step in reversed(self.steps[-50:]))
        return next((when for when in times if when is not None), None)

    def zone(self, zone: tzinfo | None = None) -> tzinfo | None:
        """The zone in which to show the times of the run: the given one (None: the local one), or
        the one that shows them as they are written if their own is not known."""
        return zone if self.knows_zone else UTC

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
        return closed_outcome(step.event, step.result)

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
        # other formats have no result of it: nothing is run
        return Outcome.OK if step.event.part == "FinishAction" else Outcome.NO_RESULT

    def _approve(self, event: Event) -> None:
        """The calls of the last answer were approved: they run from this event on."""
        for number in self._group(self._last_response):
            step = self.steps[number - 1]
            if step.is_open:
                step.approved = event.seconds()

    def _step_answered(self, event: Event) -> int:
        """The number of the step that this event is a result of, else 0."""
        if event.is_reported:
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
            self.knows_zone = self.began is None or not is_bare(event.timestamp)
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
        if step.is_call or event.is_message:
            self._last_response = event.llm_response_id
        return step

    def _attach(self, number: int, event: Event) -> None:
        step = self.steps[number - 1]
        if number <= self._counted:
            self.counts.add(step, -1)
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
        if number <= self._counted:
            self.counts.add(step)

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
                    if own <= self._counted:
                        self.counts.add(self.steps[own - 1], -1)
                    self._attach(step.number, result)
        return gone

    def _take_over(self, step: Step) -> set[int]:
        """Joins a new call with results that name it and were joined to another call with its
        tool_call_id. Returns the numbers of those calls."""
        former: set[int] = set()
        for result in self._by_call_id.pop(step.event.id, []):
            other = self.steps[self._owner[result.id] - 1]
            counted = other.number <= self._counted
            if counted:
                self.counts.add(other, -1)
            other.results = tuple(one for one in other.results if one is not result)
            if counted:
                self.counts.add(other)
            former.add(other.number)
            self._attach(step.number, result)
        return former

    def _renumber(self, gone: set[int]) -> None:
        """Removes steps; takes time in proportion to the run, so at most once per `extend`."""
        self.numberings += 1
        steps = [step for step in self.steps if step.number not in gone]
        new = {step.number: number for number, step in enumerate(steps, 1)}
        for step in steps:
            step.number = new[step.number]
        self.steps = steps
        ordered = sorted(gone)
        self.statuses, self.goals = (
            [
                change._replace(after=change.after - bisect_right(ordered, change.after))
                for change in changes
            ]
            for changes in (self.statuses, self.goals)
        )
        self._owner = {event_id: new.get(n, 0) for event_id, n in self._owner.items()}
        self._calls = {name: new[n] for name, n in self._calls.items()}
        for name, numbers in self._unanswered.items():
            self._unanswered[name] = [new[n] for n in numbers]
        for name, group in self._groups.items():
            self._groups[name] = new[group] if isinstance(group, int) else [new[n] for n in group]


def find_step(trajectory: Trajectory, text: str) -> int | None:
    """The index of the step named by a step number, an event id or the start of one."""
    if text.isdecimal() and 0 < int(text) <= len(trajectory) and trajectory.complete:
        return int(text) - 1
    step = trajectory.step_of(text)
    if step is None and len(text) >= 4:
        event = next((e for e in trajectory.events if e.id.startswith(text)), None)
        step = trajectory.step_of(event.id) if event else None
    return step.number - 1 if step else None


def build(
    events: Iterable[Event],
    *,
    live: bool = False,
    complete: bool = True,
    stats: bytes = b"",
    clock: str = NOT_KNOWN,
) -> Trajectory:
    """A trajectory of the events. It takes 0.3 s for 100,000: call it in a thread."""
    trajectory = Trajectory(live=live, complete=complete, clock=clock)
    trajectory.stats = stats
    trajectory.extend(events)
    return trajectory
