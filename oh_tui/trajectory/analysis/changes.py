"""What a run changed: the files its editor and patch calls touched, and by how much."""

from __future__ import annotations

import posixpath
import re
import time
from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

from oh_tui.text.clean import safe_line
from oh_tui.text.human import plural
from oh_tui.trajectory.analysis.edits import Touch, may_touch, touches
from oh_tui.trajectory.content.difference import count_changes, count_lines, unified
from oh_tui.trajectory.content.tools import change
from oh_tui.trajectory.model.bodies import content_text, field, text_field
from oh_tui.trajectory.model.steps import Outcome, Step, Trajectory
from oh_tui.trajectory.model.tool_use import shorten

NOTE = "from editor and patch calls: what commands changed is not in it"
"""What a list of changed files must say of itself."""

ROOT = "/workspace/project"
"""Where a sandbox keeps its work, when the run does not tell."""

LONGEST = 4096
"""Characters; no file has a longer path."""

_FOLDER = "Here's the files and directories"
"""How the editor's answer begins to a view of a folder, which is no file."""


class FileChange:
    """What a run did to one file.

    `path` tells it from others, `shown` is for people: clean, redacted, without the folder that
    sandboxes keep their work in. `added` and `removed` count lines between the first text known
    and the last (`whole`), else they are the sum of all edits.
    """

    __slots__ = ("added", "created", "deleted", "edits", "path", "reads", "removed", "same",
                 "shown", "summed", "whole")  # fmt: skip

    def __init__(self, path: str) -> None:
        self.path = path
        self.shown = safe_line(shorten(path))[:400] or "(no name)"
        self.reads: list[Step] = []
        self.edits: list[Step] = []
        """The steps that changed it, in the order of the run."""
        self.added = self.removed = 0
        self.created = self.deleted = False
        """It was not there before the run; it is not there after it."""
        self.whole = False
        """Its text before the first edit and after the last one is known."""
        self.same = False
        """What was done to it was undone again: it is as it was."""
        self.summed = 0
        """How many edits are in the sum, while `whole` is False."""

    @property
    def steps(self) -> list[int]:
        return [step.number for step in self.edits]

    @property
    def last_step(self) -> int:
        """The number of the step that changed it last, or read it when none did."""
        return (self.edits or self.reads)[-1].number

    @property
    def fate(self) -> str:
        """What a reader must know beside the numbers; "" for an edited file."""
        if self.created and self.deleted:
            return "made and deleted"
        if self.same:
            return "as it was before"
        return "new" if self.created else "deleted" if self.deleted else ""


