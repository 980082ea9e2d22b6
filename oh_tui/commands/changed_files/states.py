"""The files of a run at a step, for the commands that show them."""

from __future__ import annotations

from oh_tui.commands.framework.reading import step_at, whole
from oh_tui.sources.results import Loaded
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.analysis.study import Study
from oh_tui.trajectory.files.history import Files
from oh_tui.trajectory.files.order_in_time import Label, Moment


def files_of(loaded: Loaded) -> Files:
    """The files that a run and its sub-agents edited."""
    return Study(whole(loaded)).files


def label_of(files: Files, step: str) -> Label | None:
    """A step as the histories of files name it, by its number, the path of a sub-agent's or an
    event; None without one, 0 is before the run. Raises Problem for a step that is not there."""
    if not step:
        return None
    path, _, number = step.rpartition(".")
    part = next((one for one in files.parts if one.prefix == (f"{path}." if path else "")), None)
    if part is None or not number:
        raise Problem(f"This run has no step {safe_line(step)[:60]}")
    return step if number == "0" else part.label(step_at(part.trajectory, number))


def point_in_time(files: Files, step: str) -> Moment:
    """When a step ended; END when no step is named. Raises Problem if the run has no such step."""
    return files.moment(label_of(files, step))
