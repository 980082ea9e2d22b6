"""The record of a run for the library, and what tells that a file has changed."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from oh_tui.batch.stats_rows import about_with_file
from oh_tui.batch.worker import RunFacts
from oh_tui.library.records import Record, record_of
from oh_tui.trajectory.formats import atif_file
from oh_tui.trajectory.formats.lines import json_lines, labels, row_index, sidecar_conversation
from oh_tui.trajectory.formats.table import head_of
from oh_tui.trajectory.model.trajectory import Trajectory

DECODED = 2_000
"""A run with up to this many events is decoded once for both rows and texts. That takes about three
times the memory of the texts."""


class Skipped(NamedTuple):
    place: str
    why: str


TELLS_KEY = "it contains one of your keys"


class IndexJob(NamedTuple):
    """Makes the record of a run in a file; None if the run contains one of the user's keys."""

    def __call__(self, run: Trajectory, about: RunFacts) -> Record | None:
        row = about.conversation
        if len(run.events) <= DECODED:
            for event in run.events:
                event.hold_body()
        # a copy of a run, which is listed by its place, is indexed by its id too
        own = about.info.get("id")
        about = about._replace(conversation=replace(row, id=str(own or row.place)))
        facts = replace(about_with_file(about, row.home), note=about.note)
        return record_of(run, facts, place=row.place, home=row.home)


def fingerprint_of(path: Path) -> str:
    """Changes with the file or folder and what is read beside it; "" if it cannot be read."""
    try:
        if not path.is_dir():
            found = [path, *_beside(path)]
        else:
            found = [one for one in sorted(path.rglob("*")) if one.is_file()]
            if not found:
                return ""
        stamps = ";".join(f"{one} {_stamp(one, path)}" for one in found)
    except (OSError, ValueError):
        return ""
    return hashlib.sha256(stamps.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _stamp(one: Path, path: Path) -> str:
    """Changes with the file. A missing file beside `path` has a stamp too. Raises OSError and
    ValueError if `path` itself cannot be read."""
    try:
        found = one.stat()
    except (OSError, ValueError):
        if one == path or path in one.parents:
            raise
        return "none"
    return f"{found.st_ino} {found.st_size} {found.st_mtime_ns}"


def _beside(path: Path) -> list[Path]:
    """Files whose change also changes the run. For an output its reports, labels, costs and the
    conversations of its instances; for ATIF the files that continue it and its sub-agents'."""
    folder = path.parent
    if not _is_output(path):
        return [folder / name for name in atif_file.names_beside(path)]
    found = sorted(one for one in folder.iterdir() if one.suffix == ".json")[:2_000]
    with contextlib.suppress(OSError):
        found += sorted((folder / sidecar_conversation.FOLDER).iterdir())
    return [*found, folder / labels.COST_REPORT]


def _is_output(path: Path) -> bool:
    """Whether labels beside the file may name its rows. Outputs may have any name."""
    if ".jsonl" in path.name or path.suffix == ".zip":
        return path.suffix != ".zip"
    try:
        head, name = head_of(path)
        return json_lines.are_lines(head, name) and row_index.names_row(head)
    except OSError:
        raise
    except Exception:
        return False  # the reader reports why
