"""The listed conversations: their states, their groups, and their order.

Knows no widget and makes no requests; callers pass in what they have learned.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from math import inf
from typing import NamedTuple

import msgspec

from oh_tui.api.models import Conversation, bare_id, same_id
from oh_tui.sources.lists.remembered import Memory
from oh_tui.sources.lists.triage import (
    AT_WORK,
    STATUSES,
    TROUBLE,
    ConversationState,
    Counts,
    Group,
    RunStatus,
    conversation_state,
    count,
    reported_status,
    updated,
)
from oh_tui.trajectory.model.events import seconds
from oh_tui.trajectory.model.trajectory import CUT_OFF

LOOK_AGAIN = 30.0
"""Seconds until a running run, or one whose server did not answer, is looked into again. Each
fruitless attempt doubles them, up to the maximum below."""
LOOK_LATEST = 480.0

_NOT_TOLD = frozenset({RunStatus.UNKNOWN, RunStatus.STARTING})

NEWSWORTHY = TROUBLE | {RunStatus.FINISHED}

_STATUS = {RunStatus.WAITING: "waiting_for_confirmation"}

_WORDS = {
    RunStatus.WAITING: "waits for your answer",
    RunStatus.STUCK: "stuck",
    RunStatus.ERROR: "ended in an error",
    RunStatus.RUNNING: "the agent works",
    RunStatus.STARTING: "starting",
    RunStatus.CUT_OFF: CUT_OFF,
}
"""The second line of a row until something better is known."""


class Row(msgspec.Struct, frozen=True):
    """A row of the list. Derived values are computed once: each refresh and each sort looks at all
    rows."""

    conversation: Conversation
    stand: RunStatus = RunStatus.UNKNOWN
    certain: bool = True
    """Reported now; otherwise remembered from when its sandbox was up."""
    line: str = ""
    since: float | None = None
    """The start of its age, in seconds since 1970."""
    opened: bool = False
    group: Group = Group.EARLIER
    """Its current group in the list; `due` is where it belongs by now."""
    depth: int = 0
    """How many of its parents are listed above it. A sub-conversation that stands alone has 1."""
    tall: bool = False
    """Takes two lines; stays so until the next sort, so that no row below it moves."""

    id: str = ""
    parent: str = ""
    """The id of its parent; "" for none."""
    reported: RunStatus = RunStatus.UNKNOWN
    """The state that the server reports for its agent."""
    due: Group = Group.EARLIER
    """The group it belongs to."""
    urgency: tuple[Group, bool, float] = (Group.EARLIER, False, 0.0)
    """The sort key."""

    def __post_init__(self) -> None:
        one = self.conversation
        group = ConversationState(self.stand, self.certain, self.opened).group(one)
        for name, value in (
            ("id", bare_id(one.id)),
            ("parent", bare_id(one.parent_conversation_id or "")),
            ("reported", reported_status(one)),
            ("due", group),
            ("urgency", _urgency(self, group)),
        ):
            msgspec.structs.force_setattr(self, name, value)

    def at(self, group: Group, depth: int, tall: bool) -> Row:
        """The row with another depth or group; itself if nothing differs."""
        if self.group is group and self.depth == depth and self.tall is tall:
            return self
        return msgspec.structs.replace(self, group=group, depth=depth, tall=tall)


class Look(NamedTuple):
    """The last attempt to look into a run."""

    updated_at: str | None
    status: str | None
    """The status in its record at that time."""
    failed: bool
    pause: float
    until: float
    """The time until which `pause` lasts."""


class Change(NamedTuple):
    """A listed conversation has changed to this state."""

    conversation: Conversation
    stand: RunStatus


class Board:
    """The loaded conversations, their states and their order."""

    def __init__(self, memory: Memory | None = None, *, grouped: bool = True) -> None:
        """Without groups (files need nobody) rows keep the given order."""
        self.memory = memory or Memory()
        self.grouped = grouped
        self.rows: tuple[Row, ...] = ()
        self._places: dict[str, int] = {}
        self._placed_of: tuple[Row, ...] = ()
        """The rows for which the places by id were computed."""
        self._heard: dict[str, RunStatus] = {}
        """The state last reported for each agent, to detect changes."""
        self._looks: dict[str, Look] = {}
        """By id."""
        self._told: dict[str, float] = {}
        """When an action last reported the state of a conversation, by id."""

    def row(self, identifier: str) -> Row | None:
        if self._placed_of is not self.rows:
            self._places = {row.id: place for place, row in enumerate(self.rows)}
            self._placed_of = self.rows
        place = self._places.get(bare_id(identifier))
        return None if place is None else self.rows[place]

    def counts(self) -> Counts:
        if not self.grouped:
            failed = sum(row.stand in (RunStatus.STUCK, RunStatus.ERROR) for row in self.rows)
            return Counts(failed=failed)
        near = Group.RUNNING  # what is neither there nor due there counts for nothing
        rows = (row for row in self.rows if row.due <= near or row.group <= near)
        return count((_counted_in(row), row.stand) for row in rows)

    # What is told

    def take(
        self, conversations: Iterable[Conversation], *, older: bool = False, asked: float = inf
    ) -> list[Change]:
        """Take conversations as of now, or of the time of the request: rows that an action has
        updated since stay unchanged. Listed rows keep their places; new ones come to the top of
        their groups, or to the end if they belong to an older page. Returns the state changes since
        the last call."""
        fresh = {bare_id(one.id): one for one in conversations}
        changes: list[Change] = []
        rows: list[Row] = []
        for row in self.rows:
            now = fresh.pop(row.id, None)
            if now and self._told.get(row.id, -inf) < asked and now != row.conversation:
                row = self._renewed(row, now)
            rows.append(row)
            before = self._heard.get(row.id)
            if before not in (None, row.reported) and row.reported in NEWSWORTHY:
                changes.append(Change(row.conversation, row.reported))
        new = [self._renewed(Row(one), one) for one in fresh.values()]
        if new:
            rows = _joined(rows, new, older=older)
        for row in rows:
            if row.reported not in _NOT_TOLD:
                self._heard[row.id] = row.reported
        is_first = not self.rows
        self.rows = tuple(rows)
        if is_first:
            self.reorder()
        return changes

    def tell(self, identifier: str, word: str, line: str) -> None:
        """Take the state found in the events of a run: it is newer than the list, and available
        even when the server reports no outcome."""
        row, stand = self.row(identifier), STATUSES.get(word, RunStatus.UNKNOWN)
        if row is None or not stand:
            return
        conversation = row.conversation
        told = reported_status(conversation)
        if told is RunStatus.STARTING:
            return
        if told and told is not stand:
            status = _STATUS.get(stand, stand.value)
            conversation = msgspec.structs.replace(conversation, execution_status=status)
        elif not told and (stand is not RunStatus.IDLE or self.memory.get(row.id).outcome):
            self.memory.record_outcome(row.id, stand, updated(conversation))
        self._renewed(row, conversation)  # this remembers a new outcome
        if stand is RunStatus.STUCK and not line.lower().startswith("stuck"):
            line = f"stuck: {line}"
        if self.memory.get(row.id).outcome == stand:
            self.memory.record_line(row.id, line, keep=stand is not RunStatus.RUNNING)
        self._put(self._renewed(row, conversation))

    def told(self, conversation: Conversation, now: float) -> None:
        """Take the state of a conversation after an action; `now` is compared with the request
        times of refreshes."""
        if row := self.row(conversation.id):
            self._told[row.id] = now
            self._put(self._renewed(row, conversation))

    def told_sandbox(self, sandbox_id: str, status: str, now: float) -> None:
        """Take the state of a sandbox after an action. The rest is unknown: for a paused sandbox
        the server reports no agent and no address (measured), and a resumed one has new ones."""
        for row in self.rows:
            one = row.conversation
            if one.sandbox_id == sandbox_id:
                if one.sandbox_status != status:
                    one = msgspec.structs.replace(
                        one, sandbox_status=status, execution_status=None,
                        conversation_url=None, session_api_key=None,
                    )  # fmt: skip
                self.told(one, now)

    def open(self, identifier: str) -> None:
        """The user opened the run of this conversation."""
        if row := self.row(identifier):
            self.memory.record_opened(row.id, max(1.0, updated(row.conversation)))
            self._put(self._renewed(row, row.conversation))

    def _put(self, changed: Row) -> None:
        if self.row(changed.id) not in (None, changed):
            place = self._places[changed.id]
            self.rows = (*self.rows[:place], changed, *self.rows[place + 1 :])
            self._placed_of = self.rows  # no row has moved

    def _renewed(self, row: Row, conversation: Conversation) -> Row:
        """The row updated with what is known of its conversation now, at the same place."""
        identifier, changed = bare_id(conversation.id), updated(conversation)
        told = reported_status(conversation)
        seen = self.memory.get(identifier)
        is_told = told not in (RunStatus.UNKNOWN, RunStatus.STARTING)
        if told is RunStatus.IDLE:  # news only if the remembered state differs
            is_told = bool(seen.outcome)
        if is_told and (
            told != seen.outcome or (told is not RunStatus.RUNNING and changed > seen.when)
        ):
            self.memory.record_outcome(identifier, told, changed)
            seen = self.memory.get(identifier)
        stand, certain, opened = conversation_state(conversation, seen)
        since = seen.when if not told and seen.when else changed or None
        if stand in AT_WORK:
            since = seconds(conversation.created_at or "") or since
        line = seen.line if seen.outcome == stand else ""
        if not line:
            broken = stand is RunStatus.ERROR and conversation.sandbox_status == "ERROR"
            line = "its sandbox failed" if broken else _WORDS.get(stand, "")
        return msgspec.structs.replace(
            row,
            conversation=conversation,
            stand=stand,
            certain=certain or not self.grouped,
            line=line,
            since=since,
            opened=opened,
        )

    # What is asked

    def unheard(self, now: float, without: str = "", most: int = 6) -> list[Conversation]:
        """The runs worth looking into for the second line: of those that need somebody or run, the
        new and changed ones, then the running ones, at most once in 30 s; last those whose server
        did not answer. The run shown at the right (`without`) updates itself."""
        found: list[tuple[bool, Group, bool, Row]] = []
        for row in self.rows:
            one = row.conversation
            if row.due > Group.RUNNING or one.execution_status is None:
                continue
            if same_id(one.id, without) and self.memory.get(row.id).line:
                continue
            look = self._looks.get(row.id)
            if look:
                same = look.status == one.execution_status
                if same and look.updated_at == one.updated_at and not look.failed:
                    continue
                if same and now < look.until and (look.failed or row.stand is RunStatus.RUNNING):
                    continue
            found.append((bool(look and look.failed), row.due, bool(look), row))
        found.sort(key=lambda one: one[:3])
        return [row.conversation for *_, row in found[:most]]

    def looked(
        self, one: Conversation, now: float, *, failed: bool = False, news: bool = False
    ) -> None:
        """A run was looked into: its server did not answer (`failed`), or returned something
        new."""
        before, pause = self._looks.get(bare_id(one.id)), LOOK_AGAIN
        if before and not news:
            pause = min(2 * before.pause, LOOK_LATEST)
        look = Look(one.updated_at, one.execution_status, failed, pause, now + pause)
        self._looks[bare_id(one.id)] = look

    # The order

    def reorder(self, keep: str = "") -> None:
        """Move every row to its place, newest first, sub-conversations under their parents; a
        sub-conversation more urgent than its parent stands alone. `keep` is the id of a row that
        stays in its group although it was opened: a user returning from its run finds it where it
        was."""
        if not self.grouped:
            self.rows = tuple(row.at(row.group, _is_child(row), row.tall) for row in self.rows)
            return
        kept = self.row(keep)
        if kept and not (kept.opened and kept.due is Group.EARLIER):
            kept = None

        def urgency(row: Row) -> tuple[Group, bool, float]:
            return row.urgency if row is not kept else _urgency(row, row.group)

        ordered = sorted(self.rows, key=urgency)
        place = {row.id: number for number, row in enumerate(ordered)}
        children: dict[str, list[Row]] = {}
        for row in ordered:
            if row.parent and row.parent in place and row.parent != row.id:
                children.setdefault(row.parent, []).append(row)
        families: list[Sequence[Row]] = [
            (row.at(due := urgency(row)[0], _is_child(row), due <= Group.RUNNING),)
            for row in ordered
        ]
        for row in chain.from_iterable(children.values()):
            families[place[row.id]] = ()
        for head, family in _families(ordered, children, urgency):
            families[place[head.id]] = family
        self.rows = tuple(chain.from_iterable(families))


def _families(
    ordered: Sequence[Row],
    children: Mapping[str, list[Row]],
    urgency: Callable[[Row], tuple[Group, bool, float]],
) -> Iterator[tuple[Row, list[Row]]]:
    """The rows that have children or parents, by the root of their family."""
    hanging = {row.id for row in chain.from_iterable(children.values())}
    heads = deque(row for row in ordered if row.id in children and row.id not in hanging)
    left = (row for row in ordered if row.id in hanging)
    done: set[str] = set()
    # what remains at the end is its own root
    while head := heads.popleft() if heads else next((r for r in left if r.id not in done), None):
        if head.id in done:
            continue
        group, family = urgency(head)[0], list[Row]()
        stack = [(head, _is_child(head))]
        while stack:
            row, depth = stack.pop()
            if row.id in done:
                continue
            done.add(row.id)
            family.append(row.at(group, depth, urgency(row)[0] <= Group.RUNNING))
            # order siblings by their most urgent row, whatever its group
            held = sorted(children.get(row.id, ()), key=lambda child: urgency(child)[1:])
            for child in reversed(held):
                if urgency(child)[0] < group:
                    heads.append(child)
                else:
                    stack.append((child, depth + 1))
        yield head, family


def _joined(rows: list[Row], new: list[Row], *, older: bool) -> list[Row]:
    """New rows inserted among the listed ones, without reordering those: children after their
    parents' listed rows, the others on top of their groups, or with `older` at the end. Linear in
    the number of rows."""
    placed = {row.id: row for row in rows}
    heads: dict[Group, list[Row]] = {group: [] for group in Group}
    children: dict[str, list[Row]] = {}
    # parents come before their children
    for row in sorted(new, key=_is_child):
        due, parent = row.due, placed.get(row.parent)
        tall = due <= Group.RUNNING or row.stand is RunStatus.CUT_OFF
        if parent is not None and due >= parent.group:
            depth, group = parent.depth + 1, parent.group
            children.setdefault(parent.id, []).append(row := row.at(group, depth, tall))
        else:
            row = row.at(due, _is_child(row), tall)
            heads[due].append(row)
        placed[row.id] = row
    groups: dict[Group, list[Row]] = {group: [] for group in Group}
    for row in rows:
        groups[row.group].append(row)
    found: list[Row] = []
    for group, held in groups.items():
        ordered = [*held, *heads[group]] if older else [*heads[group], *held]
        found += _with_children(ordered, children) if children else ordered
    return found


def _with_children(rows: list[Row], children: dict[str, list[Row]]) -> Iterator[Row]:
    """The rows of one group, with new children after everything listed under their parents."""
    above: list[Row] = []
    """The row yielded last, and its parents."""
    for row in rows:
        while above and above[-1].depth >= row.depth:
            yield from _family(above.pop(), children)
        yield row
        above.append(row)
    while above:
        yield from _family(above.pop(), children)


def _family(row: Row, children: dict[str, list[Row]]) -> Iterator[Row]:
    """The new children of a row, each followed by its own."""
    left = children.pop(row.id, [])[::-1]
    while left:
        yield (child := left.pop())
        left += children.pop(child.id, [])[::-1]


def _counted_in(row: Row) -> Group:
    """A row that no longer needs anybody counts as long as it stands among those that do, so that
    the count matches the list."""
    return row.group if row.group is Group.NEEDS_YOU and row.stand in TROUBLE else row.due


def _is_child(row: Row) -> int:
    return int(bool(row.parent))


def _urgency(row: Row, group: Group) -> tuple[Group, bool, float]:
    """Among those that need somebody the waiting come first, among the running the starting come
    last; then the newest first."""
    later = (
        row.stand in (RunStatus.STUCK, RunStatus.ERROR, RunStatus.STARTING)
        and group <= Group.RUNNING
    )
    return group, later, -(row.since or 0.0)
