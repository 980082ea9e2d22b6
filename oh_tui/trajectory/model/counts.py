"""Counts of the events and steps of a run."""

from __future__ import annotations

import msgspec

from oh_tui.trajectory.model.steps import Outcome, Step, closed_outcome


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
