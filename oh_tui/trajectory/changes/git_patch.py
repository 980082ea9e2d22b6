"""One patch of what a run did to files, for `git apply`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from oh_tui.text.redact import safe_line
from oh_tui.trajectory.changes.at_step import names
from oh_tui.trajectory.changes.history import FileHistory, Files, FileState
from oh_tui.trajectory.changes.touched_files import Label, Moment
from oh_tui.trajectory.model.difference import unified

_ESCAPED = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}
_MODE = "100644"
_EMPTY_BLOB = "e69de29"


class _Change(NamedTuple):
    """A file in the patch: as it was, and as it is then. `source` is the file that was moved."""

    name: str
    old: FileState
    new: FileState
    source: str = ""


def relative(path: str, root: str) -> str:
    """The path of a file below the working folder; "" for one that lies elsewhere."""
    below = root.rstrip("/") + "/"
    return path.removeprefix(below) if path.startswith(below) else ""


def patch_pieces(
    files: Files, since: Label | None = 0, until: Label | None = None
) -> Iterator[str]:
    """The patch from the state after one step to that after another, by default of the whole run:
    its head, then file by file. Texts are raw; at most those of one file are in memory.

    It applies in the working folder, with and without a last newline, to new, deleted and moved
    files. The head says what is not in it, and of which files it is not certain that they were so.
    Raises Problem for what is no step.
    """
    start, end = files.moment(since), files.moment(until)
    changes, left_out = _changes(files, start, end)
    doubtful = [
        f"{safe_line(change.name)}: {change.new.words}"
        for change in changes
        if not change.new.certain
    ]
    begin = f"step {since}" if since else "before the run"
    head = [
        f"what editor and patch calls changed, from {begin} to "
        + ("the end" if until is None else f"step {until}"),
        f"apply in {safe_line(files.root)} with: git apply FILE",
        "the editor reports LF for every line end: to files with CRLF, apply with "
        "git apply --ignore-whitespace FILE",
        *(f"not in it: {names(left_out[why])}: {why}" for why in left_out),
        *(f"not certain: {line}" for line in doubtful),
    ]
    yield "".join(f"# {line}\n" for line in head)
    for change in changes:
        yield _diff(change)


def _changes(
    files: Files, start: Moment, end: Moment
) -> tuple[list[_Change], dict[str, list[str]]]:
    """What goes into the patch, and by reason what does not."""
    found: list[_Change] = []
    left_out: dict[str, list[str]] = {}
    moved: set[str] = set()
    states = {file.path: (file.at(start), file.at(end)) for file in files.files}
    for file in files.files:
        old, new = states[file.path]
        is_same = not old.exists and new.exists is False
        if old.version is not None and new.version is not None:
            is_same = old.version.side[:2] == new.version.side[:2]
        edited = any(start < edit.ended <= end for edit in file.edits)
        if is_same or not (edited or (old.version and new.version)):
            continue
        name = relative(file.path, files.root)
        if why := _obstacle(name, old, new):
            left_out.setdefault(why, []).append(file.shown)
            continue
        source = ""
        if new.exists and not old.exists:
            source = _source(files, file, new, states)
            source = "" if source in moved else source
        if source:
            moved.add(source)
            found.append(_Change(name, states[source][0], new, relative(source, files.root)))
        else:
            found.append(_Change(name, old, new))
    gone = {relative(path, files.root) for path in moved}
    return [one for one in found if one.name not in gone or one.source], left_out


def _obstacle(name: str, old: FileState, new: FileState) -> str:
    """Why a file cannot be in the patch, or ""."""
    if not name:
        return "not in the working folder"
    if ".git" in name.lower().split("/"):
        return "git takes no patch of its own files"
    if new.exists and new.version is None:
        return "its text after the change is not known"
    if old.exists and old.version is None:
        return "its text before the change is not known"
    return ""


def _source(
    files: Files,
    file: FileHistory,
    new: FileState,
    states: dict[str, tuple[FileState, FileState]],
) -> str:
    """The path of the file that was moved here, through all its moves; "" for one that was made."""
    seen = {file.path}
    version = new.version
    while version is not None and version.kind != "create":
        path = version.path
        if version.kind == "move" and version.exists:
            path = version.edit.other
            if path in seen or path not in states:
                return ""
            seen.add(path)
            old, now = states[path]
            if old.version is not None and old.exists and now.exists is False:
                return path if relative(path, files.root) else ""
        history = files.get(path)
        before = (
            [one for one in history.versions if one.edit.ended < version.edit.ended]
            if (history)
            else []
        )
        version = before[-1] if before else None
    return ""


def _diff(change: _Change) -> str:
    old, new = change.old.text() or "", change.new.text() or ""
    source, target = change.source or change.name, change.name
    lines = [f"diff --git {_quoted('a/' + source)} {_quoted('b/' + target)}"]
    before, after = _named("a/" + source), _named("b/" + target)
    if change.source:
        lines += [f"rename from {_quoted(source)}", f"rename to {_quoted(target)}"]
    elif not change.old.exists:
        lines.append(f"new file mode {_MODE}")
        before = "/dev/null"
    elif not change.new.exists:
        lines.append(f"deleted file mode {_MODE}")
        after = "/dev/null"
    hunks = unified(old, new)
    if hunks:
        lines += [f"--- {before}", f"+++ {after}", hunks]
    elif not change.source:  # an empty file, made or deleted
        blobs = ("0000000", _EMPTY_BLOB)
        lines.append("index {}..{}".format(*(blobs if before == "/dev/null" else blobs[::-1])))
    return "\n".join(lines) + "\n"


def _named(name: str) -> str:
    """A name after `---` or `+++`, where a tab ends one with blanks."""
    quoted = _quoted(name)
    return quoted + "\t" if quoted == name and re.search(r"\s", name) else quoted


def _quoted(name: str) -> str:
    """A name as git writes it: in quotes if it is not plain ASCII, its bytes as octal numbers."""
    data = name.encode("utf-8", "surrogatepass")
    if all(32 <= byte < 127 and byte not in (34, 92) for byte in data):
        return name
    quoted = "".join(
        "\\" + _ESCAPED[byte]
        if byte in _ESCAPED
        else chr(byte)
        if 32 <= byte < 127
        else f"\\{byte:03o}"
        for byte in data
    )
    return f'"{quoted}"'
