"""What of a run is written down for others, and the sink that each of its texts passes on its way:
that hides secrets, cuts long texts and counts what others learn. What leaves with a run is what its
writer gives a sink."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from oh_tui.catalog.file_names import BELOW
from oh_tui.catalog.user_annotations import NOTHING, RunAnnotations
from oh_tui.conversation import Conversation
from oh_tui.sharing.found_in_text import hidden_in
from oh_tui.sharing.what_leaves import WhatLeaves, add, texts_in
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.source import Source
from oh_tui.text.display import json_line
from oh_tui.text.human import dollars, duration, plural, size
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.changes.touched_files import Label, shown_path
from oh_tui.trajectory.findings.phases.phases import Phase
from oh_tui.trajectory.findings.review_hints.hint import MOST, Reason
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.difference import unified
from oh_tui.trajectory.model.events import Event, read_json
from oh_tui.trajectory.model.images import find_images
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.file_operations import Touch, is_read, may_touch, touches

Part: TypeAlias = Literal["results", "files", "thoughts", "images"]
"""Texts that can be left out: what tools answered, texts of files, what the model thought."""


@dataclass
class SharedRun:
    conversation: Conversation
    study: Study
    steps: list[Step]
    """Those that are written, in the order of the run."""
    others: list[Event] = field(default_factory=list)
    """Hidden events, which belong to no step, to be written too."""
    kept: RunAnnotations = NOTHING
    """What the user keeps of the run, if that is to be written."""
    note: str = ""
    """What is missing in the run; "" for nothing."""
    is_part: bool = False
    """Whether the steps were chosen, so that others are left out."""
    is_cut: bool = False
    """Whether steps or hidden events were left out because they are too many."""
    whole: bool = False
    """Whether large texts and long runs are written whole."""
    name: str = ""
    """Its id, or what stands for it; no path of this machine."""
    read: Trajectory | None = None
    """The run as it was read, from which the ids of traces follow; None for that of `study`."""
    messages: bool = False
    """Whether traces have the texts too: what the model got and answered, calls and results."""

    def looks(self) -> tuple[list[tuple[Label, Reason]], int]:
        """What is worth a look in the steps that are written: the first ones, and how many more."""
        here = {step.number for step in self.steps}
        found = [
            (label, reason)
            for label, reason in self.study.looks()
            if (label in here if isinstance(label, int) else not self.is_part)
        ]
        return found[:MOST], len(found[MOST:])

    @property
    def title(self) -> str:
        return safe_line(self.conversation.title or "") or "(no title)"

    @property
    def phases(self) -> list[Phase]:
        """The phases to tell; of chosen steps those that are chosen whole. A run with a single
        phase has none, as its verdict says the same."""
        found = self.study.phases.all
        if len(found) == 1:
            return []
        if not self.is_part:
            return found
        here = {step.number for step in self.steps}
        return [one for one in found if here.issuperset(range(one.first, one.last + 1))]

    def phase_words(self, phase: Phase) -> str:
        took = self.study.spent(phase)
        words = (
            duration(took.seconds) if took.seconds and took.seconds >= 0.05 else "",
            dollars(took.cost) if took.cost else "",
            phase.summary,
        )
        return " · ".join(filter(None, words))


def named(source: Source, conversation: Conversation) -> Conversation:
    """The conversation with an id for others. Of a file without one that is its name: the path that
    stands for it here is of this machine."""
    top, *below = conversation.id.split(BELOW)
    entry = source.runs.entries.get(top) if isinstance(source, FileSource) else None
    if entry is None or not isinstance(source, FileSource):
        return conversation
    own = str(entry.info.get("id") or "") or source.runs.run(source.runs.rows[top]).name
    return msgspec.structs.replace(conversation, id=BELOW.join((own, *below)))


def hidden_events(run: Trajectory) -> list[Event]:
    """The events that belong to no step."""
    return [event for event in run.events if run.step_of(event.id) is None]


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
