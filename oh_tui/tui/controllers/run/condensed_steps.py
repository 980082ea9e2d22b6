"""Marks in the timeline what was not in the context of the step under the cursor."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING
from weakref import ref

from oh_tui.tui.state import context_rows

if TYPE_CHECKING:
    from oh_tui.trajectory.findings.study import Study
    from oh_tui.tui.ui import Ui
    from oh_tui.tui.widgets.timeline import Timeline

REST = 0.15
"""Seconds that the cursor rests on a step before it is found out: a key costs a microsecond."""


class ForgottenSteps:
    def __init__(self, ui: Ui, steps: Timeline) -> None:
        self._ui = ui
        self._steps = steps
        self._searched: tuple[ref[Study], int] | None = None
        """A run without a condensation in so many steps."""
        self._waits = self._has_moved = False

    def find(self) -> None:
        """The cursor is on another step, or the run has grown."""
        study = self._steps.study
        if study is not None and self._searched != (ref(study), len(study.trajectory)):
            self._has_moved = True
            if not self._waits:
                self._wait()

    def _wait(self) -> None:
        self._waits, self._has_moved = True, False
        asyncio.get_running_loop().call_later(REST, self._rest)

    def _rest(self) -> None:
        self._waits = False
        if self._has_moved:
            self._wait()
        elif self._steps.study is not None and self._steps.is_running:
            self._ui.work_on("forgotten", self._find, instead=True)

    async def _find(self) -> None:
        """Takes no run: a worker that has ended keeps what it was called with for a while."""
        steps, study = self._steps, self._steps.study
        if study is None:
            return
        count = len(study.trajectory)
        first = self._searched[1] if self._searched and self._searched[0]() is study else 0
        find = partial(_not_in_context, study, steps.step_here, first)
        found = await asyncio.to_thread(find)
        if steps.study is study:
            self._searched = (ref(study), count) if found is None else None
            steps.events_forgotten, steps.forgotten = found or (0, frozenset())


def _not_in_context(study: Study, step: int, first: int) -> tuple[int, frozenset[int]] | None:
    """How many events were forgotten before the answer that made a step, and the steps of which
    nothing was in its context; None where nothing was condensed after the `first` steps."""
    if not any(each.event.is_condensation for each in study.trajectory.steps[first:]):
        return None

    def unseen() -> tuple[int, frozenset[int]]:
        contexts = study.contexts
        answer = contexts.of(step) or contexts.nearest(step)
        context = contexts.at(answer) if answer else None
        return (context.events_forgotten, context.unseen_steps) if context else (0, frozenset())

    return context_rows.alone(unseen)
