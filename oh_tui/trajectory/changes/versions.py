"""The versions of one file: what each edit found and left, and what came from elsewhere."""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal, NamedTuple, TypeAlias

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.changes.kept_lines import digest_of
from oh_tui.trajectory.changes.touched_files import END, START, Label, Moment, Part
from oh_tui.trajectory.model.bodies import text_field
from oh_tui.trajectory.model.event_kinds import NO_KIND, UNREADABLE
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.reading.file_operations import Touch, is_read, may_touch, touches
from oh_tui.trajectory.shell.commands import Effect, defined, effect

Kind: TypeAlias = Literal["before", "edit", "create", "delete", "move", "undo", "elsewhere"]

_LOSSY = ("\ufffd", "<secret-hidden>", "[hidden]")
"""What stands for bytes that are no text, and for what a server or an export hid."""


class Side(NamedTuple):
    """A file before or after an edit."""

    digest: bytes = b""
    """Of the text with `same_ends`; b"" if there is no text."""
    exists: bool = True
    is_exact: bool = False
    """The text is told by the result of the call, and nothing in it was replaced."""

    @property
    def is_known(self) -> bool:
        return bool(self.digest) or not self.exists


UNKNOWN = Side()
ABSENT = Side(exists=False, is_exact=True)
EMPTY = digest_of("")


class Edit(NamedTuple):
    part: Part
    step: Step
    place: int
    """Which of the `touches` of the step."""
    path: str
    kind: Kind
    old: Side
    new: Side
    other: str = ""
    """Of a move: where the file went, or came from."""

    @property
    def began(self) -> Moment:
        return self.part.began(self.step)

    @property
    def ended(self) -> Moment:
        return self.part.ended(self.step)

    def text(self, *, old: bool = False) -> str | None:
        """The text after or before the edit, read again; None if the event holds none."""
        found = touches(self.step, contents=True)
        if self.place >= len(found):  # the source of the events is gone
            return None
        return found[self.place].old if old else found[self.place].new

    @property
    def hunk(self) -> str:
        """The lines of the diff that the event holds where it has no whole text; "" without."""
        found = touches(self.step, contents=True)
        return found[self.place].hunk if self.place < len(found) else ""


def edits_of(part: Part, step: Step) -> list[Edit]:
    """What a step did to files. Decodes its result; holds no text."""
    found: list[Edit] = []
    for place, touch in enumerate(touches(step, contents=True)):
        if touch.verb != "read":
            path, other = (part.touched.key(n) if n else "" for n in (touch.path, touch.other))
            if (step.result or step.event).unclear:
                touch = touch._replace(from_result=False)
            old, new = _old(step, touch), _side(touch.new, touch)
            new = ABSENT if touch.verb == "delete" else new
            found.append(Edit(part, step, place, path, _kind(step, touch), old, new, other))
    return found


def _kind(step: Step, touch: Touch) -> Kind:
    if touch.other:
        return "move"
    if step.event.verb == "undo_edit":
        return "undo"
    if touch.verb == "create":
        return "create"
    return "delete" if touch.verb == "delete" else "edit"


def _old(step: Step, touch: Touch) -> Side:
    """A patch adds and moves over whatever is there, and does not tell."""
    if touch.verb != "create":
        return _side(touch.old, touch)
    return UNKNOWN if step.event.tool == "ApplyPatch" or not touch.from_result else ABSENT


def _side(text: str | None, touch: Touch) -> Side:
    if text is None:
        return UNKNOWN
    return Side(
        digest_of(text), is_exact=touch.from_result and not any(sign in text for sign in _LOSSY)
    )


@dataclass(frozen=True, slots=True)
class Version:
    """A file as it was from some moment on. Texts are read from the events when asked for. Line
    ends are those that the tool reports: where a file has CRLF, the editor shows LF and writes LF.
    Encoding and mode are in no event."""

    path: str
    kind: Kind
    edit: Edit
    """The edit that made it; of `before` and `elsewhere` the edit that found it."""
    side: Side
    joins: bool = False
    """The next edit found this text again."""
    between: tuple[PossibleWrite, ...] = ()
    """Of `elsewhere`: what may have written it, after the version before it."""
    twin: Edit | None = None
    """Of `before`: the edit that left another file with just this text, which that still had. A
    command moved or copied it from there, or made a link."""
    told_by: Edit | None = None
    """The next edit, which found the text of an edit that does not tell it."""

    @property
    def is_found(self) -> bool:
        """It was there when the edit came, which did not make it."""
        return self.kind in ("before", "elsewhere")

    @property
    def label(self) -> Label:
        return self.edit.part.label(self.edit.step)

    @property
    def exists(self) -> bool:
        return self.side.exists

    @property
    def is_known(self) -> bool:
        return self.side.is_known

    def text(self) -> str | None:
        """None if the file does not exist then, or the events do not hold its text."""
        if self.told_by is not None:
            return self.told_by.text(old=True)
        return self.edit.text(old=self.is_found) if self.side.digest else None


