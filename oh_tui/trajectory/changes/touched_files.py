"""Which steps of a run and its sub-agents touched which file, by the calls that name files, and in
which order in time. And the lines of files that a text names: in tracebacks, and as compilers and
tests print them."""

from __future__ import annotations

import posixpath
import re
import time
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from threading import RLock
from typing import NamedTuple, TypeAlias

from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.bodies import field, text_field
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.tool_use import shorten
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.file_operations import may_touch, touches

ROOT = "/workspace/project"
"""The working folder of sandboxes, if the run does not name it."""

LONGEST = 4096
"""Longest path in characters."""

_FOLDER = "Here's the files and directories"
"""The start of the editor's answer to a view of a folder."""


class TouchedFile:
    """The steps that touched one file, in order; `path` is its key."""

    __slots__ = ("edits", "path", "reads")

    def __init__(self, path: str) -> None:
        self.path = path
        self.reads: list[Step] = []
        self.edits: list[Step] = []


class TouchedFiles:
    """The files that the steps of a growing run touched, by key; call `update` after each
    `extend`. Holds steps, no texts. Failed, refused and unanswered calls touch nothing."""

    def __init__(self, trajectory: Trajectory, after: int = 0) -> None:
        """Only the steps after one with this number count."""
        self.trajectory, self._after = trajectory, after
        self.version = 0
        """Changes with each change of what was touched."""
        self.one = RLock()
        """Taken by who reads: rules ask in a thread while the explorer reads what is new."""
        self._clear()

    @contextmanager
    def taken(self, end: float | None) -> Iterator[bool]:
        """Takes `one`; False if another thread has it until the monotonic clock passes `end`."""
        has = self.one.acquire(timeout=-1 if end is None else max(0.0, end - time.monotonic()))
        try:
            yield has
        finally:
            if has:
                self.one.release()

    def _clear(self) -> None:
        self.version += 1
        self.files: dict[str, TouchedFile] = {}
        self.changed: dict[str, int] = {}
        """Key of a file whose steps have changed -> from which of its edits on, until the one who
        counts them clears it. A file that is no longer in `files` is touched no more."""
        self._read = 0
        """How many steps were read; `_last` is the last of them."""
        self._last: Step | None = None
        self._seen = 0
        """How many events there were then; later ones may be results of read steps."""
        self._reported: dict[int, list[TouchedFile]] = {}
        """Number of an ACP call -> its files, which a later report may change."""
        self._folders: set[str] = set()
        self._root = ""
        self.renumbered = False
        """Steps were renumbered, so that all was read again, until someone clears it."""

    def update(self, end: float | None = None) -> bool:
        """Reads new steps and results; False if the monotonic clock passed `end` before."""
        with self.taken(end) as has:
            return has and self._update(end)

    def _update(self, end: float | None) -> bool:
        steps = self.trajectory.steps
        if self._read and (len(steps) < self._read or steps[self._read - 1] is not self._last):
            self._clear()
            self.renumbered = True
        self._take_results()
        while self._read < len(steps):
            if end is not None and time.monotonic() > end:
                return False
            self._last = steps[self._read]
            self._read += 1
            if may_touch(self._last.event):
                self._take(self._last)
        return True

    def edited_steps(self) -> list[Step]:
        """The steps that changed files, once each, in order."""
        with self.one:
            found = {step.number: step for file in self.files.values() for step in file.edits}
        return [found[number] for number in sorted(found)]

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
        self.version += 1
        for file in self._reported.pop(step.number, ()):
            for known in (file.reads, file.edits):
                index = bisect_left(known, step.number, key=lambda step: step.number)
                if index < len(known) and known[index] is step:
                    del known[index]
            self.changed[file.path] = 0
            if not (file.reads or file.edits):
                del self.files[file.path]

    def _take(self, step: Step) -> None:
        is_done = self.trajectory.outcome(step) in (Outcome.OK, Outcome.WITH_RESULT)
        if not is_done or step.number <= self._after:
            return
        self.version += 1
        for touch in touches(step):
            path = self.key(touch.path)
            if path in self._folders:
                continue
            file = self.files.get(path)
            if file is None:
                if touch.verb == "read" and step.call.output().startswith(_FOLDER):
                    self._folders.add(path)
                    continue
                file = self.files[path] = TouchedFile(path)
            known = file.reads if touch.verb == "read" else file.edits
            index = bisect_left(known, step.number, key=lambda step: step.number)
            if index < len(known) and known[index] is step:
                continue  # a patch may name a file twice
            known.insert(index, step)
            since = len(file.edits) if touch.verb == "read" else index
            self.changed[path] = min(self.changed.get(path, since), since)
            if step.event.is_reported:
                self._reported.setdefault(step.number, []).append(file)

    def key(self, path: str) -> str:
        """A normalised path; relative paths start at the working folder."""
        path = path[:LONGEST].replace("\0", "")
        if not path.startswith("/") and not re.match(r"[A-Za-z]:[\\/]", path):
            path = f"{self.work_folder}/{path}"
        return re.sub("^/+", "/", posixpath.normpath(path))

    @property
    def work_folder(self) -> str:
        """As the server's state has it, but "." of a process sandbox; else of the first command."""
        if not self._root:
            self._root = next(filter(None, self._known_folders()), ROOT).rstrip("/")
        return self._root

    def _known_folders(self) -> Iterator[str]:
        events = self.trajectory.events
        if state := next((event for event in events if event.key == "full_state"), None):
            folder = text_field(state.body(), "value", "workspace", "working_dir")
            yield folder if folder.startswith("/") else ""
        shown = (event for event in events if event.is_result and event.tool == "Terminal")
        if seen := next(shown, None):
            yield text_field(seen.body(), "observation", "metadata", "working_dir")


