"""The files of a run as they were at each step, with what is certain of them."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple

from oh_tui.text.human import plural
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.changes.touched_files import (
    END,
    Label,
    Moment,
    Part,
    end_of_step,
    shown_path,
)
from oh_tui.trajectory.changes.versions import (
    EMPTY,
    Edit,
    PossibleWrite,
    Timeline,
    Version,
    Writers,
    edits_of,
    versions,
)
from oh_tui.trajectory.model.bodies import CLIPPED, text_field
from oh_tui.trajectory.model.steps import Step

_NUMBERED = pattern(r" {0,12}(\d{1,9})(?:\t|  )(.*)")
"""A line of `cat -n`, or of the Gemini tool that reads."""


class Shown(NamedTuple):
    first: int
    """The number of the first one."""
    lines: tuple[str, ...]
    is_whole: bool
    """They are the whole file. Its line ends and last newline are not shown."""

    def agrees(self, text: str) -> bool:
        lines = text.removesuffix("\n").split("\n") if text else []
        start = self.first - 1
        is_there = tuple(lines[start : start + len(self.lines)]) == self.lines
        return is_there and (not self.is_whole or len(lines) == len(self.lines))


class Reading(NamedTuple):
    part: Part
    step: Step

    @property
    def label(self) -> Label:
        return self.part.label(self.step)

    @property
    def ended(self) -> Moment:
        return self.part.ended(self.step)

    def shown(self) -> Shown | None:
        """What its result shows, read again, up to a cut; None for no numbered lines."""
        if self.step.result is None:
            return None
        call = self.step.call
        text = text_field(call.answer, "file_content") or call.output()
        is_part = bool(call.input.get("view_range") or call.input.get("offset"))
        is_part |= call.answer.get("is_truncated") is True
        before, cut, _ = text.partition(CLIPPED)
        rows = before.split("\n")[: -1 if cut else None]
        first, lines = 0, list[str]()
        for row in rows:
            match = _NUMBERED.fullmatch(row)
            number = int(match[1]) if match else 0
            if match is None or (lines and number != first + len(lines)):
                if lines:
                    break
                continue
            first = first or number
            lines.append(match[2])
        return Shown(first, tuple(lines), not (is_part or cut)) if lines else None


Stop = Callable[[], bool]
"""Asked now and then; True ends the work."""


class Stopped(Exception):
    """The work was ended by its `stop`."""


class FileState(NamedTuple):
    path: str
    version: Version | None
    """None if no text is known of it then: it was not there, or an edit did not tell."""
    exists: bool | None
    """None if that is not known."""
    certain: bool
    """It was so. Else it is what the nearest edit left or found."""
    since: tuple[PossibleWrite, ...]
    """What may have changed it between that edit and the step, in the order of time."""
    edit: Edit
    """That edit."""

    def text(self) -> str | None:
        return self.version.text() if self.version else None

    @property
    def words(self) -> str:
        """Such as "certain" or "as of step 18; 4 commands since may have changed it"."""
        label = self.edit.part.label(self.edit.step)
        found = self.version is None or self.version.is_found
        as_of = f"as step {label} found it" if found else f"as of step {label}"
        return self.brief if self.certain else f"{as_of}; {self.brief} may have changed it"

    @property
    def brief(self) -> str:
        """Such as "certain" or "4 commands since": what the step of the edit leaves open."""
        if self.certain:
            return "certain"
        commands = plural(len(self.since), "command") if self.since else "no command"
        if self.version is None or self.version.is_found:
            return f"{commands} until step {self.edit.part.label(self.edit.step)}"
        return f"{commands} since"


class FileHistory:
    def __init__(
        self,
        path: str,
        edits: Sequence[Edit],
        reads: Sequence[Reading],
        timeline: Timeline,
        twin: Edit | None,
    ) -> None:
        self.path = path
        """Its key: absolute and normalised."""
        self.shown = shown_path(path)
        """Clean, redacted and without the working folder."""
        self.edits, self.reads = edits, reads
        """In the order of time."""
        self._timeline, self._twin = timeline, twin

    @cached_property
    def versions(self) -> Sequence[Version]:
        """In the order of time."""
        return versions(self.path, self.edits, self._timeline, self._twin)

    @cached_property
    def _places(self) -> list[int]:
        """The index in `versions` of what each edit made."""
        return [n for n, version in enumerate(self.versions) if not version.is_found]

    def at(self, moment: Moment) -> FileState:
        place = bisect_right(self.edits, moment, key=lambda edit: edit.ended) - 1
        following = self.edits[place + 1] if place + 1 < len(self.edits) else None
        if place < 0:
            assert following is not None
            return self._before(following, moment)
        edit, version = self.edits[place], self.versions[self._places[place]]
        since = tuple(self._between(edit.began, moment))
        later = self._between(moment, following.ended) if following else []
        if version.is_known and moment == edit.ended:
            certain = version.side.is_exact and not since
        else:
            certain = version.joins and version.side.is_exact and not (since and later)
        found = self.versions[self._places[place] + 1] if following else None
        if not certain and since and not later and found is not None and found.is_found:
            return FileState(self.path, found, found.exists, False, (), found.edit)
        is_told = version if version.is_known else None
        return FileState(self.path, is_told, version.exists, certain, since, edit)

    def last_read(self, state: FileState, moment: Moment) -> Reading | None:
        """The last step that read the file between the edit of a state and its moment: what it
        showed agrees with the text of the state, or tells that something has changed it."""
        place = bisect_right(self.reads, moment, key=lambda one: one.ended) - 1
        if place < 0 or self.reads[place].ended < state.edit.ended:
            return None
        return self.reads[place]

    def _before(self, edit: Edit, moment: Moment) -> FileState:
        later = tuple(self._between(moment, edit.began))
        first = self.versions[0]
        known = first if first.kind == "before" else None
        if known and known.twin and known.twin.ended > moment:
            return FileState(self.path, None, None, False, later, edit)
        exists = edit.old.exists if edit.old.is_known or edit.kind == "edit" else None
        return FileState(self.path, known, exists, False, later, edit)

    def _between(self, after: Moment, until: Moment) -> list[PossibleWrite]:
        return self._timeline.between(self.path, after, until)


class Files:
    """The files that a growing run and its sub-agents edited; call `update` after each `extend`.

    The source of all of it are the texts before and after each edit, which results of editor and
    patch calls hold. What commands changed shows only in what a later edit finds. A person or
    another conversation in the same sandbox leaves no event.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        """The first part is the run itself; each comes after the one that started it."""
        self.parts = parts
        self._told: dict[tuple[str, str], list[Edit]] = {}
        """Ids of a call and its result -> what it did; decoded once."""
        self._writers = [Writers(part) for part in parts]
        self._read: tuple[int, ...] = ()
        """The state in which all was read; `_built` is that of `_files`."""
        self._built: tuple[int, ...] | None = None
        self._files: dict[str, FileHistory] = {}

    @property
    def root(self) -> str:
        return self.parts[0].touched.work_folder

    def update(self, budget: float | None = None, stop: Stop | None = None) -> bool:
        """Reads new edits and commands; False if `budget` or `stop` ended it before."""
        state = self._state()
        if state == self._read:
            return True
        end = None if budget is None else time.monotonic() + budget
        for part in self.parts:
            if not part.touched.update(end):
                return False
            for step in part.touched.edited_steps():
                if (end is not None and time.monotonic() > end) or (stop is not None and stop()):
                    return False
                name = _name(step)
                if name not in self._told:
                    self._told[name] = edits_of(part, step)
        if not all(writers.update(end) for writers in self._writers):
            return False
        self._read = state
        return True

    def _state(self) -> tuple[int, ...]:
        """What changes whenever a part does."""
        runs = [part.trajectory for part in self.parts]
        return tuple(number for run in runs for number in (len(run.events), run.numberings))

    def _build(self) -> dict[str, FileHistory]:
        """Reads what is new, and puts everything into the order of time."""
        self.update()
        if self._built == self._read:
            return self._files
        for order, part in enumerate(self.parts):
            part.arrange(order, by_time=len(self.parts) > 1)
        edits = [
            edit
            for part in self.parts
            if part.is_placed
            for step in part.touched.edited_steps()
            for edit in self._told[_name(step)]
        ]
        edits.sort(key=lambda edit: edit.ended)
        writers = [writer for one in self._writers for writer in one.find()]
        by_links, twins = _by_other_names(edits)
        timeline = Timeline(writers + by_links)
        by_path: dict[str, list[Edit]] = {}
        for edit in edits:
            by_path.setdefault(edit.path, []).append(edit)
        reads: dict[str, list[Reading]] = {}
        for part in self.parts:
            for path in by_path.keys() & part.touched.files.keys() if part.is_placed else ():
                found = (Reading(part, step) for step in part.touched.files[path].reads)
                reads.setdefault(path, []).extend(found)
        self._files = {
            path: FileHistory(
                path,
                by_path[path],
                sorted(reads.get(path, ()), key=lambda one: one.ended),
                timeline,
                twins.get(path),
            )
            for path in sorted(by_path)
        }
        self._built = self._read
        return self._files

    @property
    def files(self) -> list[FileHistory]:
        return list(self._build().values())

    def get(self, path: str) -> FileHistory | None:
        return self._build().get(path)

    def named(self, name: str) -> FileHistory:
        """The file with this path, or the only one whose path ends with it. Raises Problem."""
        files = self._build()
        if one := files.get(self.parts[0].touched.key(name)):
            return one
        ending = "/" + name.strip("/")
        found = [file for path, file in files.items() if path.endswith(ending)]
        if len(found) == 1:
            return found[0]
        if not found:
            raise Problem(f"No editor or patch call of this run changed {safe_line(name)}")
        names = ", ".join(file.shown for file in found[:3])
        more = ", ..." if len(found) > 3 else ""
        raise Problem(f"{len(found)} files end with {safe_line(name)}", f"name one: {names}{more}")

    def moment(self, label: Label | None = None) -> Moment:
        """The end of a step of the run, of "12.3" the end of a sub-agent's; END without one, and
        for a number beyond the last step. 0 is before the run. Raises Problem for what is no
        step."""
        self._build()
        return END if label is None else end_of_step(self.parts, label)

    def at_file(self, file: FileHistory, label: Label | None = None) -> FileState:
        """A file as it was after a step; without a step after the last one."""
        return file.at(self.moment(label))

    def at(self, label: Label | None = None) -> list[FileState]:
        """Every file as it was after a step, by path; without a step after the last one."""
        moment = self.moment(label)
        return [file.at(moment) for file in self.files]


def _name(step: Step) -> tuple[str, str]:
    return step.event.id, step.result.id if step.result else ""


def _by_other_names(edits: Sequence[Edit]) -> tuple[list[PossibleWrite], dict[str, Edit]]:
    """Edits of files that another path may reach too, by a link: what they find is what that other
    one was left with. They may have written to it. And for each file whose first edit is such the
    edit that left the text."""
    last: dict[str, bytes] = {}
    holders: dict[bytes, dict[str, Edit]] = {}
    found: list[PossibleWrite] = []
    twins: dict[str, Edit] = {}
    for edit in edits:
        left = holders.get(edit.old.digest, {})
        others = [path for path in left if path != edit.path]
        if others and edit.old.digest != EMPTY:
            label = edit.part.label(edit.step)
            found.append(PossibleWrite(label, edit.step, edit.began, edit.ended, frozenset(others)))
            if edit.path not in last:
                twins[edit.path] = left[others[-1]]
        holders.get(last.get(edit.path, b""), {}).pop(edit.path, None)
        last[edit.path] = edit.new.digest
        if edit.new.digest:
            holders.setdefault(edit.new.digest, {})[edit.path] = edit
    return found, twins
