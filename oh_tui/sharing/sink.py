"""The sink that each text of a run passes on its way to others: it hides secrets, cuts long texts
and counts what others learn. What leaves with a run is what its writer gives a sink."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TypeAlias

from oh_tui.sharing.cut import Cut, Room, cut
from oh_tui.sharing.hidden import hidden_in
from oh_tui.sharing.shared_run import SharedRun
from oh_tui.sharing.what_leaves import WhatLeaves, add, texts_in
from oh_tui.sharing.whole_files import whole_files
from oh_tui.text.display import json_line
from oh_tui.text.problem import Problem
from oh_tui.trajectory.model.events import read_json
from oh_tui.trajectory.model.images import find_images
from oh_tui.trajectory.model.steps import Step

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
        """Counts the files whose whole text is written with a step; of it is `seen` what
        `whole_files` names."""
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
