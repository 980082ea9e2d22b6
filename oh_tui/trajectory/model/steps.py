"""A step of a run: a call with its results, a message, an error or another event; counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum

import msgspec

from oh_tui.trajectory.model.call import Call
from oh_tui.trajectory.model.clock import known_span
from oh_tui.trajectory.model.event_kinds import CALL_KINDS
from oh_tui.trajectory.model.events import Event


class Outcome(StrEnum):
    OK = "ok"
    WITH_RESULT = "with a result"
    """It has one that does not tell whether the call worked."""
    COMMAND_FAILED = "command failed"
    ERROR = "error"
    REJECTED = "rejected"
    """The user or a hook did not let the call run; no failure."""
    WAITING = "waiting"
    RUNNING = "running"
    NO_RESULT = "no result"


FAILED = frozenset({Outcome.ERROR, Outcome.COMMAND_FAILED, Outcome.REJECTED})
"""Of a call that did not do what it asks for."""


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
        return self.event.kind in CALL_KINDS

    @property
    def is_stray(self) -> bool:
        """A result without its call. An AgentErrorEvent that names no call is an error step."""
        event = self.event
        return event.is_result and bool(event.action_id or event.tool_call_id)

    @property
    def result(self) -> Event | None:
        """The result that counts: the first; of a reported call the last report."""
        results = self.results
        if len(results) < 2:
            return results[0] if results else None
        return results[-1 if self.event.is_reported else 0]

    @property
    def call(self) -> Call:
        """What it calls and what came of it; of a result without its call that."""
        return Call(self.event, self.result if self.is_call else self.event)

    @property
    def second_results(self) -> Sequence[Event]:
        """Further results. Reports on a call are none: they follow each other."""
        return self.results[1:] if self.is_call and not self.event.is_reported else ()

    @property
    def is_open(self) -> bool:
        """A call that has not ended. The only report of one may be that of its end."""
        last = self.results[-1] if self.results else self.event
        return not (last.ended or last.failed) and self.event.is_call

    def ran(self) -> float | None:
        """Seconds from the call, or its approval, to its result. None where no clock measured them,
        as without a result, at the same time and when the clock went back; and for a rejected call,
        which never ran."""
        return known_span(self.span())

    def span(self) -> float | None:
        """The same as the clocks say, so that it may be negative; None without a time."""
        result = self.result
        if result is None or result.is_rejection:
            return None
        began, ended = self.began(), result.seconds()
        return None if began is None or ended is None else ended - began

    def began(self) -> float | None:
        """When the step began to run, in seconds since 1970; None without a time."""
        return self.event.seconds() if self.approved is None else self.approved


def closed_outcome(event: Event, result: Event | None) -> Outcome:
    last = result or event
    if last.failed:
        return Outcome.REJECTED if last.is_rejection else Outcome.ERROR
    if last.command_failed:
        return Outcome.COMMAND_FAILED
    return Outcome.WITH_RESULT if last.unclear else Outcome.OK


@contextmanager
def decoded(step: Step) -> Iterator[None]:
    """Decodes the events of a step once for all that reads them meanwhile."""
    events = [event for event in (step.event, *step.results) if event.decoded is None]
    for event in events:
        event.hold_body()
    try:
        yield
    finally:
        for event in events:
            event.decoded = None


class Counts(msgspec.Struct):
    """Counts of a run, updated as events arrive. `calls`, `ok`, `with_result`, `failed_commands`,
    `call_errors`, `rejected` and `open` count calls only; `errors` counts every step that is an
    error."""

    events: int = 0
    hidden: int = 0
    calls: int = 0
    ok: int = 0
    with_result: int = 0
    failed_commands: int = 0
    call_errors: int = 0
    rejected: int = 0
    open: int = 0
    errors: int = 0
    second_results: int = 0
    stray_results: int = 0
    unreadable: int = 0
    model_switches: int = 0

    def add(self, step: Step, sign: int = 1) -> None:
        """Counts a step, or with `sign` -1 uncounts it."""
        if step.event.is_unreadable:
            self.unreadable += sign
        if step.is_stray:
            self.stray_results += sign
        if not step.is_call:
            if closed_outcome(step.event, None) is Outcome.ERROR:
                self.errors += sign
            return
        self.calls += sign
        self.second_results += sign * len(step.second_results)
        if step.is_open:
            self.open += sign
            return
        outcome = closed_outcome(step.event, step.result)
        if outcome is Outcome.ERROR:
            self.errors += sign
            self.call_errors += sign
        elif outcome is Outcome.COMMAND_FAILED:
            self.failed_commands += sign
        elif outcome is Outcome.REJECTED:
            self.rejected += sign
        elif outcome is Outcome.WITH_RESULT:
            self.with_result += sign
        else:
            self.ok += sign
            self.model_switches += sign * (step.event.tool in ("SwitchLLM", "ClassifyAndSwitchLLM"))
