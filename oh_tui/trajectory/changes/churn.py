"""Churn: how many of the lines that a run wrote it took out or rewrote later."""

from __future__ import annotations

import time
from typing import NamedTuple

from oh_tui.text.human import plural
from oh_tui.trajectory.changes.kept_lines import digest_of, kept_lines, same_ends, split
from oh_tui.trajectory.changes.touched_files import TouchedFiles
from oh_tui.trajectory.model.difference import count_changes
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.reading.file_operations import Touch, touches

OFTEN = 3
"""Lines that are rewritten so often were not right before."""

_BEFORE, _WRITTEN = b"\0", b"\1"
"""The mark of a line that no edit wrote, and of one put in; 1 more for each that replaces it."""

_REWRITTEN = bytes(min(max(mark, 1) + 1, 255) for mark in range(256))
"""Mark of a line -> that of one which an edit puts in its place."""


class Lines(NamedTuple):
    """Lines that edits wrote, and how many of them a later edit took out or did not find again."""

    written: int
    gone: int

    @property
    def words(self) -> str:
        """Such as "5 of 20 lines written are gone"."""
        are = "is" if self.gone == 1 else "are"
        return f"{self.gone:,} of {plural(self.written, 'line')} written {are} gone"


class EditSize(NamedTuple):
    path: str
    """Its key."""
    changed: int
    """Lines put in and taken out."""
    again: int = 0
    """Lines that were rewritten at least `OFTEN` times."""
    times: int = 0
    """How often, at most."""


class _File:
    """What is known of the lines of a file after an edit. Holds no text."""

    def __init__(self) -> None:
        self.written = self.gone = 0
        self.is_known = True
        self.marks = b""
        """One of each line."""
        self.digest = b""
        """Of the text that the last edit left; b"" before the first one."""
        self.last: tuple[Step, int] | None = None
        """That edit: its step, and which of the touches of it."""

    def find(self, text: str) -> None:
        """An edit begins with this text: other lines than the last edit left are not its own."""
        found = digest_of(text)
        if not self.digest:
            self.marks = _BEFORE * len(split(text))
        elif self.digest != found:
            before = self._text()
            if before is None:
                self.lose()
                return self.find(text)
            self._carry(same_ends(before), text, is_edit=False)
        self.digest = found
        return None

    def _text(self) -> str | None:
        step, place = self.last or (None, 0)
        found = touches(step, contents=True) if step else []
        return found[place].new if place < len(found) else None

    def edit(self, old: str, new: str) -> tuple[int, int, int]:
        """Lines changed, those written again and how often."""
        self.find(old)
        changed = self._carry(old, new, is_edit=True)
        self.digest = digest_of(new)
        return changed

    def lose(self) -> None:
        """A text is not known, nor is then how many of the lines are gone."""
        self.is_known = False
        self.marks, self.digest = b"", b""

    def empty(self) -> None:
        self.gone += _of_run(self.marks)
        self.marks, self.digest = b"", digest_of("")

    def take_in(self, other: _File) -> None:
        """Another file, whose text this one gets, has been moved here."""
        self.empty()
        self.written += other.written
        self.gone += other.gone
        self.is_known &= other.is_known
        self.marks, self.digest, self.last = other.marks, other.digest, other.last

    def _carry(self, old: str, new: str, *, is_edit: bool) -> tuple[int, int, int]:
        kept: list[bytes] = []
        marks, end = self.marks, 0
        changed = again = times = 0
        for a, b, c, d in kept_lines(old, new).blocks():
            replaced = marks[a:b]
            put_in = _put_in(replaced, d - c) if is_edit else _BEFORE * (d - c)
            kept += marks[end:a], put_in
            end = b
            self.gone += _of_run(replaced)
            changed += (b - a) + (d - c)
            most = max(put_in, default=0) - 1
            if most >= OFTEN:
                again += sum(mark > OFTEN for mark in put_in)
                times = max(times, most)
            self.written += (d - c) if is_edit else 0
        self.marks = b"".join((*kept, marks[end:]))
        return changed, again, times


def _of_run(marks: bytes) -> int:
    return len(marks) - marks.count(_BEFORE)


