"""The stored conversation of an instance, beside an output: `conversations/ID.tar.gz`.

Its first run is joined to a row without history. The others are runs of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from oh_tui.text.problem import Problem
from oh_tui.text.redact import redact_json
from oh_tui.trajectory.formats.copied_runs import CopiedMembers, UniqueNames, runs_in
from oh_tui.trajectory.formats.copies import source_of
from oh_tui.trajectory.formats.document import Converted
from oh_tui.trajectory.formats.endings import TAR_ENDINGS
from oh_tui.trajectory.formats.run_file import (
    Entry,
    FormatProblem,
    RunFile,
    RunList,
    short_name,
    some,
)
from oh_tui.trajectory.formats.zip.archive import Archive

FOLDER = "conversations"


class Conversation(RunList):
    """The runs in the tar of an instance."""

    def __init__(self, path: Path, instance: str) -> None:
        """Raises OSError and FormatProblem."""
        name = short_name(path.name)
        self._tar = source_of(path, name)
        about = self._tar.about
        if about.names is None:
            raise FormatProblem(f"{name} {about.problem or 'is not a tar'}")
        self._homes, _ = runs_in(about.names)
        if not self._homes:
            told = self.problems
            raise FormatProblem(told[0] if told else f"{name} holds no run")
        unique = UniqueNames()
        names = [unique.take(home.rpartition("/")[2] or path.name, home) for home in self._homes]
        self.names = [short_name(f"{instance}/{one}") for one in names]
        self.size = about.size

    @property
    def problems(self) -> list[str]:
        return self._tar.problems

    def entries(self) -> Iterator[Entry]:
        """Entries of the runs after the first."""
        for number, name in enumerate(self.names[1:], 2):
            yield Entry(self, number, name, {"id": name, "title": name})

    def open(self, number: int) -> Archive:
        members = CopiedMembers(self._tar, self._homes[number - 1])
        return Archive(members, self.names[number - 1].partition("/")[2])


def file_of(folder: Path, instance: str) -> Path | None:
    """The conversation of an instance, beside an output in this folder; None if there is none."""
    if not instance or "/" in instance or "\0" in instance:
        return None
    paths = (folder / FOLDER / f"{instance}{ending}" for ending in TAR_ENDINGS)
    return next((path for path in paths if path.is_file()), None)


class Joined(NamedTuple):
    run: RunFile
    others: list[Entry]


def join(
    folder: Path, instance: str, name: str, row: Converted, *, of_several: bool
) -> Joined | None:
    """The first run in the tar, together with its row, and the others. None without a tar, and,
    with a note in the row, if the tar has no run."""
    path = file_of(folder, instance)
    if path is None:
        return None
    try:
        runs = Conversation(path, instance)
        archive = runs.open(1)
    except (Problem, OSError) as error:
        told = error.sentence if isinstance(error, Problem) else f"{path.name} cannot be read"
        row.notes.append(f"{FOLDER}: {told}")
        return None
    archive.name = name
    where = short_name(f"{FOLDER}/{path.name}")
    notes = [*row.notes, *runs.problems]
    others = list(runs.entries())
    if others:
        names = some([one.name for one in others])
        notes.append(f"{where} holds {len(others) + 1} runs: this is the first; then {names}")
    if of_several:
        notes.append(f"{where} may be of another attempt")
    archive.add_row(redact_json(row.info), row.stats, row.recorded, notes)
    return Joined(archive, others)


def look(folder: Path, instance: str) -> tuple[list[Entry], int]:
    """The runs after the first in the conversation of an instance, and its unpacked bytes. Problems
    are reported when the row is opened."""
    path = file_of(folder, instance)
    try:
        runs = Conversation(path, instance) if path else None
    except (Problem, OSError):
        runs = None
    return (list(runs.entries()), runs.size) if runs else ([], 0)
