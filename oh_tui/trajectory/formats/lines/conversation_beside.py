"""The persisted conversation of an instance, beside an output: `conversations/ID.tar.gz`.

It is joined to a row without history.
"""

from __future__ import annotations

import contextlib

from oh_tui.text.problem import Problem
from oh_tui.text.redact import redact_json
from oh_tui.trajectory.formats.document import Converted
from oh_tui.trajectory.formats.folders import Folder
from oh_tui.trajectory.formats.run_file import shown_name
from oh_tui.trajectory.formats.streams import Stream, unpacked
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


def join(
    file: str, source: Stream, name: str, row: Converted, *, of_several: bool
) -> tuple[Archive, TarRuns] | None:
    """The run in the tar with what its row tells of it, and the tar, which has to be closed. None,
    and a note in the row, if the tar has none."""
    where = shown_name(f"{FOLDER}/{file}")
    runs = None
    try:
        runs = TarRuns(file, unpacked(source))
        found = sum(1 for _ in runs.entries())
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
    if found > 1:
        notes.append(f"{where} holds {found} runs: the first is shown")
    if of_several:
        notes.append(f"{where} may be of another attempt")
    archive.add_row(redact_json(row.info), row.stats, row.recorded, notes)
    return archive, runs