def _put_in(replaced: bytes, count: int) -> bytes:
    """The marks of lines in the place of others: theirs, and of more those of the last."""
    if not replaced:
        return _WRITTEN * count
    marks = replaced[:count] + replaced[-1:] * (count - len(replaced))
    return marks.translate(_REWRITTEN)


class Churn:
    """The churn of the files that a growing run edited; reads each edit once, when it is asked for
    a step behind it or for a sum. Editor and patch calls tell it, commands do not. Several threads
    may ask."""

    def __init__(self, touched: TouchedFiles) -> None:
        self.touched = touched
        self._begin()
        self._version = -1
        self._edits: list[Step] = []

    def _begin(self) -> None:
        self._read: list[tuple[Step, Event | None]] = []
        self._files: dict[str, _File] = {}
        self._sizes: dict[str, list[EditSize]] = {}
        """Id of a call -> what it did."""

    def update(self, budget: float) -> bool:
        """Reads edits for so many seconds; False means that there is more to read."""
        end = time.monotonic() + budget
        with self.touched.taken(end) as has:
            return has and self._read_to(None, end)

    def of_step(self, step: Step) -> list[EditSize]:
        """By how much a step changed files, each once. Reads the edits up to it."""
        with self.touched.one:
            self._read_to(step.number)
            return self._sizes.get(step.event.id, [])

    def of_file(self, path: str) -> Lines | None:
        """The lines of a file by its key; None where a text of it is not known."""
        with self.touched.one:
            self._read_to(None)
            file = self._files.get(path)
            return Lines(file.written, file.gone) if file and file.is_known else None

    @property
    def total(self) -> Lines | None:
        """Those of all files; None where a text of one is not known, or no file was edited."""
        with self.touched.one:
            self._read_to(None)
            files = self._files.values()
            if not files or not all(file.is_known for file in files):
                return None
            return Lines(sum(file.written for file in files), sum(file.gone for file in files))

    def _read_to(self, number: int | None, end: float | None = None) -> bool:
        """Reads the edits up to a step, or all, until `end`; False if there is more to read."""
        if not self.touched.update(end):
            return False
        if self._version != self.touched.version:
            self._version = self.touched.version
            self._edits = self.touched.edited_steps()
            known = [(step, step.result) for step in self._edits[: len(self._read)]]
            if known != self._read:
                self._begin()
        edits, read = self._edits, self._read
        while len(read) < len(edits):
            step = edits[len(read)]
            if number is not None and step.number > number:
                break
            if end is not None and time.monotonic() > end:
                return False
            self._take(step)
            read.append((step, step.result))
        return True

    def _take(self, step: Step) -> None:
        sizes: dict[str, EditSize] = {}
        away: dict[str, tuple[_File, str | None]] = {}
        """Where a file goes by this step -> that file, and its text before."""
        for place, touch in enumerate(touches(step, contents=True)):
            if touch.verb == "read":
                continue
            path = self.touched.key(touch.path)
            if touch.other and touch.verb == "delete":
                away[self.touched.key(touch.other)] = self._files.pop(path, _File()), touch.old
                self._files[path] = _File()
                continue
            file, old = self._files.setdefault(path, _File()), touch.old
            if path in away:
                moved, old = away.pop(path)
                file.take_in(moved)
            size = EditSize(path, *_edit(file, touch, old))
            sizes[path] = _joined(sizes[path], size) if path in sizes else size
            file.last = step, place
        self._sizes[step.event.id] = list(sizes.values())


def _edit(file: _File, touch: Touch, old: str | None) -> tuple[int, int, int]:
    if touch.verb == "delete":
        if old is not None:
            file.find(same_ends(old))
        changed = len(file.marks)
        file.empty()
        return changed, 0, 0
    if old is None or touch.new is None:
        file.lose()
        return sum(count_changes(touch.hunk)), 0, 0
    return file.edit(same_ends(old), same_ends(touch.new))


def _joined(one: EditSize, other: EditSize) -> EditSize:
    """A step may change a file twice."""
    return EditSize(
        one.path,
        one.changed + other.changed,
        one.again + other.again,
        max(one.times, other.times),
    )
