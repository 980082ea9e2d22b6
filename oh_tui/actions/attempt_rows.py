"""What an attempt at a task is, by the tags of its conversation, and its row in the table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from oh_tui.actions.attempt_scripts import Change
from oh_tui.actions.worktrees import MOST_NAMED
from oh_tui.catalog import tags
from oh_tui.conversation import Conversation
from oh_tui.tables.column import Column
from oh_tui.text.human import dollars, duration
from oh_tui.text.problem import Refused, Remedy
from oh_tui.text.redact import safe_line

MOST = 12
"""Attempts of one group."""


class Attempt(msgspec.Struct, frozen=True):
    conversation: Conversation
    group: str
    number: int
    verify: str = ""
    """The command that tells whether it has done its task."""
    base: str = ""
    """The commit that it started from."""
    ground: str = ""
    """How the folder stood, of which it is a worktree; see `Change.ground`."""
    folder: str = ""
    """That folder."""

    @property
    def task(self) -> str:
        """The title of its conversation, as far as all attempts share it."""
        title = safe_line(self.conversation.title or "").removesuffix(f" #{self.number}")
        return title or f"Attempt {self.number}"

    @property
    def verified(self) -> Verified | None:
        """What its tags keep of the last time that it was verified."""
        code, _, tree = (self.conversation.tags or {}).get(tags.ATTEMPT_VERIFIED, "").partition(" ")
        return Verified(int(code), tree) if code.lstrip("-").isdecimal() and tree else None


class Verified(msgspec.Struct, frozen=True):
    code: int
    tree: str
    """Of the files that were verified."""
    output: str = ""
    """The end of what the command printed, where it was run just now."""


class Row(msgspec.Struct, frozen=True):
    """An attempt in the table of its group."""

    attempt: Attempt
    change: Change | None = None
    why: str = ""
    """Why its change is not known."""
    same_as: int | None = None
    """The first attempt before it with a byte-equal change."""
    verified: Verified | None = None

    def known(self) -> Change:
        """Raises Refused where its change is not known."""
        if self.change is None:
            raise Refused(self.why, Remedy.LOOK_FIRST)
        return self.change

    @property
    def passes(self) -> bool | None:
        """Whether the command held for its files as they are; None where that is not known."""
        told, now = self.verified, self.change
        return told.code == 0 if told and now and told.tree == now.tree else None

    @property
    def verify_words(self) -> str:
        if not self.attempt.verify:
            return "no command"
        if self.verified is None:
            return "not run"
        if self.passes is None:
            return "not run since its last change"
        return "OK" if self.passes else f"exit {self.verified.code}"

    @property
    def remark(self) -> str:
        if self.change and not self.change.files:
            return "changed nothing"
        return f"same change as {self.same_as}" if self.same_as else ""

    @property
    def ground_has_changed(self) -> bool:
        """Whether the folder itself is not as it was: an attempt has left its worktree, or somebody
        works there."""
        now = self.change.ground if self.change else ""
        return bool(now and self.attempt.ground and now != self.attempt.ground)


class AttemptRow(NamedTuple):
    """With what is known of its run; the last three are None where that is not known."""

    row: Row
    ended: str
    """As the list says."""
    cost: float | None
    steps: int | None
    seconds: float | None

    @property
    def number(self) -> int:
        return self.row.attempt.number

    @property
    def files(self) -> int | None:
        return len(self.row.change.files) if self.row.change else None


def _column(
    head: str,
    get: Callable[[AttemptRow], float | None],
    words: Callable[[float], str],
    json: str = "",
    *,
    goes: int = 0,
) -> Column[AttemptRow, object]:
    def text(one: AttemptRow, _face: object) -> str:
        return "?" if (value := get(one)) is None else words(value)

    return Column(head, text, json, get, right=True, goes=goes)


NUMBERS: tuple[Column[AttemptRow, object], ...] = (
    _column("files", lambda one: one.files, "{:,}".format, goes=2),
    Column("+/-", lambda one, _: one.row.change.lines if one.row.change else "?", right=True),
    _column("steps", lambda one: one.steps, "{:,}".format, "steps", goes=1),
    _column("cost", lambda one: one.cost, dollars),
    _column("time", lambda one: one.seconds, duration, "seconds", goes=3),
)


def attempt_of(conversation: Conversation) -> Attempt | None:
    """None for a conversation that is none; a fork has only the tags of one."""
    given = conversation.tags or {}
    group, number = given.get(tags.GROUP, ""), given.get(tags.ATTEMPT, "")
    if not group or not number.isdecimal() or len(number) > 2 or not 0 < int(number) <= MOST:
        return None
    if conversation.origin or conversation.parent_conversation_id:
        return None
    base, ground, folder = (*given.get(tags.ATTEMPT_BASE, "").split(" ", 2), "", "", "")[:3]
    return Attempt(
        conversation, group, int(number), given.get(tags.VERIFY_BY, ""), base, ground, folder
    )


def groups_of(conversations: Iterable[Conversation]) -> dict[str, list[Attempt]]:
    """Group -> its attempts by number; the group that began last first."""
    found: dict[str, list[Attempt]] = {}
    for one in filter(None, map(attempt_of, conversations)):
        found.setdefault(one.group, []).append(one)

    def began(group: str) -> str:
        return max(one.conversation.created_at or "" for one in found[group])

    ordered = sorted(found, key=began, reverse=True)
    return {group: sorted(found[group], key=lambda one: one.number) for group in ordered}


def lost_words(row: Row) -> str:
    """What goes with an attempt that is dropped."""
    lost = _lost_words(row)
    is_at_work = row.attempt.conversation.execution_status == "running"
    return f"Its agent is at work. {lost}" if is_at_work else lost


def _lost_words(row: Row) -> str:
    if row.change is None:
        return f"What it has not committed goes with it, and is not known: {row.why}"
    if not row.attempt.conversation.worktree:
        return "Its sandbox may go with it, with all that is not pushed"
    if not (lost := row.change.uncommitted):
        return "All that it changed is committed, but for what git ignores"
    named = ", ".join(safe_line(one, 60) for one in lost[:MOST_NAMED])
    more = len(lost) - MOST_NAMED
    return f"Not committed, and lost with it: {named}{f' and {more:,} more' if more > 0 else ''}"
