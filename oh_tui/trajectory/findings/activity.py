"""The time of a run: of the model, of tools, and of nobody."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from math import isfinite
from time import monotonic
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.tool_use import Family
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.describe import family_of

SHORT_GAP = 30.0
"""Idle time of more seconds is a gap, which the strip cuts out."""

OUT_OF_ORDER = 60.0
"""A clock that goes back by more seconds is another clock, which then counts."""

LONGEST_CALL = 6 * 3600.0
"""After more seconds an answer means a paused sandbox or a clock that jumped."""

LONGEST_GUESS = 600.0
"""The same limit where it is a guess who was at work."""

_STOPPED = frozenset(
    {"idle", "paused", "waiting_for_confirmation", "finished", "error", "stuck", "deleting"}
)
"""Statuses in which neither the model nor a tool works."""

_MOST_OPEN = 32
"""Most calls under way at once; limits the work for a hostile run."""

_CHECKPOINT = 256

UNKNOWN = -1.0
"""The time of the model for a step, if nothing reports it."""


class Calls:
    """The calls of one family, and their running time."""

    def __init__(self) -> None:
        self.numbers = array("L")
        """Step numbers, ascending."""
        self._starts = array("d")
        self._ends = array("d")
        self._before = array("d")
        """Disjoint ascending spans, and the seconds in all spans before each."""

    def add(self, start: float, end: float) -> None:
        before = self.spent(start)
        self._starts.append(start)
        self._ends.append(end)
        self._before.append(before)

    def spent(self, place: float) -> float:
        """Seconds up to a place."""
        index = bisect_right(self._starts, place) - 1
        if index < 0:
            return 0.0
        return self._before[index] + min(place, self._ends[index]) - self._starts[index]

    def lengths(self) -> tuple[int, int]:
        return len(self.numbers), len(self._starts)

    def cut(self, numbers: int, spans: int) -> None:
        del self.numbers[numbers:]
        for column in (self._starts, self._ends, self._before):
            del column[spans:]


class _State(msgspec.Struct):
    next: int = 0
    clock: float | None = None
    """The latest time read, in seconds since 1970."""
    here: float = 0.0
    """Its place: seconds since the first step."""
    last_step: float = 0.0
    """The place of the last step or answer."""
    idle_from: float = 0.0
    """The place since which nobody worked."""
    open: tuple[int, ...] = ()
    """Numbers of the calls under way."""
    stopped: bool = False
    """By the status of the run, neither the model nor a tool works."""


class _Checkpoint(NamedTuple):
    state: _State
    moments: int
    steps: int
    gaps: int
    made: int
    calls: dict[Family, tuple[int, int]]


class Activity:
    """The place of each step in time and who worked in between, for a growing run.

    A place is in seconds since the first step; when a clock goes back, time stands still. Between
    two moments (calls, answers, messages of the model) first a tool or nobody works, then, before
    a step of the model, the model. So no second is counted twice, whatever the clocks say.
    """

    def __init__(self, trajectory: Trajectory, llm: Accounts) -> None:
        self._trajectory = trajectory
        self._llm = llm
        self.places = array("d")
        """By step number - 1: its place, never descending."""
        self.made = array("L")
        """Numbers of the model's steps."""
        self.calls: dict[Family, Calls] = {}
        self.gap_starts = array("d")
        self.gap_ends = array("d")
        """Spans longer than SHORT_GAP without work and without steps."""
        self._ends = array("d")
        self._model = array("d")
        self._tools = array("d")
        """By moment: its place, and the seconds of the model and of tools before it."""
        self._llm_times = array("d")
        """By step number - 1: the known time of the model."""
        self._tail = 0.0
        """Running time of the current call since the last moment, in seconds."""
        self.under_way: Family | None = None
        """The family of that call."""
        self._early: set[int] = set()
        """Numbers of steps whose result arrived before their call."""
        self._state = _State()
        self._checkpoints: list[_Checkpoint] = [_Checkpoint(replace(self._state), 0, 0, 0, 0, {})]

    @property
    def end(self) -> float:
        moment = self._ends[-1] if self._ends else 0.0
        return max(moment, self._state.last_step) + self._tail

    def update(self, recheck: int, budget: float | None = None) -> bool:
        """Reads new events, and known times again from `recheck`; False if `budget` ended it."""
        deadline = None if budget is None else monotonic() + budget
        steps, times = self._trajectory.steps, self._llm_times
        for number in range(max(1, recheck), len(times) + 1):
            if self._llm_time(steps[number - 1]) != times[number - 1]:
                self._go_back(number)
                break
        events, state = self._trajectory.events, self._state  # after going back
        for index in range(state.next, len(events)):
            if deadline is not None and not index % 32 and monotonic() > deadline:
                return False
            event = events[index]
            state.next = index + 1
            if not event.is_hidden:
                self._take(event, self._trajectory.step_of(event.id))
            elif event.status:
                self._take_status(event)
        self._tail, self.under_way = 0.0, None
        if state.open and not state.stopped and state.clock is not None:
            last = events[-1].seconds() or 0.0
            self._tail = min(max(0.0, last - state.clock), LONGEST_GUESS)
            self.under_way = family_of(steps[state.open[-1] - 1].event)
        return True

    def spent(self, place: float) -> tuple[float, float]:
        """Seconds of the model and of tools before a place."""
        ends, model, tools = self._ends, self._model, self._tools
        index = bisect_left(ends, place)
        start, before, tools_before = 0.0, 0.0, 0.0
        if index:
            start, before, tools_before = ends[index - 1], model[index - 1], tools[index - 1]
        if index == len(ends):
            return before, tools_before + min(max(0.0, place - start), self._tail)
        took, ran = model[index] - before, tools[index] - tools_before
        return (
            before + max(0.0, took - (ends[index] - place)),
            tools_before + min(max(0.0, place - start), ran),
        )

    def worked_before(self, number: int) -> float:
        """Seconds of model and tools before a step without its own; of all after the last."""
        if number > len(self.places):
            return sum(self.spent(self.end))
        place = self.places[number - 1]
        index = bisect_left(self._ends, place)
        return (self._model[index - 1] if index else 0.0) + self.spent(place)[1]

    def _take(self, event: Event, step: Step | None) -> None:
        if step is None:
            return
        state = self._state
        if step.event is not event and step.number > len(self.places):
            self._early.add(step.number)
            return
        before = state.here
        self._move_clock(event)
        if step.event is event:
            self._begin(step, before)
        else:
            self._settle(event, before)
            if event.ended or event.failed:
                state.open = tuple(number for number in state.open if number != step.number)
        state.last_step = state.idle_from = state.here

    def _begin(self, step: Step, before: float) -> None:
        state, event = self._state, step.event
        llm = self._llm_time(step)
        self.places.append(state.here)
        self._llm_times.append(llm)
        if not step.event.is_made:
            if state.open:
                self._settle(event, before)
            else:
                self._rest_until(state.here)
            if event.is_message:
                state.stopped = False
            return
        self._settle(event, before, llm)
        state.stopped = False
        self.made.append(step.number)
        if not step.event.is_condensation:
            self._leave_behind(step)
        if step.is_call:
            self._open(step)
        if len(self._ends) - self._checkpoints[-1].moments >= _CHECKPOINT:
            self._keep()

    def _take_status(self, event: Event) -> None:
        state = self._state
        stopped = event.status in _STOPPED
        if self.places and stopped != state.stopped:
            before = state.here
            self._move_clock(event)
            if state.open:
                self._settle(event, before)
        state.stopped = stopped

    def _move_clock(self, event: Event) -> None:
        state, now = self._state, event.seconds()
        if now is None:
            return
        if state.clock is None or now < state.clock - OUT_OF_ORDER:
            state.clock = now
        elif now > state.clock:
            state.here += now - state.clock
            state.clock = now

    def _settle(self, event: Event, before: float, llm: float | None = None) -> None:
        """Adds a moment: who worked since the last. `llm` is the model's time, for its steps."""
        state, here = self._state, self._state.here
        start = self._ends[-1] if self._ends else 0.0
        took = 0.0
        if llm is not None and llm != UNKNOWN:
            took = min(llm, here - start) if llm <= LONGEST_CALL else 0.0
        elif llm is not None and not state.open and not state.stopped:
            took = here - before if here - before <= LONGEST_GUESS else 0.0
        rest = here - start - took
        longest = LONGEST_CALL if event.is_observation else LONGEST_GUESS
        is_run = bool(state.open) and not (state.stopped or event.is_rejection)
        ran = rest if is_run and rest <= longest else 0.0
        if ran:
            step = self._trajectory.steps[state.open[-1] - 1]
            self.calls[family_of(step.event)].add(start, start + ran)
        self._ends.append(here)
        self._model.append((self._model[-1] if self._model else 0.0) + took)
        self._tools.append((self._tools[-1] if self._tools else 0.0) + ran)
        self._rest_until(start if ran else max(start, here - took))
        if took or ran:
            state.idle_from = here

    def _rest_until(self, end: float) -> None:
        """Nobody worked until `end`; removes what was a gap after it."""
        starts, ends = self.gap_starts, self.gap_ends
        while ends and ends[-1] > end:
            ends[-1] = end
            if end - starts[-1] > SHORT_GAP:
                break
            starts.pop()
            ends.pop()
        start = self._state.idle_from
        if end - start <= SHORT_GAP:
            return
        if starts and starts[-1] == start:
            ends[-1] = end
        else:
            starts.append(start)
            ends.append(end)

    def _open(self, step: Step) -> None:
        event, state = step.event, self._state
        calls = self.calls.setdefault(family_of(event), Calls())
        calls.numbers.append(step.number)
        if not (event.ended or event.failed or step.number in self._early):
            state.open = (*state.open[1 - _MOST_OPEN :], step.number)

    def _leave_behind(self, step: Step) -> None:
        """The model went on, so earlier calls have ended; ACP calls tell that themselves."""
        steps, event = self._trajectory.steps, step.event
        self._state.open = tuple(
            number
            for number in self._state.open
            if (other := steps[number - 1].event).kind == event.kind
            and other.llm_response_id == event.llm_response_id
            and (event.llm_response_id or event.is_reported)
        )

    def _llm_time(self, step: Step) -> float:
        if not step.event.is_made:
            return UNKNOWN
        llm = self._llm.llm(step)
        return max(0.0, llm) if llm is not None and isfinite(llm) else UNKNOWN

    def _keep(self) -> None:
        lengths = {family: calls.lengths() for family, calls in self.calls.items()}
        self._checkpoints.append(
            _Checkpoint(
                replace(self._state, last_step=self._state.here, idle_from=self._state.here),
                len(self._ends),
                len(self.places),
                len(self.gap_starts),
                len(self.made),
                lengths,
            )
        )

    def _go_back(self, number: int) -> None:
        while self._checkpoints[-1].steps >= number:
            self._checkpoints.pop()
        state, moments, steps, gaps, made, lengths = self._checkpoints[-1]
        self._state = replace(state)
        for column in (self._ends, self._model, self._tools):
            del column[moments:]
        for column in (self.places, self._llm_times):
            del column[steps:]
        for column in (self.gap_starts, self.gap_ends):
            del column[gaps:]
        del self.made[made:]
        for family, calls in self.calls.items():
            calls.cut(*lengths.get(family, (0, 0)))