def shown_path(path: str) -> str:
    """The key of a file, clean, redacted and without the working folder."""
    return safe_line(shorten(path))[:400] or "(no name)"


_LONGEST = 2_000
"""Characters of a line that are looked at."""

_NAMED = pattern(
    r'\bFile "([^"\n]{1,400})", line (\d{1,7})'
    r"|(?<![\w./+@~-])([\w./+@~-]{1,400}\.\w{1,12})(?::(\d{1,7})\b|\((\d{1,7}),\d{1,7}\))"
)
"""`File "x.py", line 112`, `x.py:112` with or without a column, and `x.ts(112,5)`."""


class FilePlace(NamedTuple):
    path: str
    """As the text has it."""
    line: int
    """Counted from 1."""

    @property
    def name(self) -> str:
        """Of the file alone."""
        return posixpath.basename(self.path)


def file_places(text: str) -> Iterator[FilePlace]:
    """In the order of the text."""
    for line in text.split("\n"):
        for match in _NAMED.finditer(line[:_LONGEST]):
            quoted, after_line, path, number, in_brackets = match.groups()
            yield FilePlace(quoted or path, int(after_line or number or in_brackets))


def last_of(text: str, paths: Collection[str]) -> FilePlace | None:
    """The last place of one of these normalised files, by path or the only one so ending."""
    is_known: dict[str, bool] = {}
    for place in reversed(list(file_places(text))):
        name = posixpath.normpath(place.path)
        if name not in is_known:
            ending = "/" + name.lstrip("/")
            is_known[name] = name in paths or sum(one.endswith(ending) for one in paths) == 1
        if is_known[name]:
            return FilePlace(name, place.line)
    return None


Moment: TypeAlias = tuple[float, tuple[float, ...]]
"""Seconds, where several runs are ordered, and the place of an event in its run; before that, of a
sub-agent, the place of the call that started it. Moments compare; they mean nothing else."""

START: Moment = (float("-inf"), ())
END: Moment = (float("inf"), ())

Label: TypeAlias = int | str
"""The number of a step; a sub-agent's is a path such as "12.3"."""


