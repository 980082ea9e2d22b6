"""The persisted conversation of an instance, beside an output: `conversations/ID.tar.gz`.

The first run in it is joined to a row without history; the others are runs of their own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

from oh_tui.text.problem import Problem
from oh_tui.text.redact import redact_json
from oh_tui.trajectory.formats.document import Converted
from oh_tui.trajectory.formats.folders import Folder
from oh_tui.trajectory.formats.run_file import (
    MOST,
    Entry,
    FormatProblem,
    RunFile,
    Unchanging,
    shown_name,
)
from oh_tui.trajectory.formats.streams import PackedStream, Stream, unpacked
from oh_tui.trajectory.formats.tar.tar_runs import TarRuns
from oh_tui.trajectory.formats.zip.archive import Archive

FOLDER = "conversations"

ENDINGS = (".tar.gz", ".tar.zst", ".tar.xz", ".tgz", ".tar")


def file_of(folder: Folder, instance: str) -> tuple[str, Stream] | None:
    """The conversation of an instance of an output in this folder, if it is there: the name and
    the file as it stands."""
    if not instance or "/" in instance or "\0" in instance:
        return None
    for ending in ENDINGS:
        with contextlib.suppress(OSError):
            return f"{instance}{ending}", folder.open(f"{FOLDER}/{instance}{ending}")
    return None


class Joined(NamedTuple):
    run: Archive
    tar: TarRuns
    """Has to be closed."""
    others: list[Entry]


def join(
    folder: Folder, instance: str, name: str, row: Converted, *, of_several: bool
) -> Joined | None:
    """The first run in the tar with what its row tells of it, and the others. None, and a note in
    the row, if the tar has none; None without a tar."""
    found = file_of(folder, instance)
    if found is None:
        return None
    file, source = found
    where = shown_name(f"{FOLDER}/{file}")
    runs = None
    try:
        runs = TarRuns(file, unpacked(source))
        entries = list(runs.entries())
        archive = runs.archive(1)
    except (Problem, OSError) as error:
        told = error.sentence if isinstance(error, Problem) else f"{file} cannot be read"
        row.notes.append(f"{FOLDER}: {told}")
        if runs:
            runs.close()
        return None
    if not runs.is_needed:
        runs.close()
    archive.name = name
    notes = [*row.notes, *runs.problems]
    others = OtherRuns(folder, file).of(instance, entries)
    if others:
        names = ", ".join(one.name for one in others[:MOST]) + ", ..." * (len(others) > MOST)
        notes.append(f"{where} holds {len(entries)} runs: this is the first; then {names}")
    if of_several:
        notes.append(f"{where} may be of another attempt")
    archive.add_row(redact_json(row.info), row.stats, row.recorded, notes)
    return Joined(archive, runs, others)


def look(folder: Folder, instance: str) -> tuple[list[Entry], int]:
    """The runs after the first in the conversation of an instance, and how many bytes were unpacked
    to find them. What is wrong with it is told when its row is opened."""
    found = file_of(folder, instance)
    if found is None:
        return [], 0
    file, source = found
    try:
        stream = unpacked(source)
    except (Problem, OSError):
        return [], 0
    try:
        others = OtherRuns(folder, file).of(instance, list(TarRuns(file, stream).entries()))
    except (Problem, OSError):
        others = []
    finally:
        stream.close()
    return others, stream.reached if isinstance(stream, PackedStream) else stream.packed_size


class OtherRuns(Unchanging):
    """The runs in a tar after the first, which is opened anew for each: there may be thousands."""

    def __init__(self, folder: Folder, file: str) -> None:
        self.problems: list[str] = []
        self._folder, self._file = folder, file
        self._opened: list[TarRuns] = []

    def of(self, instance: str, entries: list[Entry]) -> list[Entry]:
        """The entries of the list of the tar as those of the output."""
        found = []
        for entry in entries[1:]:
            name = shown_name(f"{instance}/{entry.name}")
            found.append(Entry(self, entry.number, name, {"id": name, "title": name}))
        return found

    def entries(self) -> Iterator[Entry]:
        yield from ()

    def open(self, number: int) -> RunFile:
        where = f"{FOLDER}/{self._file}"
        try:
            tar = TarRuns(self._file, unpacked(self._folder.open(where)))
        except OSError as error:
            raise FormatProblem(f"{shown_name(where)} cannot be read") from error
        try:
            for _ in tar.entries():
                pass
            run = tar.archive(number)
        except BaseException:
            tar.close()
            raise
        if tar.is_needed:
            self._opened.append(tar)
        else:
            tar.close()
        return run

    def close(self) -> None:
        for tar in self._opened:
            tar.close()
