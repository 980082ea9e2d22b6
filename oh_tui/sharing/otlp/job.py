"""Traces of many runs: the lines of each are made where it is read."""

from __future__ import annotations

from typing import NamedTuple

from oh_tui.sharing.otlp.otlp import otlp
from oh_tui.sharing.shared_run import SharedRun
from oh_tui.sources.across_runs.chat_lines import Lines, name_of, study_of, written
from oh_tui.sources.across_runs.worker import RunFacts
from oh_tui.trajectory.model.trajectory import Trajectory


class OtlpJob(NamedTuple):
    messages: bool
    whole: bool
    folder: str
    """Where the files of lines are made."""

    def __call__(self, run: Trajectory, about: RunFacts) -> Lines:
        study = study_of(run, about)
        shared = SharedRun(about.conversation, study, study.trajectory.steps, whole=self.whole)
        lines = otlp(shared, name_of(about), run, messages=self.messages)
        return written(lines, self.folder)