def versions(
    path: str, edits: Sequence[Edit], timeline: Timeline, twin: Edit | None = None
) -> list[Version]:
    found: list[Version] = []
    for edit in edits:
        last = found[-1] if found else None
        old = edit.old
        if last is None:
            if old.digest:
                found.append(Version(path, "before", edit, old, joins=True, twin=twin))
        elif old.is_known and last.is_known and last.side[:2] == old[:2]:
            found[-1] = replace(last, joins=True)
        elif old.digest or (not old.exists and last.exists):
            others = tuple(timeline.between(path, last.edit.began, edit.ended))
            if last.is_known or others:
                found.append(Version(path, "elsewhere", edit, old, True, others))
            else:
                side = old._replace(is_exact=False)
                found[-1] = replace(last, side=side, joins=True, told_by=edit)
        found.append(Version(path, edit.kind, edit, edit.new))
    return found


_REFUSED = pattern(
    r"(?:\[An error occurred during execution\.\]\s*)?(?:ERROR:\s*)?"
    r"(?:Invalid `|Parameter `|No replacement was performed|No edit history|Operation '"
    r"|Error validating|Tool '|Error: (?:Cannot create|File not found|Path is a dir|No changes"
    r"|Could not find|Expected|Permission denied)"
    r"|(?:Update|Delete|Add) File Error: (?:Missing|Duplicate)|Invalid (?:patch|Context|EOF|Line))"
)
"""How answers of editors begin that changed nothing; after others something may be written."""

_CHANGE_NOTHING = frozenset({
    "BrowserGetContent", "BrowserGetState", "BrowserGetStorage", "BrowserListTabs",
    "ClassifyAndSwitchLLM", "Finish", "Glob", "Grep", "ListDirectory", "ReadFile", "SwitchLLM",
    "TaskTracker", "Think", "VisionInspect", "ACP fetch", "ACP read", "ACP search", "ACP think",
})  # fmt: skip
"""Tools that change no file of the working folder."""

_NOT_CALLS = frozenset({"HookExecutionEvent", UNREADABLE, NO_KIND})
"""Kinds of events that are no calls, and that tell of something that may have written."""

_NOTHING = Effect(False)
_ANYTHING = Effect(True)


class PossibleWrite(NamedTuple):
    """Something that may have written to files between two moments."""

    label: Label
    step: Step
    began: Moment
    ended: Moment
    """END if it may still be at work."""
    paths: frozenset[str] | None = None
    """The only files that it may have written to; None if that is not known."""

    def may_write(self, path: str) -> bool:
        return self.paths is None or path in self.paths


