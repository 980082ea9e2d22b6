"""Runs in files, for scripts:

    from oh_tui import runs

    run = runs.open("run.zip")
    print(run.verdict.word, run.cost.dollars, run.time.worked)
    for step in run.steps:
        print(step.number, step.event.tool_name, run.trajectory.outcome(step))

A place is a file or a folder of any format that oh-tui reads, or `PATH#ID`, one of several runs in
a file. All errors are a `Problem`, whose `sentence` and `hint` are written for people. A run is
read when something of it is first used; an event that cannot be read then has the kind
`(cannot read)` and is no error, and `note` tells of it.

Verdict, names of changed files and rows are clean and without secrets. Events and steps hold the
texts as they were recorded: pass what you show or hand on through `oh_tui.text.redact.safe`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from oh_tui.batch.stats_rows import about_with_file
from oh_tui.batch.worker import RunFacts
from oh_tui.conversation import Conversation
from oh_tui.settings import paths
from oh_tui.sources.file_source import FileSource
from oh_tui.text.problem import Problem
from oh_tui.trajectory import table_rows
from oh_tui.trajectory.changes.blame import Blame, blame
from oh_tui.trajectory.changes.changes import ChangeLog
from oh_tui.trajectory.changes.history import Files
from oh_tui.trajectory.changes.touched_files import Label
from oh_tui.trajectory.findings.phases.phases import Phase
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.findings.verdict import Verdict
from oh_tui.trajectory.formats.run_file import SHOWN_BEFORE, short_name
from oh_tui.trajectory.model.branches import shown
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage import Cost
from oh_tui.trajectory.tables import Tables

if TYPE_CHECKING:
    from oh_tui.trajectory.context.context import Context

__all__ = ["Problem", "Run", "Time", "open", "open_all"]


class Time(NamedTuple):
    """When a run was, and how long. None where its events have no times."""

    began: float | None
    """Of its first step, in seconds since 1970."""
    ended: float | None
    """Of its last event, in seconds since 1970."""
    worked: float | None
    """Seconds without those in which it waited for the user."""
    waited: float | None
    """Seconds in which it waited for the user."""


class Run:
    """One run in a file, from `open` or `open_all`."""

    def __init__(self, source: FileSource, row: Conversation) -> None:
        self._source = source
        self._row = row

    def __repr__(self) -> str:
        return f"<Run {short_name(self.id)}>"

    @property
    def id(self) -> str:
        """The id of its conversation, the id of its instance in an output, or its file name."""
        return self._row.id

    @property
    def conversation(self) -> Conversation:
        """What the file says of it: `title`, `llm_model`, `selected_repository`, ..."""
        self._source.runs.run(self._row)  # tells what listing did not
        return self._source.runs.rows[self.id]

    @property
    def note(self) -> str:
        """What of the file cannot be read, on one line, or ""."""
        return self._source.runs.run(self._row).note

    @cached_property
    def _whole(self) -> Trajectory:
        return self._source.runs.read(self._row)

    @cached_property
    def trajectory(self) -> Trajectory:
        """Its steps with their events, and what joins them, such as `trajectory.outcome(step)`. Of
        a run with branches the active one, of which `trajectory.branch` tells."""
        return shown(self._whole)

    @cached_property
    def study(self) -> Study:
        """All that follows from its events: what the properties below are taken from."""
        return Study(self.trajectory)

    @property
    def events(self) -> Sequence[Event]:
        """All events, in the order of the file. `event.body()` is one as JSON."""
        return self._whole.events

    @property
    def steps(self) -> Sequence[Step]:
        """Calls with their results, messages and errors, in order; `step.number` is from 1."""
        return self.trajectory.steps

    @property
    def verdict(self) -> Verdict:
        """How it ended, as a `word` such as "finished" or "stuck", and why, as `cause`. The word is
        "" where nothing tells it; `cut_off` then says whether the end of the file is missing."""
        return self.study.verdict

    @property
    def phases(self) -> list[Phase]:
        """Consecutive steps of one purpose, at most 12, which have each step once: `name`, `first`,
        `last` and `summary`. `study.spent(phase)` has `seconds` and `cost`."""
        return self.study.phases.all

    @property
    def cost(self) -> Cost:
        """Of all branches, with its sub-agents: `dollars`, None when no price is known, and
        `is_partial`."""
        return self.study.whole.sub_runs.cost(self.conversation.price)

    def context(self, step: int) -> Context:
        """What the model saw when it made a step, by its number: `messages`, each with `kind`,
        `chars`, `steps` and `dump()`; `answer` has the tokens, `rules` and `gaps` tell what is
        certain. Raises Problem for a step that no answer of the model made."""
        contexts = self.study.contexts
        return contexts.at(contexts.made(step))

    @property
    def time(self) -> Time:
        run, accounts = self.trajectory, self.study.accounts
        return Time(run.began, run.ended(), accounts.worked, accounts.known_waited)

    @property
    def changes(self) -> ChangeLog:
        """The files that its editor and patch calls changed: `files`, each with `shown` (its path),
        `added` and `removed` (lines) and `steps` (numbers). Commands may have changed others."""
        return self.study.changes

    @property
    def files(self) -> Files:
        """The files that it edited, as they were: `files.at(step)` has each of them after a step,
        with `text()`, as it was recorded, and whether it is `certain`."""
        return self.study.files

    def blame(self, path: str, step: Label | None = None) -> Blame:
        """Which step wrote each line of a file, as it was after a step or at the end. The path is
        one of the run, or the end of one. Raises Problem for a file that the run did not edit, and
        for a step that is none."""
        file = self.files.named(path)
        return blame(self.files, file, self.files.at_file(file, step))

    def to_rows(self, *, run: str = "", source: str = "") -> Tables:
        """As rows of the tables `runs`, `steps`, `calls` and `files`, which docs/tables.md
        describes. `run` and `source` stand in these columns, by default its id, or else its place,
        and the path of its file."""
        row, file = self.conversation, self._source.runs.run(self._row)
        about = about_with_file(RunFacts(row).with_file(file), source or row.home)
        return table_rows.rows(self._whole, replace(about, run=run or about.run))


def open(place: str | os.PathLike[str]) -> Run:
    """The run at a place. Raises Problem where there is none that oh-tui reads, or several."""
    source = _source(place)
    rows = source.conversations()
    if len(rows) > 1:
        names = ", ".join(short_name(row.id) for row in rows[:3])
        raise Problem(
            f"There are {len(rows):,} runs in {source.label}",
            f"name one of them, as PATH#ID, or go through them with open_all: {names}, ...",
        )
    source.runs.run(rows[0])
    return Run(source, rows[0])


def open_all(place: str | os.PathLike[str]) -> Iterator[Run]:
    """Each run at a place; of a folder those in its files and folders.

    Raises Problem where there is none, and after the last one where a file could not be read. A
    run that cannot be read raises Problem when something of it is first used.
    """
    source = _source(place)
    for row in source.conversations():
        yield Run(source, row)
    if source.problems:
        told = "; ".join(one.removesuffix(SHOWN_BEFORE) for one in source.problems)
        raise Problem(f"Not all of {source.label} could be read: {told}")


def _source(place: str | os.PathLike[str]) -> FileSource:
    path, run = paths.split_run(os.fspath(place), os.environ)
    return FileSource([paths.expanded(path, os.environ)], wanted=[run])
