"""Says what is known of the failure to which `e` went: in how many runs it was seen, and what
helped."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from oh_tui.batch import cached_rows
from oh_tui.text.human import plural
from oh_tui.trajectory.findings.failure_signatures import failed_steps
from oh_tui.trajectory.model import steps as model
from oh_tui.tui.controllers.controller import Controller

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from oh_tui.batch.failure_rows import FailureRow
    from oh_tui.trajectory.model.trajectory import Trajectory
    from oh_tui.tui.state.across_runs.failures import FailuresFound
    from oh_tui.tui.widgets.timeline import Timeline

REST = 0.15
"""Seconds that the cursor rests on the step before anything is looked up."""


class KnownFailures(Controller):
    """Asks the index of all runs; what it does not know, the view of what failed may, if it has
    read all runs of the source."""

    _steps: Timeline
    _found: Callable[[], FailuresFound | None]
    """Gives what the view of what failed shows, or showed last."""

    def tell(self) -> None:
        """Say what is known of the step under the cursor, once it is known; nothing otherwise."""
        self._ui.work_on("known-failure", self._tell, instead=True)

    async def _tell(self) -> None:
        await asyncio.sleep(REST)
        run, number = self._steps.trajectory, self._steps.step_here
        if run is None or not 0 < number <= len(run.steps):
            return
        folder = self._session.settings.library_folder
        words = await asyncio.to_thread(_words, run, number, folder, self._read_all)
        if words and self._steps.trajectory is run and self._steps.step_here == number:
            self._ui.tell(words, log=False, remark=True)

    @property
    def _read_all(self) -> FailuresFound | None:
        found = self._found()
        if found is None or found.reading.source is not self._session.source:
            return None
        return found if found.ended and found.query.empty else None


def _words(run: Trajectory, number: int, folder: Path | None, found: FailuresFound | None) -> str:
    step = run.steps[number - 1]
    if run.outcome(step) not in model.FAILED:
        return ""
    with model.decoded(step):
        failure = failed_steps.failure_of(run, step)
    if known := cached_rows.failure_in_index(folder, failure):
        return seen_words(known[0], plural(known[1], "indexed run"))
    row = found.sums.row(failure) if found else None
    return seen_words(row, plural(found.reading.read, "run")) if found and row else ""


def seen_words(row: FailureRow, runs: str) -> str:
    """Such as `seen in 9 of 213 runs; the same call worked later in 3, after edit setup.py`."""
    seen = f"seen in {row.runs:,} of {runs}; the same call worked later in"
    if not row.helped:
        return f"{seen} none"
    what, helped = row.helped[0]
    part = f"in {helped:,} of them " if helped < row.recovered else ""
    return f"{seen} {row.recovered:,}, {part}after {what}"
