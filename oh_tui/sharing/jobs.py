"""Jobs that write down what is left of each of many runs, and tell what leaves with it."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

from msgspec.structs import replace

from oh_tui.batch.stats_rows import about_with_file
from oh_tui.batch.worker import RunFacts
from oh_tui.sharing import read_written
from oh_tui.sharing.chat_lines import (
    Lines,
    Size,
    answers_of,
    chat_lines,
    name_of,
    written,
)
from oh_tui.sharing.left_out import Ranges, part_of
from oh_tui.sharing.otlp.otlp import otlp
from oh_tui.sharing.shared_run import Part, SharedRun
from oh_tui.sharing.what_leaves import WhatLeaves
from oh_tui.trajectory import chat, table_rows
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.branches import shown
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.tables import Tables

T = TypeVar("T")


class Leaving(NamedTuple, Generic[T]):
    """What is written of a run, and what leaves with it."""

    run: str
    """Its name, without a path of this machine."""
    made: T
    leaves: WhatLeaves


class Left(NamedTuple):
    """What of each run is shared: the same parts, and the same range of steps."""

    without: tuple[Part, ...] = ()
    only: Ranges | None = None

    def of(self, run: Trajectory, about: RunFacts, *, whole: bool = False) -> SharedRun:
        study = Study(run)
        shared = SharedRun(about.conversation, study, study.trajectory.steps, whole=whole)
        shared = part_of(shared, self.without, self.only)
        if about.version:  # of the server, by whose rules contexts are made
            shared.study.contexts.written_by(about.version)
        return shared


class TablesJob(NamedTuple):
    """Makes the table rows of a run."""

    left: Left = Left()

    def __call__(self, run: Trajectory, about: RunFacts) -> Leaving[Tables]:
        shared = self.left.of(run, about)
        about = about._replace(conversation=shared.conversation)
        one = about.conversation
        told = about_with_file(about, one.place.partition("#")[0])
        told = replace(told, note="; ".join(filter(None, (told.note, shared.note))))
        made = table_rows.rows_of(shared.study, told)
        found = WhatLeaves(len(shared.steps))
        read_written.tables(made, shared, found)
        return Leaving(name_of(about), made, found)


class ChatJob(NamedTuple):
    """Makes the lines of contexts and answers of a run."""

    every: bool
    left: Left
    folder: str
    """Where the files of lines are made."""

    def __call__(self, run: Trajectory, about: RunFacts) -> Leaving[Lines]:
        shared = self.left.of(shown(run), about)
        found = WhatLeaves(len(shared.steps))
        lines = chat_lines(shared, name_of(about), every=self.every)
        looked_at = read_written.chat(lines, shared.steps, found)
        return Leaving(name_of(about), written(looked_at, self.folder), found)


class SizeJob(NamedTuple):
    """Tells how much the lines of a `ChatJob` will be."""

    every: bool
    left: Left

    def __call__(self, run: Trajectory, about: RunFacts) -> Size:
        shared = self.left.of(shown(run), about)
        answers = answers_of(shared, every=self.every)
        return Size(len(answers), chat.chars_of(shared.study, answers))


class OtlpJob(NamedTuple):
    """Makes the lines of traces of a run."""

    messages: bool
    whole: bool
    left: Left
    folder: str
    """Where the files of lines are made."""

    def __call__(self, run: Trajectory, about: RunFacts) -> Leaving[Lines]:
        shared = self.left.of(shown(run), about, whole=self.whole)
        found = WhatLeaves(len(shared.steps))
        lines = otlp(shared, name_of(about), run, messages=self.messages)
        looked_at = read_written.traces(lines, shared, found)
        return Leaving(name_of(about), written(looked_at, self.folder), found)
