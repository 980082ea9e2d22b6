"""A row of the list of conversations, and the order of rows: by group, newest first,
sub-conversations under their parents, forks under what they were forked from."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain

import msgspec

from oh_tui.catalog.attributes import is_later
from oh_tui.catalog.run_status import ConversationState, Group, RunStatus, reported_status
from oh_tui.conversation import Conversation, bare_id


class Row(msgspec.Struct, frozen=True, dict=True):
    """A row of the list. Derived values are kept: each refresh and each sort looks at all rows."""

    conversation: Conversation
    status: RunStatus = RunStatus.UNKNOWN
    certain: bool = True
    """Reported now; otherwise remembered from when its sandbox was up."""
    line: str = ""
    since: float | None = None
    """The start of its age, in seconds since 1970."""
    opened: bool = False
    silent: float | None = None
    """When the last event of a silent run came, in seconds since 1970."""
    goal: str | None = None
    """The word of the last goal of its run; "" for none, None where that is not known."""
    fork_step: int = 0
    """The step of its origin at which a fork was made; 0 where that is not known."""
    heard: float | None = None
    """When the last event came, as last read."""
    moved: str = ""
    """What happened to its sandbox after that event, in words."""
    changed: float = 0.0
    """When the conversation last changed, in seconds since 1970; 0 when unknown."""
    group: Group = Group.EARLIER
    """Its current group in the list; `due` is where it belongs by now."""
    depth: int = 0
    """How many of its parents are listed above it; 1 for a child that stands alone."""
    tall: bool = False
    """Takes two lines; stays so until the next sort, so that no row below it moves."""

    @cached_property
    def id(self) -> str:
        return bare_id(self.conversation.id)

    @cached_property
    def parent(self) -> str:
        """The id of the conversation that started it or that it was forked from; "" for none."""
        return bare_id(self.conversation.parent_conversation_id or "") or self.conversation.origin

    @cached_property
    def reported(self) -> RunStatus:
        """The state that the server reports for its agent."""
        return reported_status(self.conversation)

    @property
    def is_at_work(self) -> bool:
        """Whether the server reports that its agent runs."""
        return self.reported is RunStatus.RUNNING

    @cached_property
    def state(self) -> ConversationState:
        """What filter words ask."""
        return ConversationState(self.status, self.certain, self.opened, goal=self.goal)

    @cached_property
    def due(self) -> Group:
        return self.state.group(self.conversation)

    @cached_property
    def urgency(self) -> tuple[Group, bool, float]:
        """The sort key."""
        return _urgency(self, self.due)

    def at(self, group: Group, depth: int, tall: bool) -> Row:
        """The row with another depth or group; itself if nothing differs."""
        if self.group is group and self.depth == depth and self.tall is tall:
            return self
        return msgspec.structs.replace(self, group=group, depth=depth, tall=tall)


def flat(rows: Iterable[Row]) -> tuple[Row, ...]:
    """The rows in the given order, grouped by label alone."""
    found = [
        row.at(row.due if row.due.is_label else row.group, _is_child(row), row.tall) for row in rows
    ]
    if any(row.group.is_label for row in found):
        found.sort(key=lambda row: row.group)
    return tuple(found)


def ordered(rows: Iterable[Row], kept: Row | None = None) -> tuple[Row, ...]:
    """The rows at their places; a sub-conversation more urgent than its parent stands alone. `kept`
    stays in its group if it left that by being opened alone."""
    if kept:
        unopened = kept.state._replace(opened=False).group(kept.conversation)
        if not (kept.opened and kept.due is Group.EARLIER and unopened is kept.group):
            kept = None

    def urgency(row: Row) -> tuple[Group, bool, float]:
        return row.urgency if row is not kept else _urgency(row, row.group)

    by_urgency = sorted(rows, key=urgency)
    place = {row.id: number for number, row in enumerate(by_urgency)}
    children: dict[str, list[Row]] = {}
    for row in by_urgency:
        if row.parent and row.parent in place and row.parent != row.id:
            children.setdefault(row.parent, []).append(row)
    families: list[Sequence[Row]] = [
        (row.at(due := urgency(row)[0], _is_child(row), due <= Group.RUNNING),)
        for row in by_urgency
    ]
    for row in chain.from_iterable(children.values()):
        families[place[row.id]] = ()
    for head, family in _families(by_urgency, children, urgency):
        families[place[head.id]] = family
    return tuple(chain.from_iterable(families))


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


def joined(rows: list[Row], new: list[Row], *, older: bool) -> list[Row]:
    """New rows inserted among the listed ones, without reordering those: children after their
    parents' listed rows, the others on top of their groups, or with `older` at the end. Linear in
    the number of rows."""
    placed = {row.id: row for row in rows}
    heads: dict[Group, list[Row]] = {group: [] for group in Group}
    children: dict[str, list[Row]] = {}
    # parents come before their children
    for row in sorted(new, key=_is_child):
        due, parent = row.due, placed.get(row.parent)
        tall = due <= Group.RUNNING or row.status is RunStatus.CUT_OFF
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


def _is_child(row: Row) -> int:
    return int(bool(row.parent))


def _urgency(row: Row, group: Group) -> tuple[Group, bool, float]:
    """Of those that need somebody the waiting come first, starting ones last; then the newest."""
    return group, is_later(row.state, group), -(row.since or 0.0)
