"""A run in ATIF as a file, and the files beside it that continue it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from oh_tui.text.human import size
from oh_tui.trajectory.formats.folders import DiskFolder, Folder
from oh_tui.trajectory.formats.foreign.atif import is_atif
from oh_tui.trajectory.formats.foreign.documents import ATIF, converted_atif, top_of_atif
from oh_tui.trajectory.formats.held_run import HeldRun
from oh_tui.trajectory.formats.lines import json_lines
from oh_tui.trajectory.formats.run_file import (
    Format,
    FormatProblem,
    Indexes,
    OneRun,
    RunList,
    shown_name,
)
from oh_tui.trajectory.formats.streams import unpacked
from oh_tui.trajectory.model.bodies import field

MOST_PARTS = 1_000
"""How many continuations are followed."""


def read_parts(folder: Folder, name: str) -> tuple[list[Any], list[str]]:
    """The run in a file of a folder and its continuations, decoded, and what of them is missing.
    Raises OSError and FormatProblem; ValueError if the file is no ATIF."""
    parts, notes = [_read(folder, name)], list[str]()
    known = {name}
    while isinstance(ref := field(parts[-1], "continued_trajectory_ref"), str) and ref:
        shown = shown_name(ref)
        # a name in the same folder: others may lead anywhere
        if Path(ref).name != ref or ref in known or len(parts) == MOST_PARTS:
            notes.append(f"the run goes on in {shown}, which is not read")
            break
        known.add(ref)
        try:
            parts.append(_read(folder, ref))
        except FileNotFoundError:
            notes.append(f"the run goes on in {shown}, which is not here")
            break
        except (OSError, ValueError, FormatProblem):
            notes.append(f"the run goes on in {shown}, which cannot be read")
            break
    return parts, notes


def _read(folder: Folder, name: str) -> Any:
    stream = unpacked(folder.open(name))
    try:
        text = stream.read(0, json_lines.LARGEST + 1)
    finally:
        stream.close()
    if len(text) > json_lines.LARGEST:
        most = size(json_lines.LARGEST)
        raise FormatProblem(f"{shown_name(name)} has more than {most} in one JSON text")
    value = top_of_atif(text)
    if not is_atif(value):
        raise ValueError("no ATIF")
    return value


def _may_be(head: bytes, name: str) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{" and ATIF.may_be(head)


def _open(path: Path, indexes: Indexes | None) -> RunList:
    try:
        parts, notes = read_parts(DiskFolder(path.parent), path.name)
    except (ValueError, FormatProblem):
        return json_lines.FORMAT.open(path, indexes)  # rows, or broken, which is told there
    converted = converted_atif(parts)
    converted.notes += notes
    return OneRun(HeldRun(shown_name(path.name), converted))


FORMAT = Format("ATIF file", _may_be, _open)
