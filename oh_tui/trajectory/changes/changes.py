"""The files that a run changed with editor and patch calls, and by how many lines."""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING

from oh_tui.text.human import plural
from oh_tui.trajectory.changes import churn
from oh_tui.trajectory.changes import patch as patches
from oh_tui.trajectory.changes.touched_files import TouchedFile, TouchedFiles, shown_path
from oh_tui.trajectory.model.difference import change, count_changes, count_lines, unified
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.file_operations import Touch, touches

if TYPE_CHECKING:
    from oh_tui.trajectory.changes.churn import Churn

NOTE = "from editor and patch calls: changes made by shell commands are not included"
"""The note below every list of changed files."""


class FileChange:
    """What a run did to one file. `path` is its key; `shown` is clean, redacted and without the
    working folder. `added` and `removed` count lines between the first and the last text (`whole`),
    or are the sum of all edits."""

    __slots__ = ("added", "created", "deleted", "edits", "path", "reads", "removed", "same",
                 "shown", "summed", "whole")  # fmt: skip

    def __init__(self, file: TouchedFile) -> None:
        self.path = file.path
        self.shown = shown_path(file.path)
        self.reads, self.edits = file.reads, file.edits
        """The steps that read and that changed the file, in order."""
        self.added = self.removed = 0
        self.created = self.deleted = False
        """The file did not exist before the run, or after it."""
        self.whole = False
        """The texts before the first edit and after the last one are known."""
        self.same = False
        """All changes were undone."""
        self.summed = 0
        """How many edits are summed up, if `whole` is False."""

    @property
    def steps(self) -> list[int]:
        return [step.number for step in self.edits]

    @property
    def last_step(self) -> int:
        """The number of the last step that changed the file, or read it."""
        return (self.edits or self.reads)[-1].number

    @property
    def fate(self) -> str:
        """Such as "new" or "deleted"; "" for an edited file."""
        if self.created and self.deleted:
            return "made and deleted"
        if self.same:
            return "as it was before"
        return "new" if self.created else "deleted" if self.deleted else ""


