"""Reads what follows from the run at the right and takes long: its phases and, while the timeline
has a column for it, what is worth a look."""

from __future__ import annotations

import asyncio
import gc
from time import monotonic, perf_counter
from typing import TYPE_CHECKING
from weakref import ref

from oh_tui.trajectory.search.scan import SLICE
from oh_tui.tui.controllers.run.pace import SHOW_EVERY, Pace
from oh_tui.tui.messages import PhasesTold
from oh_tui.tui.state.columns import LOOK

if TYPE_CHECKING:
    from oh_tui.trajectory.findings.study import Study
    from oh_tui.tui.ui import Ui
    from oh_tui.tui.widgets.timeline import Timeline


class ReadingOn:
    """Reads in slices, as filters do, and behind all keys: with a thread that computes for seconds
    a key takes two to four times as long. What is read here a filter, a rule or a page of the run
    need not read."""

    def __init__(self, ui: Ui, steps: Timeline) -> None:
        self._ui = ui
        self._steps = steps
        self._reads_looks = False
        self._stopped: ref[Study] | None = None
        """That of which nothing more that is worth a look is read."""

    def choose(self) -> None:
        """Other columns were chosen."""
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
