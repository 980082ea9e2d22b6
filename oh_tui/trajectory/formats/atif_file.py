"""A run as a JSON file of its own, plain or compressed; one in ATIF with the files beside it that
continue it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from oh_tui.text.human import size
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.trajectory.formats.converted_run import ConvertedRun, OneHeldRun
from oh_tui.trajectory.formats.copies import source_of
from oh_tui.trajectory.formats.document import Converted
from oh_tui.trajectory.formats.documents import also_claimed, may_be_run, read_document
from oh_tui.trajectory.formats.foreign.atif import is_atif
from oh_tui.trajectory.formats.foreign.atif_kept import files_of
from oh_tui.trajectory.formats.foreign.document_formats import ATIF, converted_atif, top_of_atif
from oh_tui.trajectory.formats.lines import json_lines
from oh_tui.trajectory.formats.lines.json_lines import LARGEST
from oh_tui.trajectory.formats.plain_file import start_of
from oh_tui.trajectory.formats.run_file import (
    HEAD,
    Format,
    FormatProblem,
    RunList,
    Source,
    short_name,
)
from oh_tui.trajectory.formats.unpack import head_of
from oh_tui.trajectory.model.bodies import field
from oh_tui.trajectory.model.events import decode_json


def _is_json(head: bytes, name: str) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[") and may_be_run(head)


def read_json_file(source: Source) -> ConvertedRun:
    name = source.name
    text = start_of(source.path, LARGEST + 1)
    if len(text) > LARGEST:
        raise FormatProblem(f"{name} has more than {size(LARGEST)} in one JSON text")
    return json_run(source, read_document(text, name))


def json_run(source: Source, converted: Converted) -> ConvertedRun:
    if source.about.problem:
        converted.notes.append(f"{source.name} {source.about.problem}")
    return ConvertedRun(source.name, converted)


JSON_FORMAT = Format(
    "JSON file", _is_json, lambda source: OneHeldRun(partial(read_json_file, source))
)


MOST_PARTS = 1_000
"""Most continuations that are followed."""

_NAMING = (b"continued_trajectory_ref", b"trajectory_path")

_NAMED = pattern(rb'"(?:continued_trajectory_ref|trajectory_path)"\s*:\s*("(?:[^"\\]|\\.)*")')


class AtifFiles(NamedTuple):
    """A run in ATIF, decoded."""

    parts: list[object]
    """Its file and those that continue it, decoded."""
    names: list[str]
    """Names of the files that continue it."""
    beside: dict[str, object]
    """The files of its sub-agents, by name."""
    notes: list[str]
    """Notes on missing files."""

    @property
    def converted(self) -> Converted:
        unused = dict(self.beside)
        converted = converted_atif(self.parts, beside=unused)
        converted.parts = [*self.names, *(name for name in self.beside if name not in unused)]
        converted.notes += self.notes + also_claimed(ATIF, self.parts[0])
        return converted


def read_files(folder: Path, name: str) -> AtifFiles:
    """The run in a file of a folder, with all files that belong to it. Raises OSError and
    FormatProblem; ValueError if the file is no ATIF."""
    parts, names, notes = _read_parts(folder, name)
    beside: dict[str, object] = {}
    todo, missing = [*parts], set[str]()
    while todo:
        for ref in files_of(todo.pop()):
            if ref in beside or ref in missing or len(beside) == MOST_PARTS:
                continue
            try:
                if Path(ref).name != ref or ref == name:
                    raise FileNotFoundError(ref)
                beside[ref] = _read(folder, ref)
                todo.append(beside[ref])
            except (OSError, ValueError, FormatProblem):
                missing.add(ref)
    notes += [f"the sub-agent in {short_name(ref)} cannot be read" for ref in sorted(missing)]
    return AtifFiles(parts, names, beside, notes)


def _read_parts(folder: Path, name: str) -> tuple[list[object], list[str], list[str]]:
    """The file and its continuations, the names of these, and notes on missing ones."""
    parts, names, notes = [_read(folder, name)], list[str](), list[str]()
    known = {name}
    while isinstance(ref := field(parts[-1], "continued_trajectory_ref"), str) and ref:
        shown = short_name(ref)
        # only a name in the same folder: a path may lead anywhere
        if Path(ref).name != ref or ref in known or len(parts) == MOST_PARTS:
            notes.append(f"the run goes on in {shown}, which is not read")
            break
        known.add(ref)
        try:
            parts.append(_read(folder, ref))
            names.append(ref)
        except FileNotFoundError:
            notes.append(f"the run goes on in {shown}, which is not here")
            break
        except (OSError, ValueError, FormatProblem):
            notes.append(f"the run goes on in {shown}, which cannot be read")
            break
    return parts, names, notes


def names_beside(path: Path) -> list[str]:
    """Names of files beside an ATIF file that may belong to its run, found in it and in the files
    it names. None for another file. Decodes nothing and never raises."""
    names, todo = list[str](), [path.name]
    while todo and len(names) < MOST_PARTS:
        with contextlib.suppress(OSError, ValueError, Problem):
            text = _text(path.parent, todo.pop(), ATIF.may_be)
            for found in _NAMED.finditer(text) if any(word in text for word in _NAMING) else ():
                name = decode_json(found[1])
                if Path(name).name == name and name not in (path.name, *names):
                    names.append(name)
                    todo.append(name)
    return sorted(names)


def _text(folder: Path, name: str, is_wanted: Callable[[bytes], bool] | None = None) -> bytes:
    """Reads a little more than the most that is decoded, so that a larger file shows. "" if the
    head is not wanted."""
    if is_wanted and not is_wanted(head_of(folder / name, HEAD)):
        return b""
    return start_of(source_of(folder / name, name).path, json_lines.LARGEST + 1)


def _read(folder: Path, name: str) -> object:
    text = _text(folder, name)
    if len(text) > json_lines.LARGEST:
        most = size(json_lines.LARGEST)
        raise FormatProblem(f"{short_name(name)} has more than {most} in one JSON text")
    value = top_of_atif(text)
    if not is_atif(value):
        raise ValueError("no ATIF")
    return value


def _may_be(head: bytes, name: str) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{" and ATIF.may_be(head)


def _open(source: Source) -> RunList:
    path = source.given or source.path

    def read() -> ConvertedRun:
        return ConvertedRun(source.name, read_files(source.folder, path.name).converted)

    try:
        return OneHeldRun(read)
    except (ValueError, FormatProblem):
        head = start_of(source.path, HEAD)  # another format, or broken: these readers say which
        is_rows = json_lines.are_lines(head, path.name)
        return (json_lines.FORMAT if is_rows else JSON_FORMAT).open(source)


FORMAT = Format("ATIF file", _may_be, _open)
