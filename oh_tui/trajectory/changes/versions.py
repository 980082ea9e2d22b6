"""The versions of one file: what each edit found and left, and what came from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, TypeAlias

from oh_tui.trajectory.changes.kept_lines import digest_of
from oh_tui.trajectory.changes.order_in_time import Label, Moment, Part
from oh_tui.trajectory.changes.possible_writes import PossibleWrite, Timeline
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.reading.file_operations import Touch, touches

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
    """What one step did to one file."""

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
        """The text after the edit or before it, read again from the event; None if the event does
        not hold it, or there is none."""
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
    """A file as it was from some moment on. Texts are read from the events when asked for.

    Line ends are those that the tool reports: where a file has CRLF, the editor shows LF and writes
    LF. Encoding and mode are in no event.
    """

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
        """The step of the edit that made it, or found it."""
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
    """The versions of a file, from its edits in the order of time."""
    found: list[Version] = []
    for edit in edits:
        last = found[-1] if found else None
        old = edit.old
        if last is None:
            if old.digest:
                found.append(Version(path, "before", edit, old, joins=True, twin=twin))
        elif old.is_known and last.is_known and _same(last.side, old):
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


def _same(one: Side, other: Side) -> bool:
    return one.exists == other.exists and one.digest == other.digest
