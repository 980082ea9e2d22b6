"""The files that a run changed with editor and patch calls, and by how many lines."""

from __future__ import annotations

import posixpath
import re
import time
from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property

from oh_tui.text.human import plural
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.analysis import patch as patches
from oh_tui.trajectory.analysis.edits import Touch, may_touch, touches
from oh_tui.trajectory.model.bodies import content_text, text_field
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.tool_use import shorten
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.difference import count_changes, count_lines, unified
from oh_tui.trajectory.presentation.tools import change

NOTE = "from editor and patch calls: changes made by shell commands are not included"
"""The note below every list of changed files."""

ROOT = "/workspace/project"
"""The working folder of sandboxes, if the run does not name it."""

LONGEST = 4096
"""Longest path in characters."""

_FOLDER = "Here's the files and directories"
"""The start of the editor's answer to a view of a folder."""


class FileChange:
    """What a run did to one file.

    `path` is its key; `shown` is clean, redacted and without the working folder. `added` and
    `removed` count lines between the first and the last text (`whole`), or are the sum of all
    edits.
    """

    __slots__ = ("added", "created", "deleted", "edits", "path", "reads", "removed", "same",
                 "shown", "summed", "whole")  # fmt: skip

    def __init__(self, path: str) -> None:
        self.path = path
        self.shown = safe_line(shorten(path))[:400] or "(no name)"
        self.reads: list[Step] = []
        self.edits: list[Step] = []
        """The steps that changed the file, in order."""
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
    again. `changed`, `added` and `removed` are the totals of `files`.
    """

    def __init__(self, trajectory: Trajectory) -> None:
        self.trajectory = trajectory
        self._clear()

    def _clear(self) -> None:
        self._files: dict[str, FileChange] = {}
        self._read = 0
        """How many steps were read; `_last` is the last of them."""
        self._last: Step | None = None
        self._seen = 0
        """How many events there were then; later ones may be results of read steps."""
        self._reported: dict[int, list[FileChange]] = {}
        """Number of an ACP call -> its files, which a later report may change."""
        self._uncounted: dict[str, FileChange] = {}
        self._is_totalled = True
        """The totals are up to date."""
        self._folders: set[str] = set()
        self._root = ""
        self.files: list[FileChange] = []
        """The changed files, by path."""
        self.only_read: list[FileChange] = []
        self.changed = self.added = self.removed = 0

    def update(self, budget: float | None = None) -> bool:
        """Reads new steps and results. Decodes calls that name a file, and of each changed file the
        results with its first and last text. Stops after `budget` seconds; False means that there
        is more to read."""
        end = None if budget is None else time.monotonic() + budget
        steps = self.trajectory.steps
        if self._read and (len(steps) < self._read or steps[self._read - 1] is not self._last):
            self._clear()  # steps were renumbered
        self._take_results()
        while self._read < len(steps):
            if end is not None and time.monotonic() > end:
                return False
            self._last = steps[self._read]
            self._read += 1
            if may_touch(self._last.event):
                self._take(self._last)
        while self._uncounted:
            if end is not None and time.monotonic() > end:
                return False
            _, file = self._uncounted.popitem()
            self._count(file)
        if not self._is_totalled:
            self._total()
        return True

    @property
    def progress(self) -> tuple[int, int]:
        """How many steps were read, of how many."""
        return self._read, len(self.trajectory.steps)

    def _take_results(self) -> None:
        """Reads new results of steps that were read before."""
        events = self.trajectory.events
        for event in events[self._seen if self._read else len(events) :]:
            step = self.trajectory.step_of(event.id)
            if step is None or step.event is event or step.number > self._read:
                continue
            if step.result is event and may_touch(step.event):
                self._take_out(step)
                self._take(step)
        self._seen = len(events)

    def _take_out(self, step: Step) -> None:
        """Undoes `_take`."""
        for file in self._reported.pop(step.number, ()):
            for known in (file.reads, file.edits):
                index = bisect_left(known, step.number, key=lambda step: step.number)
                if index < len(known) and known[index] is step:
                    del known[index]
            file.summed = 0
            self._is_totalled = False
            if file.reads or file.edits:
                self._uncounted[file.path] = file
            else:
                del self._files[file.path]
                self._uncounted.pop(file.path, None)

    def _take(self, step: Step) -> None:
        if self.trajectory.outcome(step) not in (Outcome.OK, Outcome.WITH_RESULT):
            return
        for touch in touches(step):
            path = self.key(touch.path)
            if path in self._folders:
                continue
            file = self._files.get(path)
            if file is None:
                if touch.verb == "read" and _shows_folder(step):
                    self._folders.add(path)
                    continue
                file = self._files[path] = FileChange(path)
            known = file.reads if touch.verb == "read" else file.edits
            index = bisect_left(known, step.number, key=lambda step: step.number)
            if index < len(known) and known[index] is step:
                continue  # a patch may name a file twice
            known.insert(index, step)
            if index < file.summed:
                file.summed = 0
            self._uncounted[path] = file
            self._is_totalled = False
            if step.event.kind == "ACPToolCallEvent":
                self._reported.setdefault(step.number, []).append(file)

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
        """What a step did to a file, with texts."""
        found = [t for t in touches(step, contents=True) if self.key(t.path) == path]
        if not found:  # the source of the events is gone
            return Touch(path, "edit")
        hunk = "\n".join(filter(None, (touch.hunk for touch in found)))
        return found[-1]._replace(old=found[0].old, hunk=hunk)

    def key(self, path: str) -> str:
        """A normalised path; relative paths start at the working folder."""
        path = path[:LONGEST].replace("\0", "")
        if not path.startswith("/") and not re.match(r"[A-Za-z]:[\\/]", path):
            path = f"{self._work_folder()}/{path}"
        return re.sub("^/+", "/", posixpath.normpath(path))

    def _work_folder(self) -> str:
        """The folder in the state of the server, else of the first command. A process sandbox only
        has "." in its state (measured)."""
        if not self._root:
            self._root = next(filter(None, self._known_folders()), ROOT).rstrip("/")
        return self._root

    def _known_folders(self) -> Iterator[str]:
        events = self.trajectory.events
        if state := next((event for event in events if event.key == "full_state"), None):
            folder = text_field(state.body(), "value", "workspace", "working_dir")
            yield folder if folder.startswith("/") else ""
        if seen := next((event for event in events if event.part == "TerminalObservation"), None):
            yield text_field(seen.body(), "observation", "metadata", "working_dir")

    @property
    def headline(self) -> str:
        """Such as "changed 5 files +142 -97"; "" without changes."""
        return f"changed {self.size}" if self.changed else ""

    @property
    def size(self) -> str:
        """Such as "5 files +142 -97"; without lines if they are unknown."""
        return size_words(self.changed, self.added, self.removed) or plural(0, "file")

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
        return "this run edited no file through the editor; commands may have"

    @property
    def note(self) -> str:
        """The source of the list and what it lacks."""
        return NOTE if self.trajectory.complete else f"{NOTE}; older events are not read"

    def whole_change(self, path: str) -> tuple[str, str] | None:
        """The text of a file before its first and after its last edit, "" if it did not exist; None
        if the events have only `hunks`. Reads two results."""
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


def changes(trajectory: Trajectory) -> ChangeLog:
    """The files that a whole run changed."""
    log = ChangeLog(trajectory)
    log.update()
    return log


def _size(touch: Touch) -> tuple[int, int]:
    if touch.old is not None and touch.new is not None:
        return count_lines(touch.old, touch.new)
    return count_changes(touch.hunk)


def _shows_folder(step: Step) -> bool:
    result = step.result if step.is_call else step.event
    return result is not None and content_text(result.body()).startswith(_FOLDER)
