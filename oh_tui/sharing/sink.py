"""The sink that each text of a run passes on its way to others: it hides secrets, cuts long texts
and counts what others learn. What leaves with a run is what its writer gives a sink."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from oh_tui.sharing.found_in_text import hidden_in
from oh_tui.sharing.shared_run import SharedRun
from oh_tui.sharing.what_leaves import WhatLeaves, add, texts_in
from oh_tui.sharing.whole_files import whole_files
from oh_tui.text.display import json_line
from oh_tui.text.human import plural, size
from oh_tui.text.json_lines import json_line
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.trajectory.changes.touched_files import shown_path
from oh_tui.trajectory.model.difference import unified
from oh_tui.trajectory.model.events import read_json
from oh_tui.trajectory.model.images import find_images
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.reading.file_operations import Touch, is_read, may_touch, touches

Wanted: TypeAlias = Callable[[int], bool]
"""Is told which step is written, and says whether to go on."""

Write: TypeAlias = "Callable[[SharedRun, Sink], Iterator[str]]"
"""Makes the text of a file in pieces, without secrets."""


class Sink:
    def __init__(self, run: SharedRun, is_wanted: Wanted = lambda step: True) -> None:
        self.leaves = WhatLeaves(len(run.steps))
        self.hidden: dict[str, Counter[str]] = {}
        """Place in the file -> the secrets that were hidden there."""
        self.whole, self._is_wanted = run.whole, is_wanted
        self._step = 0
        self._lines = set[int]()

    def at(self, step: int, path: str = "") -> None:
        """The step that the next texts are of; 0 for none. What a sub-agent does, which has a
        `path`, is of the step that started it. Raises Problem once the run is not wanted any
        more."""
        self._step = self._step if path else step
        if not self._is_wanted(self._step):
            raise Problem("What leaves was not looked at to the end")

    def take(self, *texts: str) -> None:
        """Counts texts that lack their secrets already."""
        self.leaves.take(texts, self._step)

    def hides(self, where: str, text: str) -> None:
        """Lists the secrets that were hidden in a text, for a file that says where they were."""
        if found := hidden_in(text):
            self.hidden[where] = self.hidden.get(where, Counter()) + found

    def json(self, document: object) -> str:
        """A document on one line, without secrets."""
        line = json_line(document)
        self.count(read_json(line, line))
        return line

    def count(self, document: object) -> None:
        """Counts decoded JSON that lacks its secrets already."""
        by_name: Counter[str] = Counter()
        texts = dict.fromkeys(texts_in(document, by_name))
        self.leaves.take(texts, self._step, by_name)
        self.leaves.images += len(find_images(document))

    def once(self, line: str) -> str:
        """The same JSON, which counts the first time: contexts repeat their messages."""
        if hash(line) not in self._lines:
            self._lines.add(hash(line))
            self.count(read_json(line, line))
        return line

    def files(self, step: Step, **seen: bool) -> None:
        """Counts the files whose whole text is written with a step; `seen` as in `whole_files`."""
        for path in whole_files(step, **seen):
            self.file(path)

    def file(self, path: str) -> None:
        add(self.leaves.files, path, self._step)

    def cut(self, text: str, room: Room) -> Cut:
        return cut(text, room, whole=self.whole)


def what_leaves(write: Write, run: SharedRun, is_wanted: Wanted = lambda step: True) -> WhatLeaves:
    """Writes the run into nothing. Raises Problem once it is not wanted any more."""
    sink = Sink(run, is_wanted)
    for _ in write(run, sink):
        pass
    return sink.leaves


def whole_files(
    step: Step, *, contents: bool = True, views: bool = True, diffs: bool = False
) -> Iterator[str]:
    """Those that its call writes, with `contents` also where its result has them, with `views` also
    where that shows them. With `diffs` only what differs is seen of an edit."""
    if not may_touch(step.event):
        return
    for touch in touches(step, contents=contents):
        if touch.verb == "read":
            has_it = views and _shows_whole(step)
        elif diffs and touch.verb == "edit":
            has_it = _is_whole_in_diff(touch)
        else:
            has_it = bool(touch.old or touch.new)
        if has_it:
            yield shown_path(touch.path)


def _is_whole_in_diff(touch: Touch) -> bool:
    if touch.old is None or touch.new is None:
        return bool(touch.new)
    lines = unified(touch.old, touch.new).split("\n")
    return 0 < touch.new.count("\n") <= sum(line[:1] in (" ", "+") for line in lines)


_PARTS_OF = ("view_range", "offset", "limit", "start_line", "end_line", "lines_shown")


def _shows_whole(step: Step) -> bool:
    call, result = step.call, step.result or step.event
    if any(call.input.get(name) for name in _PARTS_OF):
        return False
    if result.failed or not is_read(step.event):
        return False
    if call.answer.get("file_content"):
        return not call.answer.get("is_truncated")
    is_reported = step.event.is_reported and bool(call.answer.get("raw_output"))
    return is_reported or _NUMBERED.search(call.output()[:2000]) is not None


_NUMBERED = pattern(r"(?m)^ {0,12}1\t")


class Room(NamedTuple):
    """How much of a text is written."""

    most: int
    """Characters of a text that is written whole."""
    head: int
    tail: int
    """Characters of the begin and of the end of a longer one: together not more than `most`."""
    lines: int = 0
    """Most lines of each of both; 0 for any number."""

    def holds(self, text: str) -> bool:
        is_short = not self.lines or text.count("\n") < 2 * self.lines
        return is_short and len(text) <= self.most


class Cut(NamedTuple):
    head: str
    tail: str = ""
    left_out: str = ""
    """What lies between them, in words; "" where nothing does."""
    at_line_ends: bool = True


def cut(text: str, room: Room, *, whole: bool = False) -> Cut:
    """The begin and the end of a long text, at line ends if lines are not too long."""
    if whole or room.holds(text):
        return Cut(text)
    head = _first_lines(text[: room.head], room.lines)
    tail = _first_lines(text[-room.tail :][::-1], room.lines)[::-1]
    middle = text[len(head) : len(text) - len(tail)]
    lines = plural(middle.strip("\n").count("\n") + 1, "line")
    left_out = f"{lines}, {size(len(middle.encode('utf-8', 'replace')))}, left out here"
    return Cut(head, tail, left_out, middle.startswith("\n") and middle.endswith("\n"))


def _first_lines(part: str, most: int) -> str:
    """Without a last line that is not whole, unless that is more than half of it."""
    if most and part.count("\n") >= most:
        return "\n".join(part.split("\n", most)[:most])
    end = part.rfind("\n", len(part) // 2)
    return part[:end] if end > 0 else part
