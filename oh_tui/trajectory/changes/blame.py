"""Which step wrote each line of a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol, TypeAlias

from oh_tui.trajectory.changes.history import FileHistory, FileState, Stop, Stopped
from oh_tui.trajectory.changes.kept_lines import kept_lines, same_ends, split
from oh_tui.trajectory.changes.touched_files import Label
from oh_tui.trajectory.changes.versions import Edit, Version
from oh_tui.trajectory.model.alignment import Check

Origin: TypeAlias = Literal["edit", "before", "elsewhere"]


class BlamedLine(NamedTuple):
    """A line of a version, without its line end, and the version in which it first was."""

    text: str
    version: Version

    @property
    def origin(self) -> Origin:
        """`edit`; `before` the first edit; `elsewhere` if an edit found it, and none wrote it."""
        kind = self.version.kind
        return kind if kind == "before" or kind == "elsewhere" else "edit"

    @property
    def step(self) -> Label | None:
        """The step that wrote it; None for another origin."""
        return None if self.version.is_found else self.version.label


class Histories(Protocol):
    """The files of a run by their keys: `Files`, or a dict of them."""

    def get(self, path: str, /) -> FileHistory | None: ...


class Blame(NamedTuple):
    state: FileState
    lines: Sequence[BlamedLine]
    """Empty if the file was not there or its text is not known."""


def blame(
    files: Histories, file: FileHistory, state: FileState, stop: Stop = lambda: False
) -> Blame:
    """The lines of a file in a state of it, each with its origin. A line that an edit keeps keeps
    its step; which of two equal lines is the one that was kept is free. Takes time for each edit
    before the state, mostly to read its event. `stop` is asked now and then; raises Stopped if it
    says so."""

    def check() -> None:
        if stop():
            raise Stopped

    if state.version is None or not state.version.side.digest:
        return Blame(state, ())
    text, owners = "", list[Version]()
    for version in reversed(_line_of_descent(files, file, state.version)):
        check()
        if not version.exists:
            text, owners = "", []
        elif (told := version.text()) is not None:
            text, owners = _carried(text, same_ends(told), owners, version, check)
    lines = split(text)
    return Blame(state, [BlamedLine(*one) for one in zip(lines, owners, strict=True)])


def _line_of_descent(files: Histories, file: FileHistory, version: Version) -> list[Version]:
    """The version and those before it, back to the file's making, through moves and copies."""
    found: list[Version] = []
    place = file.versions.index(version)
    while place >= 0:
        one = file.versions[place]
        if one.kind == "move" and one.exists and (source := files.get(one.edit.other)):
            found.append(one)
            away = next(edit for edit in source.edits if edit.step is one.edit.step)
            file, place = source, _made_by(source, away) - 1
            continue
        found.append(one)
        if one.twin and (source := files.get(one.twin.path)):
            file, place = source, _made_by(source, one.twin)
            continue
        if one.kind == "create":
            break
        place -= 1
    return found


def _made_by(file: FileHistory, edit: Edit) -> int:
    made = (n for n, one in enumerate(file.versions) if one.edit is edit and not one.is_found)
    return next(made, -1)


def _carried(
    old: str, new: str, owners: list[Version], version: Version, check: Check
) -> tuple[str, list[Version]]:
    """The new text with the owners of its lines; new lines have the version."""
    kept = kept_lines(old, new, check)
    inner = [version] * kept.now
    for i, j in kept.pairs:
        inner[j] = owners[kept.head + i]
    return new, [*owners[: kept.head], *inner, *owners[kept.head + kept.was :]]
