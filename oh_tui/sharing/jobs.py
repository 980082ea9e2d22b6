"""Jobs that write down what is left of each of many runs, and tell what leaves with it; and
contexts and answers as JSON lines, for training and for replaying."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from msgspec.structs import replace

from oh_tui.batch.stats_rows import about_with_file
from oh_tui.batch.worker import RunFacts
from oh_tui.sharing.left_out import Ranges, part_of
from oh_tui.sharing.otlp.otlp import otlp
from oh_tui.sharing.shared_run import Part, SharedRun, Sink
from oh_tui.sharing.what_leaves import WhatLeaves
from oh_tui.text.display import json_line
from oh_tui.trajectory import chat, table_rows
from oh_tui.trajectory.context.context import Answer
from oh_tui.trajectory.context.message import Message
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.bodies import list_field, text_field
from oh_tui.trajectory.model.branches import shown
from oh_tui.trajectory.model.events import read_json
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.tables import Tables

T = TypeVar("T")


def needs_version(run: Trajectory) -> bool:
    """Whether the version of its server says by which rules its messages are made."""
    return Study(shown(run)).contexts.needs_version


class Size(NamedTuple):
    lines: int
    chars: int


class Lines(NamedTuple):
    """The lines of a run in a file, which whoever takes them removes: every context of a long run
    takes more memory than there is."""

    path: str
    lines: int


def written(lines: Iterable[str], folder: str) -> Lines:
    count = 0
    descriptor, path = tempfile.mkstemp(".jsonl", dir=folder)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        for line in lines:
            file.write(line)
            count += 1
    return Lines(path, count)


def name_of(about: RunFacts) -> str:
    """The id of a run, else the name of its file, without a path of this machine."""
    told = about.info.get("id")
    return told if isinstance(told, str) and told else Path(about.conversation.id).name


def answers_of(run: SharedRun, *, every: bool) -> list[Answer]:
    """The last answer in the steps that are shared, or `every` one."""
    here = {step.number for step in run.steps}
    answers = [one for one in run.study.contexts.answers if one.step in here]
    return answers if every else answers[-1:]


def chat_lines(run: SharedRun, sink: Sink, *, every: bool) -> Iterator[str]:
    """A line for each answer, without secrets; the text of a message is made once."""
    study = run.study
    contexts, label = study.contexts, study.trajectory.recorded.label
    made: dict[Message, str] = {}
    calls = set[str]()

    def text_of(message: Message) -> str:
        if message not in made:
            body = message.dump()
            made[message] = sink.json(body)
            for one in (body, *list_field(body, "tool_calls")):
                calls.update((text_field(one, "id"), text_field(one, "tool_call_id")))
        return made[message]

    for answer in answers_of(run, every=every):
        sink.at(answer.step)
        seen = contexts.at(answer)
        head = json_line({"id": run.name, "step": answer.step})[:-1]
        messages = ", ".join(map(text_of, seen.messages))
        tools = sink.once(json_line(list(seen.tools)))
        rest = json_line({"usage": chat.usage_of(answer, study.accounts.reported), "label": label})
        reply = text_of(contexts.reply(answer))
        yield f'{head}, "messages": [{messages}], "tools": {tools}, "answer": {reply}, {rest[1:]}\n'
    for step in run.steps:
        if step.event.tool_call_id in calls:
            sink.at(step.number)
            sink.files(step, contents=False)


class Leaving(NamedTuple, Generic[T]):
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
    left: Left = Left()

    def __call__(self, run: Trajectory, about: RunFacts) -> Leaving[Tables]:
        shared = self.left.of(run, about)
        about = about._replace(conversation=shared.conversation)
        told = about_with_file(about, about.conversation.place.partition("#")[0])
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
    every: bool
    left: Left

    def __call__(self, run: Trajectory, about: RunFacts) -> Size:
        shared = self.left.of(shown(run), about)
        answers = answers_of(shared, every=self.every)
        return Size(len(answers), chat.chars_of(shared.study, answers))


class OtlpJob(NamedTuple):
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