class ChangeLog:
    """The files of a growing run; call `update` after each `extend`. Holds steps; texts are read
    again. `changed`, `added` and `removed` are the totals of `files`."""

    def __init__(self, trajectory: Trajectory, after: int = 0) -> None:
        """Only the steps after one with this number count."""
        self.trajectory = trajectory
        self.touched = TouchedFiles(trajectory, after)
        self.key = self.touched.key
        self._files: dict[str, FileChange] = {}
        self._is_totalled = True
        """The totals are up to date."""
        self.files: list[FileChange] = []
        """The changed files, by path."""
        self.only_read: list[FileChange] = []
        self.changed = self.added = self.removed = 0

    def update(self, budget: float | None = None) -> bool:
        """Reads new steps and results. Decodes calls that name a file, and of each changed file the
        results with its first and last text. Stops after `budget` seconds; False means that there
        is more to read."""
        end = None if budget is None else time.monotonic() + budget
        with self.touched.taken(end) as has:
            return has and self._update(end)

    def _update(self, end: float | None) -> bool:
        if not self.touched.update(end):
            return False
        if self.touched.renumbered:
            self.touched.renumbered = self._is_totalled = False
            self._files.clear()
        while self.touched.changed:
            if end is not None and time.monotonic() > end:
                return False
            path, since = self.touched.changed.popitem()
            self._is_totalled = False
            if touched := self.touched.files.get(path):
                self._take(touched, since)
            else:
                self._files.pop(path, None)
        if not self._is_totalled:
            self._total()
        return True

    @property
    def progress(self) -> tuple[int, int]:
        return self.touched.progress

    def _take(self, touched: TouchedFile, since: int) -> None:
        file = self._files.get(touched.path)
        if file is None or file.edits is not touched.edits:
            file = self._files[touched.path] = FileChange(touched)
        if since < file.summed:
            file.summed = 0
        self._count(file)

    def _count(self, file: FileChange) -> None:
        if not file.edits:
            file.added = file.removed = 0
            file.created = file.deleted = file.whole = file.same = False
            return
        first = self._touch(file.edits[0], file.path)
        last = self._touch(file.edits[-1], file.path) if len(file.edits) > 1 else first
        file.created = first.verb == "create"
        file.deleted = last.verb == "delete"
        old, new = first.old, last.new
        file.whole = old is not None and new is not None
        if old is not None and new is not None:
            file.same = old == new and file.created == file.deleted
            file.added, file.removed = count_lines(old, new)
            return
        file.same = False
        if not file.summed:
            file.added = file.removed = 0
        for step in file.edits[file.summed :]:
            added, removed = _size(self._touch(step, file.path))
            file.added += added
            file.removed += removed
        file.summed = len(file.edits)

    def _total(self) -> None:
        ordered = sorted(self._files.values(), key=lambda file: file.shown)
        self.files = [file for file in ordered if file.edits]
        self.only_read = [file for file in ordered if not file.edits]
        self.changed = sum(not file.same for file in self.files)
        self.added = sum(file.added for file in self.files)
        self.removed = sum(file.removed for file in self.files)
        self._is_totalled = True

    def _touch(self, step: Step, path: str) -> Touch:
        found = [t for t in touches(step, contents=True) if self.key(t.path) == path]
        if not found:  # the source of the events is gone
            return Touch(path, "edit")
        hunk = "\n".join(filter(None, (touch.hunk for touch in found)))
        return found[-1]._replace(old=found[0].old, hunk=hunk)

    @property
    def headline(self) -> str:
        """Such as "changed 5 files +142 -97"; "" without changes."""
        return f"changed {self.size}" if self.changed else ""

    @property
    def size(self) -> str:
        """Such as "5 files +142 -97"; without lines if they are unknown."""
        return size_words(self.changed, self.added, self.removed) or plural(0, "file")

    @cached_property
    def churn(self) -> Churn:
        """How many of the lines that it wrote are gone; read when asked for."""
        return churn.Churn(self.touched)

    @cached_property
    def patch(self) -> list[patches.PatchedFile]:
        """The files of the patch that the run handed in, by what its source records."""
        return patches.read_patch(self.trajectory.recorded.patch)

    @property
    def patch_size(self) -> str:
        """As `size`, of the patch; "" without one."""
        added, removed = (sum(getattr(f, n) for f in self.patch) for n in ("added", "removed"))
        return size_words(len(self.patch), added, removed)

    @property
    def why_nothing(self) -> str:
        """Why nothing was changed; "" if something was."""
        if self.changed:
            return ""
        if self.files:
            return "what the editor changed was undone again; commands may have changed more"
        if not self.trajectory.steps:
            return "no steps are known, so neither is what they changed"
        return "this run edited no file through the editor; commands may have"

    @property
    def note(self) -> str:
        """The source of the list and what it lacks."""
        return NOTE if self.trajectory.complete else f"{NOTE}; older events are not read"

    def whole_change(self, path: str) -> tuple[str, str] | None:
        """Its text before the first and after the last edit, "" for no file; None if not known."""
        file = self._files.get(path)
        if file is None or not file.edits:
            return None
        old = self._touch(file.edits[0], path).old
        new = self._touch(file.edits[-1], path).new
        return None if old is None or new is None else (old, new)

    def hunks(self, path: str, most: int) -> list[tuple[int, str]]:
        """Step numbers and diffs of the last `most` edits of a file; a diff is "" if unknown."""
        file = self._files.get(path)
        found: list[tuple[int, str]] = []
        for step in file.edits[-most:] if file else ():
            touch = self._touch(step, path)
            diff = touch.hunk
            if touch.old is not None and touch.new is not None:
                diff = unified(touch.old, touch.new)
            found.append((step.number, diff))
        return found


def size_words(files: int, added: int, removed: int) -> str:
    """Such as "5 files +142 -97"; without lines if they are unknown, "" without a file."""
    lines = change(added, removed) if added or removed else ""
    return f"{plural(files, 'file')} {lines}".rstrip() if files else ""


def changes(trajectory: Trajectory, after: int = 0) -> ChangeLog:
    log = ChangeLog(trajectory, after)
    log.update()
    return log


def _size(touch: Touch) -> tuple[int, int]:
    if touch.old is not None and touch.new is not None:
        return count_lines(touch.old, touch.new)
    return count_changes(touch.hunk)
