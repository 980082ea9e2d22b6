"""Reads what is worth a look, while the timeline has a column for it."""

from __future__ import annotations

from time import monotonic, perf_counter
from typing import TYPE_CHECKING

from oh_tui.trajectory.analysis.search.scan import SLICE
from oh_tui.tui.controllers.run.pace import SHOW_EVERY, Pace
from oh_tui.tui.state.columns import LOOK

if TYPE_CHECKING:
    from oh_tui.trajectory.analysis.study import Study
    from oh_tui.tui.ui import Ui
    from oh_tui.tui.widgets.timeline import Timeline


class LooksOfRun:
    """Reads in slices, as the filter `look:` does; what one of them has read the other need not."""

    def __init__(self, ui: Ui, steps: Timeline) -> None:
        self._ui = ui
        self._steps = steps

    def read(self) -> None:
        """The columns were chosen, or the run has more to read."""
        if self._study is not None and not self._ui.at_work("looks"):
            self._ui.work_on("looks", self._read)

    @property
    def _study(self) -> Study | None:
        """That of the run to read; None where the column is not chosen."""
        return self._steps.study if self._steps.choice.get(LOOK) else None

    async def _read(self) -> None:
        """Goes on with another run, if one is shown meanwhile."""
        pace, shown = Pace(self._ui), perf_counter()
        while (study := self._study) and not _read_some(study):
            if perf_counter() - shown >= SHOW_EVERY:
                self._steps.refresh()
                shown = perf_counter()
            await pace.rest(lambda: _progress(self._study))
        pace.end()
        self._steps.refresh()


def _read_some(study: Study) -> bool:
    """Reads for one slice; whether all is read then, with the sub-agents."""
    end = monotonic() + SLICE
    runs = (study, *study.sub_runs.all())
    return all(run.worth_a_look.update(end - monotonic()) for run in runs)


def _progress(study: Study | None) -> str:
    if study is None:
        return ""
    read, steps = study.worth_a_look.progress
    return f"reading what is worth a look, step {read:,} of {steps:,}"
