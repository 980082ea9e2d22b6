"""The runs in the folders of an unpacked tar, and the stored conversation of an instance, beside an
output: `conversations/ID.tar.gz`.

The first run of a conversation is joined to a row without history. The others are listed as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from oh_tui.text.problem import Problem
from oh_tui.text.redact import redact_json
from oh_tui.trajectory.formats.copies import source_of
from oh_tui.trajectory.formats.document import Converted
from oh_tui.trajectory.formats.endings import TAR_ENDINGS
from oh_tui.trajectory.formats.run_file import (
    Entry,
    FormatProblem,
    RunFile,
    RunList,
    Source,
    short_name,
    some,
)
from oh_tui.trajectory.formats.zip.archive import Archive
from oh_tui.trajectory.formats.zip.folder_members import FolderMembers
from oh_tui.trajectory.formats.zip.zip_layout import EVENT_FILE, STATE_FILES, SUB_AGENTS, home_of
from oh_tui.trajectory.formats.zip.zip_members import CannotRead


class CopiedMembers(FolderMembers):
    """The files of a run that no program adds to."""

    grows = False

    def __init__(self, tar: Source, home: str) -> None:
        super().__init__(tar.path / home)
        names = tar.about.names or [""]
        self.is_cut = tar.about.is_cut and _home(names[-1]) == home
        self._partial = tar.path / tar.about.partial

    def read_name(self, name: str) -> bytes:
        if self.folder / name == self._partial:
            raise CannotRead("cut off")
        return super().read_name(name)


def runs_in(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """The folders that contain a run, in the order of the tar, and the files that belong to
    none."""
    homes, others = dict[str, None](), list[str]()
    for name in names:
        if (home := _home(name)) is None:
            others.append(name)
        elif not name.endswith("meta.json"):  # a meta.json alone is no run
            homes[home] = None
    return list(homes), others


def _home(name: str) -> str | None:
    """The home of the run that a file belongs to. A sub-agent's file belongs to its parent's
    run."""
    folder, _, file = name.rpartition("/")
    if EVENT_FILE.fullmatch(name):
        folder = home_of(folder)
    elif file not in STATE_FILES:
        return None
    parts = folder.split("/")
    return "/".join(parts[: parts.index(SUB_AGENTS)]) if SUB_AGENTS in parts else folder


class UniqueNames:
    """Gives each run of a file a unique name."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, short: str, path: str) -> str:
        """Takes `short`, or `path` if another run has that name."""
        for name in (short, path, f"{short}@{len(self._taken) + 1}"):
            if (shown := short_name(name)) and shown not in self._taken:
                break
        self._taken.add(shown)
        return shown


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
