"""Contexts and answers of runs as JSON lines, for training and for replaying."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from oh_tui.batch.worker import RunFacts
from oh_tui.sharing.shared_run import SharedRun
from oh_tui.sharing.sink import Sink
from oh_tui.text.display import json_line
from oh_tui.trajectory import chat
from oh_tui.trajectory.context.context import Answer
from oh_tui.trajectory.context.message import Message
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.bodies import list_field, text_field
from oh_tui.trajectory.model.branches import shown
from oh_tui.trajectory.model.trajectory import Trajectory


def needs_version(run: Trajectory) -> bool:
    """Whether the version of its server says by which rules its messages are made."""
    return Study(shown(run)).contexts.needs_version


class Size(NamedTuple):
    """How much the lines of a run will be."""

    lines: int
    chars: int


class Lines(NamedTuple):
    """The lines of a run in a file, which whoever takes them removes: every context of a long run
    takes more memory than there is."""

    path: str
    lines: int


def written(lines: Iterable[str], folder: str) -> Lines:
    """Lines of ASCII in a new file of a folder."""
    count = 0
    descriptor, path = tempfile.mkstemp(".jsonl", dir=folder)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        for line in lines:
            file.write(line)
            count += 1
    return Lines(path, count)


def name_of(about: RunFacts) -> str:
    """The id of a run; of one without an id the name of its file, without a path of this
    machine."""
    told = about.info.get("id")
    return told if isinstance(told, str) and told else Path(about.conversation.id).name


def answers_of(run: SharedRun, *, every: bool) -> list[Answer]:
    """The last answer in the steps that are shared, or `every` one: those whose contexts are
    told."""
    here = {step.number for step in run.steps}
    answers = [one for one in run.study.contexts.answers if one.step in here]
    return answers if every else answers[-1:]


def chat_lines(run: SharedRun, sink: Sink, *, every: bool) -> Iterator[str]:
    """A line for each answer, without secrets. Contexts repeat: the text of a message is made
    once."""
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
