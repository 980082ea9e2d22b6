"""The table of file formats, and the search for files that have one.

To add a file format, add it to `formats`; a format for a run as one JSON text goes into
`documents.DOCUMENTS`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from oh_tui.text.problem import Problem
from oh_tui.trajectory.formats import (
    atif_file,
    converted_run,
    harbor,
    parquet,
    results_tar,
    unpack,
    unsupported_formats,
)
from oh_tui.trajectory.formats.copies import source_of
from oh_tui.trajectory.formats.endings import ending_of, output_of
from oh_tui.trajectory.formats.lines import json_lines
from oh_tui.trajectory.formats.run_file import (
    HEAD,
    HINT,
    Format,
    FormatProblem,
    Indexes,
    OneRun,
    RunList,
    Source,
    Unforeseen,
    opening,
    short_name,
)
from oh_tui.trajectory.formats.zip import archive, folder_members
from oh_tui.trajectory.formats.zip.zip_layout import SUB_AGENTS

NAMES = 1000
"""Names in a folder by which formats recognise it."""

DEEPEST, MOST_FOLDERS = 4, 2_000
"""Levels of folders, and number of folders, that are searched for files."""


_OF_MANY = ("rows", "tar", "parquet")
"""Kinds of files with many runs, of which the folders beside them have parts, copies and logs."""


def formats() -> Iterator[Format]:
    """The first format that recognises a file opens it. Later ones are not even loaded: a zip opens
    20 ms sooner."""
    yield ZIP
    yield archive.FOLDER
    yield harbor.FORMAT
    yield atif_file.FORMAT
    yield results_tar.FORMAT
    yield parquet.FORMAT
    yield unsupported_formats.FORMAT
    yield json_lines.FORMAT
    yield atif_file.JSON_FORMAT


def _open_zip(source: Source) -> RunList:
    """The run in a zip, or the runs in one with several, which is read as a tar is."""
    one = problem = None
    try:
        one = archive.open_archive(source.path, source.name)
        if not one.may_hold_more:
            return OneRun(one)
    except archive.NoTrajectory as error:
        problem = error
    runs = results_tar.ResultsTar(source_of(source.path, source.name, zipped=True, given=True))
    if one and not runs.holds(2):
        runs.close()
        return OneRun(one)
    if one:
        one.close()
    if problem and not runs.holds(1):
        raise problem
    return runs


ZIP = Format("zip", archive.is_zip, _open_zip)


def open_runs(path: Path, indexes: Indexes | None = None) -> RunList:
    """The runs in a file or folder, recognised by content. Raises Problem."""
    name = short_name(path.name or path.absolute().name or str(path))
    with opening(name):
        head, kind = head_of(path)
        if known := _format_of(head, kind):
            return known.open(source_of(path, name, given=True, indexes=indexes))
        if not head and path.is_file() and unpack.is_archive(path):
            raise FormatProblem(f"{name} is empty: nothing is packed in it", HINT)
    if head and not kind.lower().endswith((".zip", "/")):
        raise FormatProblem(f"{name} is not in a format that oh-tui reads", HINT)
    return OneRun(archive.open_archive(path, name))  # reports what is wrong with it


def is_archive_of_runs(path: Path) -> bool:
    """Whether opening a file unpacks it. False for one whose opening fails before."""
    try:
        return unpack.is_archive(path) and _format_of(*head_of(path)) is not None
    except (OSError, Problem):
        return False


def _format_of(head: bytes, kind: str) -> Format | None:
    return next((one for one in formats() if one.recognises(head, kind)), None)


def head_of(path: Path) -> tuple[bytes, str]:
    """What `Format.recognises` gets: the first bytes of a file or the names in a folder, and the
    name. Raises OSError, and Problem if it cannot be unpacked."""
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        names = [*_names(path, ""), *_names(path / "events", "events/")]
        return "\n".join(names).encode("utf-8", "replace"), f"{path.name}/"
    if not stat.S_ISREG(mode):
        return b"", path.name  # opening a pipe would block
    return unpack.head_of(path, HEAD), path.name


def find_files(paths: Iterable[str | Path]) -> list[Path]:
    """The files and folders with runs at these paths. A folder that is no run itself is replaced by
    those in it and in its folders, sorted by name. Other paths are returned unchanged; opening them
    reports what is wrong."""
    found: list[Path] = []
    for path in map(Path, paths):
        found += ([] if _is_run(path) else _files_in(path)) or [path]
    return list(dict.fromkeys(found))


def _is_run(path: Path) -> bool:
    # keeps imports few
    return folder_members.is_run(path) or (path.is_dir() and harbor.holds_runs(path))


def _files_in(folder: Path) -> list[Path]:
    level, found = [folder], list[Path]()
    for _ in range(DEEPEST):
        below: list[Path] = []
        for one in level:
            try:
                held, folders = _held_by(one)
            except OSError:
                held, folders = [one], []  # opening it reports why
            found += held
            if not any(ending_of(file.name).kind in _OF_MANY for file in held):
                below += folders
        level = below[:MOST_FOLDERS]
    return found


def _held_by(folder: Path) -> tuple[list[Path], list[Path]]:
    """Runs and files of runs in a folder, then its other folders. Raises OSError."""
    children = sorted(folder.iterdir())
    found: list[Path] = []
    folders: list[Path] = []
    parts: dict[str, Sequence[str]] = {}
    names = {child.name for child in children}
    for child in children:
        if _is_run(child):
            found.append(child)
        elif ending_of(child.name).kind and child.is_file():
            if output_of(child.name) in names:
                continue
            if (parts_of_run := _parts_of_run(child)) is not None:
                found.append(child)
                parts[child.name] = parts_of_run
        elif child.is_dir() and not child.is_symlink() and not child.name.startswith("."):
            folders += [child] if child.name != SUB_AGENTS else []
    belonging = _belonging(parts)
    return [one for one in found if one.name not in belonging], folders


def _belonging(parts: Mapping[str, Sequence[str]]) -> set[str]:
    """Files that are parts of another file. In a cycle, all but the first."""
    named = {part for one in parts.values() for part in one}
    found: set[str] = set()
    for name in sorted(parts, key=named.__contains__):  # start with those that no file names
        if name not in found:
            found.update(parts[name])
    return found


def _parts_of_run(path: Path) -> Sequence[str] | None:
    """Names of the files beside it that are read with a file. None if the file is listed only when
    named itself: folders have settings and reports in the same formats. A zip or tar is always
    listed, a JSON lines file if its first row is a run."""
    if path.suffix.lower() == ".zip":
        return ()
    try:
        found = _format_of(*head_of(path))
    except OSError:
        return None
    except Exception:
        return ()  # cannot be unpacked: opening it reports that
    if found is None:
        return None
    if found in (results_tar.FORMAT, unsupported_formats.FORMAT):
        return ()  # opening it reports what it is
    if found is parquet.FORMAT and not parquet.is_installed():
        return ()  # opening it reports that
    try:
        runs = open_runs(path)
        try:
            with opening(short_name(path.name)):
                first = next(iter(runs.entries()), None)
                if first is None:
                    return None
                first.open()
                return runs.parts if isinstance(runs, converted_run.OneHeldRun) else ()
        finally:
            runs.close()
    except Unforeseen:
        return ()  # opening it reports that
    except Problem:
        return None


def _names(folder: Path, before: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            yield from [before + entry.name for entry in islice(entries, NAMES)]
    except (OSError, ValueError):
        return
