"""The steps of a run that are worth a look, and why."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from oh_tui.trajectory.changes.churn import Churn
from oh_tui.trajectory.findings.failure_signatures.call_signatures import call_signature
from oh_tui.trajectory.findings.review_hints.hint import Hint, Reason
from oh_tui.trajectory.findings.review_hints.reasons import by_acts, by_output, by_sizes, by_tests
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import FAILED, Outcome, Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.file_operations import may_touch
from oh_tui.trajectory.reading.known_intents import KnownIntents
from oh_tui.trajectory.reading.write_targets import Targets, working_folder
from oh_tui.trajectory.shell.purpose import Purpose

_LATE = 256
"""So many steps behind it, an open call is taken for one that never ends."""

_NO_WORK = frozenset({Purpose.LOOK, Purpose.PLAN, Purpose.WAIT, Purpose.TEST, Purpose.LINT})
"""What changes nothing, so that a call that failed fails again."""

_DID_NOTHING = frozenset({Outcome.ERROR, Outcome.REJECTED, Outcome.WAITING})
"""A command that failed may have done a part of its work."""


@dataclass
class _Before:
    """What counts of the steps before one."""

    read: int = 0
    """How many they are."""
    failed: dict[bytes, int] = field(default_factory=dict)
    """Calls that failed since work was last done, and the numbers of their steps."""
    tests_failed: int = 0
    """The number of the last step that ran tests, if they failed; else 0."""


class ReviewHints:
    """What is worth a look in a growing run. Steps are read in order when one of them or of those
    behind it is asked for; with news again from the first call that had not ended."""

    def __init__(
        self,
        trajectory: Trajectory,
        churn: Churn,
        acts: KnownIntents,
        targets: Callable[[Step], Targets],
    ) -> None:
        self.trajectory, self.churn, self._acts, self._targets = trajectory, churn, acts, targets
        self._one = threading.Lock()
        """Rules with `look:` ask in a thread."""
        self._begin()

    def _begin(self) -> None:
        self._before = _Before()
        """The next step."""
        self._first_open: _Before | None = None
        """The first call that had not ended."""
        self._reasons: dict[int, tuple[Reason, ...]] = {}
        """By the number of the step."""
        self._state: tuple[object, ...] = ()
        self._seen = 0
        self._folder: str | None = None

    def of(self, step: Step) -> tuple[Reason, ...]:
        """Why a step is worth a look; empty if it is not."""
        self._read_to(step.number)
        return self._reasons.get(step.number, ())

    def known(self, step: Step) -> tuple[Reason, ...]:
        """As `of`, but empty for a step that is not read yet: reads nothing."""
        is_read = self._state[1:2] == (self.trajectory.numberings,)
        return self._reasons.get(step.number, ()) if is_read else ()

    def update(self, budget: float) -> bool:
        """Reads steps for so many seconds; False means that there is more to read."""
        return self._read_to(len(self.trajectory.steps), time.monotonic() + budget)

    @property
    def progress(self) -> tuple[int, int]:
        """How many steps were read, of how many."""
        return self._before.read, len(self.trajectory.steps)

    def __iter__(self) -> Iterator[tuple[Step, tuple[Reason, ...]]]:
        """The steps that are worth a look, in order."""
        for step in self.trajectory.steps:
            if reasons := self.of(step):
                yield step, reasons

    def _read_to(self, number: int, end: float | None = None) -> bool:
        """Reads the steps up to one; False if the monotonic clock passed `end` before."""
        with self._one:
            self._take_news()
            while self._before.read < number:
                if end is not None and time.monotonic() > end:
                    return False
                self._read_next()
            return True

    def _take_news(self) -> None:
        run = self.trajectory
        state = (len(run.events), run.numberings, run.status, run.live)
        if state == self._state:
            return
        if self._state[1:2] != (run.numberings,) or self._is_late(run.events[self._seen :]):
            self._begin()
        if self._first_open is not None:
            self._before, self._first_open = self._first_open, None
        self._state, self._seen = state, len(run.events)

    def _is_late(self, events: list[Event]) -> bool:
        """Whether one of these is a result of a step that was read as one that had ended."""
        ended = (self._first_open or self._before).read
        for event in events:
            step = self.trajectory.step_of(event.id)
            if step and step.event is not event and step.number <= ended:
                return True
        return False

    def _read_next(self) -> None:
        before, steps = self._before, self.trajectory.steps
        step = steps[before.read]
        if self._first_open is None and step.is_open and len(steps) - step.number <= _LATE:
            self._first_open = replace(before, failed=dict(before.failed))
        before.read += 1
        found: list[Reason] = []
        if step.is_call:
            found = sorted(self._reasons_of(step, before), key=lambda one: _ORDER[one.hint])
        elif step.event.is_by_user:
            before.failed.clear()  # who asks for more has seen what failed
        if found:
            self._reasons[step.number] = tuple(found)
        else:
            self._reasons.pop(step.number, None)

    def _reasons_of(self, step: Step, before: _Before) -> Iterator[Reason]:
        outcome = self.trajectory.outcome(step)
        done, has_failed = self._acts.of(step), outcome in FAILED
        is_touch = may_touch(step.event)
        if is_touch:
            yield from by_sizes(self.churn.of_step(step))
        if not (is_touch and has_failed):
            yield from by_acts(done, outcome)
            if before.tests_failed:
                yield from by_tests(done, outcome, before.tests_failed, lambda: self._targets(step))
        yield from by_output(step, outcome)
        if has_failed or before.failed:
            if self._folder is None:
                self._folder = working_folder(self.trajectory)
            call = call_signature(step, self._folder).exact
            if first := before.failed.get(call):
                why = f"the call of step {first} again, which failed; no work between"
                yield Reason(Hint.RETRY, why)
            if outcome not in _DID_NOTHING and any(one.purpose not in _NO_WORK for one in done):
                before.failed.clear()
            if has_failed:
                before.failed[call] = step.number
        tests = self._acts.tests(step)
        if tests and tests.ok is not None:
            before.tests_failed = 0 if tests.ok else step.number


_ORDER = {hint: place for place, hint in enumerate(Hint)}
