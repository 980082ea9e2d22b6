"""Jobs that write down what is left of each of many runs, and tell what leaves with it."""

from __future__ import annotations

import re
from typing import Generic, NamedTuple, TypeVar

from msgspec.structs import replace

from oh_tui.batch.stats_rows import about_with_file
from oh_tui.batch.worker import RunFacts
from oh_tui.sharing.chat_lines import Lines, Size, answers_of, chat_lines, name_of, written
from oh_tui.sharing.left_out import Ranges, part_of
from oh_tui.sharing.otlp.otlp import otlp
from oh_tui.sharing.shared_run import Part, SharedRun
from oh_tui.sharing.sink import Sink
from oh_tui.sharing.what_leaves import WhatLeaves
from oh_tui.trajectory import chat, table_rows
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.branches import shown
from oh_tui.trajectory.model.events import read_json
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

    def of(self, run: Trajectory, about: RunFacts) -> SharedRun:
        study = Study(run)
        name = name_of(about)
        shared = SharedRun(about.conversation, study, study.trajectory.steps, name=name)
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
        return Leaving(shared.name, made, _leaves(made, shared))


def _leaves(made: Tables, run: SharedRun) -> WhatLeaves:
    """What leaves with rows, which lack their secrets already."""
    sink = Sink(run)
    for row in made.runs:
        sink.take(row.title, row.repository, row.branch, row.model, row.trigger, row.benchmark)
        sink.take(row.cause, row.last_error, row.source, row.note)
    given = {(call.path, call.event_id): call.arguments for call in made.calls}
    for step in made.steps:
        sink.at(_number(step.path))
        arguments = given.get((step.path, step.event_id), "")
        told = [step.kind, step.tool, step.sub_agent, step.what, step.result]
        sink.count([*told, read_json(arguments, arguments)])
    for failure in made.failures:
        sink.at(failure.step)
        sink.take(failure.tool, failure.kind, failure.line, failure.helped)
    for file in made.files:
        sink.at(file.last_step)
        sink.take(file.path)
    whole = () if run.is_part else run.study.sub_runs.all()
    for study, steps in ((run.study, run.steps), *((sub, sub.trajectory.steps) for sub in whole)):
        for one in steps:
            sink.at(_number(f"{study.path}{one.number}"))
            sink.files(one, contents=False, views=False)
    return sink.leaves


def _number(path: str) -> int:
    """The number of a step in its run: of a sub-agent that of the step that started it."""
    found = re.match(r"\d+", path)
    return int(found[0]) if found else 0


class ChatJob(NamedTuple):
    """Makes the lines of contexts and answers of a run."""

    every: bool
    left: Left
    folder: str
    """Where the files of lines are made."""

    def __call__(self, run: Trajectory, about: RunFacts) -> Leaving[Lines]:
        shared = self.left.of(shown(run), about)
        sink = Sink(shared)
        lines = chat_lines(shared, sink, every=self.every)
        return Leaving(shared.name, written(lines, self.folder), sink.leaves)


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
        shared = self.left.of(shown(run), about)
        shared.read, shared.whole, shared.messages = run, self.whole, self.messages
        sink = Sink(shared)
        return Leaving(shared.name, written(otlp(shared, sink), self.folder), sink.leaves)