class ChangeLog:
    """The files of a run, kept up as it grows. It holds steps, no texts: those are read again.

    `update` takes in what came since the last time; a trajectory that was replaced needs a new
    log. `changed`, `added` and `removed` are the totals of `files`.
    """

    def __init__(self, trajectory: Trajectory) -> None:
        self.trajectory = trajectory
        self._clear()

    def _clear(self) -> None:
        self._files: dict[str, FileChange] = {}
        self._read = 0
        """How many steps were looked at; `_last` is the last of them."""
        self._last: Step | None = None
        self._seen = 0
        """How many events there were then: later ones may be results of those steps."""
        self._reported: dict[int, list[FileChange]] = {}
        """Number of a call of another agent -> the files it is entered in. A later report may tell
        something else of it."""
        self._uncounted: dict[str, FileChange] = {}
        self._is_told = True
        """The totals are those of the files."""
        self._folders: set[str] = set()
        self._root = ""
        self.files: list[FileChange] = []
        """Those that were changed, by path."""
        self.only_read: list[FileChange] = []
        self.changed = self.added = self.removed = 0

    # taking in

    def update(self, budget: float | None = None) -> bool:
        """Take in new steps and results. Decodes the calls that name a file, and for each file
        that changed the two results with its first and its last text. With a `budget` it stops
        after so many seconds; False means that there is more to do."""
        end = None if budget is None else time.monotonic() + budget
        steps = self.trajectory.steps
        if self._read and (len(steps) < self._read or steps[self._read - 1] is not self._last):
            self._clear()  # steps were numbered anew
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
        if not self._is_told:
            self._total()
        return True

    @property
    def progress(self) -> tuple[int, int]:
        """How many steps were looked at, of how many."""
        return self._read, len(self.trajectory.steps)

    def _take_results(self) -> None:
        """Take in what came since for steps that were looked at before."""
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
        """Undo `_take`."""
        for file in self._reported.pop(step.number, ()):
            for known in (file.reads, file.edits):
                at = bisect_left(known, step.number, key=lambda step: step.number)
                if at < len(known) and known[at] is step:
                    del known[at]
            file.summed = 0
            self._is_told = False
            if file.reads or file.edits:
                self._uncounted[file.path] = file
            else:
                del self._files[file.path]
                self._uncounted.pop(file.path, None)

    def _take(self, step: Step) -> None:
        if self.trajectory.outcome(step) is not Outcome.OK:
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
            at = bisect_left(known, step.number, key=lambda step: step.number)
            if at < len(known) and known[at] is step:
                continue  # a patch may name a file twice
            known.insert(at, step)
            if at < file.summed:
                file.summed = 0
            self._uncounted[path] = file
            self._is_told = False
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
        self._is_told = True

    def _touch(self, step: Step, path: str) -> Touch:
        """What a step did to a file, with its text."""
        found = [t for t in touches(step, contents=True) if self.key(t.path) == path]
        if not found:  # what held its text is gone since
            return Touch(path, "edit")
        hunk = "\n".join(filter(None, (touch.hunk for touch in found)))
        return found[-1]._replace(old=found[0].old, hunk=hunk)

    # paths

    def key(self, path: str) -> str:
        """One path for all spellings of it; a relative one is meant from where the agent works."""
        path = path[:LONGEST].replace("\0", "")
        if not path.startswith("/") and not re.match(r"[A-Za-z]:[\\/]", path):
            path = f"{self._work_folder()}/{path}"
        return re.sub("^/+", "/", posixpath.normpath(path))

    def _work_folder(self) -> str:
        """From the state that the server tells, else from the first command; a process sandbox
        only calls it "." (measured)."""
        if not self._root:
            self._root = next(filter(None, self._told_folders()), ROOT).rstrip("/")
        return self._root

    def _told_folders(self) -> Iterable[str]:
        events = self.trajectory.events
        state = next((event for event in events if event.key == "full_state"), None)
        if state:
            folder = text_field(state.body(), "value", "workspace", "working_dir")
            yield folder if folder.startswith("/") else ""
        seen = next((event for event in events if event.part == "TerminalObservation"), None)
        if seen:
            yield text_field(field(seen.body(), "observation"), "metadata", "working_dir")

    # telling

    @property
    def headline(self) -> str:
        """changed 5 files +142 -97; "" when nothing was changed."""
        return f"changed {self.size}" if self.changed else ""

    @property
    def size(self) -> str:
        """5 files +142 -97; without lines where no call tells them."""
        lines = change(self.added, self.removed) if self.added or self.removed else ""
        return f"{plural(self.changed, 'file')} {lines}".rstrip()

    @property
    def why_nothing(self) -> str:
        """Why nothing was changed, "" when something was."""
        if self.changed:
            return ""
        if self.files:
            return "what the editor changed was undone again; commands may have changed more"
        return "this run edited no file through the editor; commands may have"

    @property
    def note(self) -> str:
        """Where the list comes from and what it lacks."""
        if self.trajectory.complete:
            return NOTE
        return f"{NOTE}; older events are not read"

    def whole_change(self, path: str) -> tuple[str, str] | None:
        """A file before its first edit and after its last, "" where it did not exist; None when
        the events hold only pieces (`hunks`). Reads two results."""
        file = self._files.get(path)
        if file is None or not file.edits:
            return None
        old = self._touch(file.edits[0], path).old
        new = self._touch(file.edits[-1], path).new
        return None if old is None or new is None else (old, new)

    def hunks(self, path: str, most: int) -> list[tuple[int, str]]:
        """The last `most` edits of a file, each as its step and the lines of its diff, "" where
        they are not known."""
        file = self._files.get(path)
        told: list[tuple[int, str]] = []
        for step in file.edits[-most:] if file else ():
            touch = self._touch(step, path)
            diff = touch.hunk
            if touch.old is not None and touch.new is not None:
                diff = unified(touch.old, touch.new)
            told.append((step.number, diff))
        return told


def changes(trajectory: Trajectory) -> ChangeLog:
    """What a whole run changed."""
    log = ChangeLog(trajectory)
    log.update()
    return log


class Row(NamedTuple):
    """A file as the run and git tell of it: `file` is None for what only git knows, `git` is "" for
    what git does not list."""

    path: str
    file: FileChange | None
    git: str

    def remark(self, asked_git: bool) -> str:
        if self.file is None:
            return "changed outside the editor"
        parts = [self.file.fate]
        if self.file.edits and not self.file.whole and not self.file.deleted:
            parts.append("pieces")
        if asked_git and not self.git and self.file.edits and not self.file.same:
            parts.append("not in git")
        return ", ".join(filter(None, parts))


def rows(log: ChangeLog, git: Iterable[tuple[str, str]] | None) -> list[Row]:
    """The changed files by path, with what git says: pairs of a letter (M A D R) and a path."""
    told = {log.key(path): letter for letter, path in git or ()}
    found = [Row(file.shown, file, told.pop(file.path, "")) for file in log.files]
    if not told:
        return found
    read = {file.path: file for file in log.only_read}
    found += [
        Row((read.get(path) or FileChange(path)).shown, None, letter)
        for path, letter in told.items()
    ]
    return sorted(found, key=lambda row: row.path)


def _size(touch: Touch) -> tuple[int, int]:
    if touch.old is not None and touch.new is not None:
        return count_lines(touch.old, touch.new)
    return count_changes(touch.hunk)


def _shows_folder(step: Step) -> bool:
    result = step.result if step.is_call else step.event
    return result is not None and content_text(result.body()).startswith(_FOLDER)
