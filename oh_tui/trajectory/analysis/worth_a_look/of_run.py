"""The steps of a run that are worth a look."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from oh_tui.trajectory.analysis.alike.fingerprints import deed
from oh_tui.trajectory.analysis.purposes.kept_acts import KeptActs
from oh_tui.trajectory.analysis.purposes.targets import Targets, working_folder
from oh_tui.trajectory.analysis.worth_a_look.looks import Look, Reason
from oh_tui.trajectory.analysis.worth_a_look.reasons import (
    by_acts,
    by_output,
    by_sizes,
    by_tests,
)
from oh_tui.trajectory.files.churn import Churn
from oh_tui.trajectory.files.touches import may_touch
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import FAILED, Outcome, Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.shell.purpose import Purpose

_LATE = 256
"""So many steps behind it, an open call is taken for one that never ends."""

_NO_WORK = frozenset({Purpose.LOOK, Purpose.PLAN, Purpose.WAIT, Purpose.TEST, Purpose.LINT})
"""What changes nothing, so that a call that failed fails again."""


_DID_NOTHING = frozenset({Outcome.ERROR, Outcome.REJECTED, Outcome.WAITING})
"""A command that failed may have done a part of its work."""


class Found(NamedTuple):
    step: Step
    reasons: tuple[Reason, ...]


class WorthALook:
    """What is worth a look in a growing run. Steps are read in order, each once, when one of them
    or of those behind it is asked for."""

    def __init__(
        self,
        trajectory: Trajectory,
        churn: Churn,
        acts: KeptActs,
        targets: Callable[[Step], Targets],
    ) -> None:
        self.trajectory, self.churn, self._acts, self._targets = trajectory, churn, acts, targets
        self._one = threading.Lock()
        """Rules with `look:` ask in a thread."""
        self._begin()

    def _begin(self) -> None:
        self._closed = _Reading()
        """The steps up to the first call that has not ended."""
        self._rest: _Reading | None = None
        """Goes on from there, and is read again when there are more events."""
        self._state: tuple[object, ...] = ()
        self._seen = 0
        self._folder: str | None = None

    def of(self, step: Step) -> tuple[Reason, ...]:
        """Why a step is worth a look; empty if it is not."""
        self._read_to(step.number)
        return self._kept(step)

    def known(self, step: Step) -> tuple[Reason, ...]:
        """As `of`, but empty for a step that is not read yet: reads nothing."""
        is_renumbered = self._state[1:2] != (self.trajectory.numberings,)
        return () if is_renumbered else self._kept(step)

    def update(self, budget: float) -> bool:
        """Reads steps for so many seconds; False means that there is more to read."""
        return self._read_to(len(self.trajectory.steps), time.monotonic() + budget)

    @property
    def progress(self) -> tuple[int, int]:
        """How many steps were read, of how many."""
        return (self._rest or self._closed).read, len(self.trajectory.steps)

    def __iter__(self) -> Iterator[Found]:
        """The steps that are worth a look, in order."""
        for step in self.trajectory.steps:
            if reasons := self.of(step):
                yield Found(step, reasons)

    def _kept(self, step: Step) -> tuple[Reason, ...]:
        is_closed = step.number <= self._closed.read
        reading = self._closed if is_closed else self._rest
        return reading.reasons.get(step.number, ()) if reading else ()

    def _read_to(self, number: int, end: float | None = None) -> bool:
        """Reads the steps up to one. Stops when the monotonic clock passes `end`; False means that
        there is more to read."""
        with self._one:
            self._take_news()
            while reading := self._to_read(number):
                if end is not None and time.monotonic() > end:
                    return False
                self._read(reading)
            return True

    def _to_read(self, number: int) -> _Reading | None:
        """What reads the next step; None where those up to `number` are read."""
        closed = self._closed
        if number <= closed.read:
            return None
        if self._is_closed(self.trajectory.steps[closed.read]):
            return closed
        if self._rest is None:
            self._rest = _Reading(closed.read, closed.failed, closed.tests_failed)
        return self._rest if self._rest.read < number else None

    def _take_news(self) -> None:
        run = self.trajectory
        state = (len(run.events), run.numberings, run.status, run.live)
        if state == self._state:
            return
        if self._state[1:2] != (run.numberings,) or self._is_late(run.events[self._seen :]):
            self._begin()
        self._state, self._seen, self._rest = state, len(run.events), None

    def _is_late(self, events: list[Event]) -> bool:
        """Whether one of these is a result of a step that was read."""
        for event in events:
            step = self.trajectory.step_of(event.id)
            if step and step.event is not event and step.number <= self._closed.read:
                return True
        return False

    def _is_closed(self, step: Step) -> bool:
        return not step.is_open or len(self.trajectory.steps) - step.number > _LATE

    def _read(self, reading: _Reading) -> None:
        """Reads the next step."""
        step = self.trajectory.steps[reading.read]
        reading.read += 1
        if not step.is_call:
            if step.event.is_by_user:
                reading.failed.clear()  # who asks for more has seen what failed
            return
        found = tuple(self._reasons(step, reading))
        if found:
            reading.reasons[step.number] = tuple(
                sorted(found, key=lambda reason: _ORDER[reason.look])
            )

    def _reasons(self, step: Step, reading: _Reading) -> Iterator[Reason]:
        outcome = self.trajectory.outcome(step)
        done = self._acts.of(step)
        is_touch = may_touch(step.event)
        if is_touch:
            yield from by_sizes(self.churn.of_step(step))
        if not (is_touch and outcome in FAILED):
            yield from by_acts(done, outcome)
            if reading.tests_failed:
                yield from by_tests(
                    done, outcome, reading.tests_failed, lambda: self._targets(step)
                )
        yield from by_output(step, outcome)
        has_failed = outcome in FAILED
        if has_failed or reading.failed:
            worked = outcome not in _DID_NOTHING and any(
                one.purpose not in _NO_WORK for one in done
            )
            yield from self._retried(step, reading, has_failed=has_failed, may_have_worked=worked)
        told = self._acts.tests(step)
        if told and told.ok is not None:
            reading.tests_failed = 0 if told.ok else step.number

    def _retried(
        self, step: Step, reading: _Reading, *, has_failed: bool, may_have_worked: bool
    ) -> Iterator[Reason]:
        if self._folder is None:
            self._folder = working_folder(self.trajectory)
        call = deed(step, self._folder).exact
        if before := reading.failed.get(call):
            why = f"the call of step {before} again, which failed; no work between"
            yield Reason(Look.RETRY, why)
        if may_have_worked:
            reading.failed.clear()
        if has_failed:
            reading.failed[call] = step.number


_ORDER = {look: place for place, look in enumerate(Look)}


class _Reading:
    """How far a run was read, with what counts for the steps to come."""

    def __init__(
        self, read: int = 0, failed: dict[bytes, int] | None = None, tests_failed: int = 0
    ) -> None:
        self.read = read
        """How many steps."""
        self.failed = dict(failed or {})
        """Calls that failed since work was last done, and the numbers of their steps."""
        self.tests_failed = tests_failed
        """The number of the last step that ran tests, if they failed; else 0."""
        self.reasons: dict[int, tuple[Reason, ...]] = {}
        """By the number of the step."""
