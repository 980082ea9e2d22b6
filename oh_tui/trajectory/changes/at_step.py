"""The files that a run had edited by a step, as they were after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from oh_tui.trajectory.changes.history import FileHistory, FileState
from oh_tui.trajectory.changes.order_in_time import START, Label, Moment
from oh_tui.trajectory.model.difference import count_lines

NOTE = "from editor and patch calls; what commands wrote is known only where a later edit found it"


class FileThen(NamedTuple):
    """A file that was edited before a step, as it was after it."""

    file: FileHistory
    state: FileState
    steps: tuple[Label, ...]
    """Those that edited it."""
    created: bool
    """It was not there before the run."""
    lines: tuple[int, int] | None
    """Added and removed since the run began; None where a text is not known."""

    @property
    def fate(self) -> str:
        """What is to be said of it beside its state, or ""."""
        if self.state.exists is False:
            return "not there then"
        if self.lines is None:
            return "its text is not known"
        return "new" if self.created else ""


def files_then(files: Iterable[FileHistory], moment: Moment) -> Iterator[FileThen]:
    """The files that were edited before a moment."""
    for file in files:
        edits = [edit for edit in file.edits if edit.ended <= moment]
        if not edits:
            continue
        before, state = file.at(START), file.at(moment)
        old, new = text_of(before), text_of(state)
        lines = None if old is None or new is None else count_lines(old, new)
        steps = tuple(edit.part.label(edit.step) for edit in edits)
        yield FileThen(file, state, steps, before.exists is False, lines)


def text_of(state: FileState) -> str | None:
    """The text of a state, "" where there was no file; None if it is not known."""
    return "" if state.exists is False else state.text()


def sums(found: Iterable[FileThen]) -> tuple[int, int]:
    """Lines added and removed, where they are known."""
    known = [one.lines for one in found if one.lines]
    return sum(added for added, _ in known), sum(removed for _, removed in known)
