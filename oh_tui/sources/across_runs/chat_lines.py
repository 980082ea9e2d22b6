"""Contexts and answers of runs as JSON lines, for training and for replaying."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from oh_tui.sources.across_runs.worker import RunFacts
from oh_tui.sources.json_lines import json_line
from oh_tui.trajectory import chat
from oh_tui.trajectory.analysis.study import Study
from oh_tui.trajectory.context.message import Message
from oh_tui.trajectory.model.branches import shown
from oh_tui.trajectory.model.trajectory import Trajectory


def needs_version(run: Trajectory) -> bool:
    """Whether the version of its server says by which rules its messages are made."""
    return Study(shown(run)).contexts.needs_version


def study_of(run: Trajectory, about: RunFacts) -> Study:
    """What is shown of a run, its contexts by the rules of its server where nothing else tells."""
    study = Study(shown(run))
    if about.version:
        study.contexts.written_by(about.version)
    return study


class Size(NamedTuple):
    """How much the lines of a run will be."""

    lines: int
    chars: int


class SizeJob(NamedTuple):
    every: bool

    def __call__(self, run: Trajectory, about: RunFacts) -> Size:
        study = study_of(run, about)
        answers = chat.answers_of(study, every=self.every)
        return Size(len(answers), chat.chars_of(study, answers))


class Lines(NamedTuple):
    """The lines of a run in a file, which whoever takes them removes: every context of a long run
    takes more memory than there is."""

    path: str
    lines: int


class ChatJob(NamedTuple):
    every: bool
    folder: str
    """Where the files of lines are made."""

    def __call__(self, run: Trajectory, about: RunFacts) -> Lines:
        lines = chat_lines(study_of(run, about), name_of(about), every=self.every)
        return written(lines, self.folder)


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


def chat_lines(study: Study, name: str, *, every: bool) -> Iterator[str]:
    """A line for each answer, without secrets. Contexts repeat: the text of a message is made
    once."""
    contexts, label = study.contexts, study.trajectory.recorded.label
    made: dict[Message, str] = {}

    def text_of(message: Message) -> str:
        if message not in made:
            made[message] = json_line(message.dump())
        return made[message]

    for answer in chat.answers_of(study, every=every):
        seen = contexts.at(answer)
        head = json_line({"id": name, "step": answer.step})[:-1]
        messages = ", ".join(map(text_of, seen.messages))
        rest = {
            "tools": list(seen.tools),
            "answer": contexts.reply(answer).dump(),
            "usage": chat.usage_of(answer, study.accounts.told),
            "label": label,
        }
        yield f'{head}, "messages": [{messages}], {json_line(rest)[1:]}\n'