class Part:
    """A run, or one of its sub-agents, whose files lie in the same place."""

    def __init__(
        self, touched: TouchedFiles, prefix: str = "", above: Part | None = None, started: int = 0
    ) -> None:
        self.touched = touched
        self.trajectory = touched.trajectory
        self.prefix = prefix
        """What the numbers of its steps begin with, such as `12.`."""
        self.above, self.started = above, started
        """The run that started it, and by which step; 0 where that is not known."""
        self.delegated: frozenset[int] = frozenset()
        """Numbers of its steps that did no more than start sub-agents, all of which are parts."""
        self._places: dict[int, int] = {}
        self._seconds: list[float] = []
        self._base: tuple[float, ...] = ()
        self._is_parallel: bool | None = None

    def label(self, step: Step) -> Label:
        return f"{self.prefix}{step.number}" if self.prefix else step.number

    @property
    def is_placed(self) -> bool:
        """Whether it is known when it was at work."""
        return self.above is None or bool(self.started) or any(self._seconds)

    def arrange(self, order: int, *, by_time: bool) -> None:
        """Take the places of all events, by times if there are several parts, those above first."""
        events = self.trajectory.events
        self._is_parallel = None
        self._places = {id(event): place for place, event in enumerate(events)}
        begin, self._base, self._seconds = 0.0, (), []
        if self.above is not None:
            self._base = (-1, order)
            if self.started:
                call = self.above.trajectory.steps[self.started - 1].event
                begin, base = self.above.when(call)
                self._base = (*base, order)
        if by_time:
            for event in events:
                begin = max(begin, event.seconds() or 0.0)
                self._seconds.append(begin)

    def when(self, event: Event) -> Moment:
        """An event that came since `arrange` is after all others."""
        place = self._places.get(id(event), len(self._places))
        seconds = self._seconds[min(place, len(self._seconds) - 1)] if self._seconds else 0.0
        return seconds, (*self._base, place)

    def just_before(self, event: Event) -> Moment:
        """After the event before this one."""
        seconds, places = self.when(event)
        place = self._places[id(event)]
        before = self._seconds[place - 1] if self._seconds and place else seconds
        return before, (*places[:-1], places[-1] - 0.5)

    def began(self, step: Step) -> Moment:
        """When a step began: calls of one answer run in turn, or several at once."""
        asked = self.when(step.event)
        group = self.trajectory.group(step)
        place = group.index(step.number) if len(group) > 1 else 0
        if not place or self._runs_in_parallel(group):
            return asked
        result = self.trajectory.steps[group[place - 1] - 1].result
        return max(asked, self.when(result)) if result else asked

    def ended(self, step: Step) -> Moment:
        """When the result of a step came. A call that has not ended may be at work for ever."""
        if step.is_open:
            return END
        return self.when(step.result or step.event)

    def _runs_in_parallel(self, group: Sequence[int]) -> bool:
        """What the state of the agent says, or results in another order than their calls tell."""
        if self._is_parallel is None:
            events = self.trajectory.events
            state = next((event for event in events if event.key == "full_state"), None)
            limit = field(state.body(), "value", "agent", "tool_concurrency_limit") if state else 1
            self._is_parallel = isinstance(limit, int) and limit > 1
        if self._is_parallel:
            return True
        results = (self.trajectory.steps[number - 1].result for number in group)
        times = [result.seconds() or 0.0 for result in results if result]
        return any(later < earlier for earlier, later in pairwise(times))


def end_of_step(parts: Sequence[Part], label: Label) -> Moment:
    """The end of a step of the run, which is the first part, or of a sub-agent: END for a number
    beyond the last step of the run, START for 0. Raises Problem for what is no step."""
    prefix, dot, number = str(label).rpartition(".")
    part = next((one for one in parts if one.prefix == prefix + dot), None)
    if part is None or not (number.isascii() and number.isdecimal() and len(number) < 10):
        raise Problem(f"There is no step {safe_line(str(label))}")
    steps = part.trajectory.steps
    if part is parts[0] and not 0 < int(number) <= len(steps):
        return END if int(number) else START
    if not steps:
        return END
    if not int(number):
        return part.just_before(steps[0].event)
    step = steps[min(int(number), len(steps)) - 1]
    ended = part.ended(step)
    return part.when(step.event) if ended == END else ended
