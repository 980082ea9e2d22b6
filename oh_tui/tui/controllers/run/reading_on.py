"""Reads what follows from the run at the right and takes long: its phases; what is worth a look,
while the timeline has a column for it; what the context of the step under the cursor lacks."""

from __future__ import annotations

import asyncio
import gc
from time import monotonic, perf_counter
from typing import TYPE_CHECKING
from weakref import ref

from oh_tui.trajectory.search.scan import SLICE
from oh_tui.tui.controllers.controller import Controller
from oh_tui.tui.controllers.run.pace import SHOW_EVERY, Pace
from oh_tui.tui.messages import PhasesTold
from oh_tui.tui.state import context_rows
from oh_tui.tui.state.columns import LOOK

if TYPE_CHECKING:
    from oh_tui.trajectory.findings.study import Study
    from oh_tui.tui.widgets.timeline import Timeline

REST = 0.15
"""Seconds that the cursor rests on a step before its context is made: a key costs a microsecond."""


class ReadingOn(Controller):
    """Reads in slices, as filters do, and behind all keys: with a thread that computes for seconds
    a key takes two to four times as long. What is read here a filter, a rule or a page of the run
    need not read."""

    _steps: Timeline
    _reads_looks = False
    _stopped: ref[Study] | None = None
    """That of which nothing more that is worth a look is read."""

    def choose(self) -> None:
        self._stopped = None
        self.read()

    def stop(self) -> bool:
        """Esc: read no further what is worth a look; False when that is not being read."""
        if not self._reads_looks:
            return False
        study, self._reads_looks = self._steps.study, False
        self._stopped = ref(study) if study else None
        return True

    def read(self) -> None:
        """The run was studied or has grown."""
        if self._steps.study is not None and not self._ui.at_work("reading-on"):
            self._ui.work_on("reading-on", self._read)

    async def _read(self) -> None:
        await self._ui.drawn()  # the run itself comes first
        try:
            await self._read_on()
        finally:
            self._reads_looks = False

    async def _read_on(self) -> None:
        """Goes on with another run, if one is shown meanwhile."""
        was_stopped = self._stopped
        pace, shown = Pace(self._ui, behind=True), perf_counter()
        while study := self._steps.study:
            if "phases" not in vars(study):
                # in a thread: loading what tells phases takes longer than a frame
                await asyncio.to_thread(getattr, study, "phases")
            is_done = self._read_phases(study) and self._read_looks(study)
            if is_done and self._steps.study is study:
                break
            if perf_counter() - shown >= SHOW_EVERY:
                # as when the run was read: scanning the new objects would make a key wait
                gc.freeze()
                if self._has_looks:
                    self._steps.refresh()
                shown = perf_counter()
            await pace.rest(self._told if self._has_looks else None)
        pace.end()
        if self._has_looks:
            self._steps.refresh()
        elif self._stopped is not was_stopped:
            self._ui.tell(f"stopped {self._progress()} · choosing the column again reads on")

    @property
    def _has_looks(self) -> bool:
        stopped, study = self._stopped and self._stopped(), self._steps.study
        return bool(self._steps.choice.get(LOOK)) and study is not stopped

    def _read_phases(self, study: Study) -> bool:
        """Reads for one slice; whether all is read then."""
        before = study.phases.known
        is_done = study.phases.update(SLICE)
        if study.phases.known is not before:
            self._ui.post_message(PhasesTold())
        return is_done

    def _read_looks(self, study: Study) -> bool:
        """As `_read_phases`, with the sub-agents."""
        end = monotonic() + SLICE
        runs = (study, *study.sub_runs.all()) if self._has_looks else ()
        is_done = all(run.review_hints.update(end - monotonic()) for run in runs)
        self._reads_looks = not is_done
        return is_done

    def _told(self) -> str:
        return f"{self._progress()} · esc stops"

    def _progress(self) -> str:
        study = self._steps.study
        if study is None:
            return ""
        read, steps = study.review_hints.progress
        return f"reading what is worth a look, step {read:,} of {steps:,}"


class ForgottenSteps(Controller):
    """Marks in the timeline what was not in the context of the step under the cursor."""

    _steps: Timeline
    _searched: tuple[ref[Study], int] | None = None
    """A run without a condensation in so many steps."""
    _waits = _has_moved = False

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
        found = await asyncio.to_thread(_not_in_context, study, steps.step_here, first)
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
