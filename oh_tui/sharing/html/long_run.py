"""Of a long run the steps that make a page which opens in about a second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from oh_tui.sharing.shared_run import SharedRun
from oh_tui.text.human import plural
from oh_tui.trajectory.model.steps import Outcome, Step

MOST = 5_000
"""Steps of such a page."""

_ENDS = 2_000
"""Steps at the begin and at the end of a longer run; between them errors and turns."""

_OTHERS = 1_000
"""Hidden events of such a page, the first ones."""

_HOW = "This page is cut: oh-tui export --whole writes all of the run, --only 40-61 other steps"


def fitting(run: SharedRun) -> SharedRun:
    """The run, without the middle of a long one, unless it is to be written whole."""
    too_many = max(0, len(run.others) - _OTHERS)
    if run.whole or run.is_cut or not (len(run.steps) > MOST or too_many):
        return run
    missing = f"{plural(too_many, 'hidden event')} left out" if too_many else ""
    return replace(
        run,
        steps=list(_fewer(run)) if len(run.steps) > MOST else run.steps,
        others=run.others[:_OTHERS],
        note=". ".join(filter(None, (run.note, _HOW, missing))),
        is_cut=True,
    )


def _fewer(run: SharedRun) -> Iterator[Step]:
    outcome, last = run.study.trajectory.outcome, len(run.steps) - _ENDS
    room = MOST - 2 * _ENDS
    for place, step in enumerate(run.steps):
        if _ENDS <= place < last:
            if not room or not (outcome(step) is Outcome.ERROR or step.event.is_by_user):
                continue
            room -= 1
        yield step