class Writers:
    """The writers of the steps of a growing run. Commands are decoded once."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self._effects: dict[str, Effect] = {}
        """Id of a call -> what its command may do."""
        self._redefined: frozenset[str] = frozenset()
        self._decoded = 0
        """How many steps were looked at by `update`."""

    def update(self, end: float | None = None) -> bool:
        """Decodes the commands of new steps, so that `find` is quick; False if `end` stopped it."""
        steps = self.part.trajectory.steps
        if self._decoded > len(steps):
            self._decoded = 0
        while self._decoded < len(steps) and self.part.is_placed:
            if end is not None and time.monotonic() > end:
                return False
            step = steps[self._decoded]
            if not may_touch(step.event) and self._ran(step):
                self._effect(step)
            self._decoded += 1
        return True

    def find(self) -> list[PossibleWrite]:
        """All of them, by the numbers of their steps."""
        if not self.part.is_placed:
            steps = self.part.trajectory.steps
            return [PossibleWrite(self.part.label(steps[0]), steps[0], START, END)] if steps else []
        found: list[PossibleWrite] = []
        at_work: list[list[int]] = []
        """The commands that had not ended when their result came: indexes of what may write."""
        for step in self.part.trajectory.steps:
            if step.number in self.part.delegated:
                continue
            new = [len(found)] if (writer := self._of(step)) else []
            found += [writer] if writer else []
            has_ended = step.result is not None and step.event.tool == "Terminal"
            if at_work and has_ended and not step.call.shell_command:  # it looks again
                at_work[-1] += new
                if not _goes_on(step) and len(at_work) == 1:
                    for place in at_work.pop():
                        found[place] = found[place]._replace(ended=self.part.ended(step))
            elif _goes_on(step):
                at_work.append(new)
        return found

    def _of(self, step: Step) -> PossibleWrite | None:
        if step.event.kind in _NOT_CALLS:
            command = text_field(step.event.body(), "hook_command")
            does = self._does(step.event, command) if command else _ANYTHING
            began = self.part.just_before(step.event)
            return self._writer(step, does)._replace(began=began) if does.writes else None
        if not (step.is_call or step.is_stray) or not self._ran(step):
            return None
        if may_touch(step.event):
            return self._edit(step)
        does = self._effect(step)
        return self._writer(step, does) if does.writes else None

    def _writer(
        self, step: Step, does: Effect, paths: frozenset[str] | None = None
    ) -> PossibleWrite:
        ended = END if does.stays or _goes_on(step) else self.part.ended(step)
        return PossibleWrite(self.part.label(step), step, self.part.began(step), ended, paths)

    def _ran(self, step: Step) -> bool:
        """Whether a call may have run at all."""
        result = step.result
        if result is None:
            waits = self.part.trajectory.outcome(step) is Outcome.WAITING
            return not waits and bool(step.event.tool)
        if result.is_rejection:
            return False
        return not (result.is_call_error and step.event.is_unread)

    def _edit(self, step: Step) -> PossibleWrite | None:
        """An edit that failed or has no result; the others make versions."""
        if is_read(step.event):
            return None
        if self.part.trajectory.outcome(step) in (Outcome.OK, Outcome.WITH_RESULT):
            tells_all = touches(step) and step.event.verb != "move"
            return None if tells_all else self._writer(step, _ANYTHING)
        if step.result and _REFUSED.match(step.call.output().lstrip()):
            return None
        paths = frozenset(self.part.touched.key(touch.path) for touch in touches(step))
        return self._writer(step, _ANYTHING, paths or None)

    def _effect(self, step: Step) -> Effect:
        event, call = step.event, step.call
        if call.tool in _CHANGE_NOTHING:
            return _NOTHING
        if event.id in self._effects:
            return self._effects[event.id]
        if call.is_typed:
            return _NOTHING if call.command in ("", "C-c") else _ANYTHING
        if call.command or (call.tool == "Terminal" and not call.hides_command):
            return self._does(event, call.command)
        if call.tool == "Delegate" and text_field(call.given, "command") == "spawn":
            return _NOTHING
        return Effect(True, call.tool == "StartChildConversation")

    def _does(self, event: Event, command: str) -> Effect:
        if event.id not in self._effects:
            self._redefined |= defined(command)
            self._effects[event.id] = effect(command, self._redefined)
        return self._effects[event.id]


def _goes_on(step: Step) -> bool:
    """A command that had not ended when its result came."""
    result = step.result
    return result is not None and (result.still_running or result.timed_out)


class Timeline:
    """The writers of a run and its sub-agents, to be asked for those between two moments."""

    def __init__(self, writers: Iterable[PossibleWrite]) -> None:
        ordered = sorted(writers, key=lambda one: one.began)
        self._lasting = [one for one in ordered if one.ended == END]
        self._passing = [one for one in ordered if one.ended != END]
        self._ended = list(accumulate((one.ended for one in self._passing), max))
        """By when all up to a place had ended."""

    def between(self, path: str, after: Moment, until: Moment) -> list[PossibleWrite]:
        """Those that may have written to a file after one moment and before another."""
        first = bisect_right(self._ended, after)
        last = bisect_left(self._passing, until, key=lambda one: one.began)
        found = [
            one
            for one in (*self._passing[first:last], *self._lasting)
            if one.ended > after and one.began < until and one.may_write(path)
        ]
        return sorted(found, key=lambda one: one.began)
