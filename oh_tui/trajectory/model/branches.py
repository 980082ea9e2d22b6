"""The branches of a run: where somebody went back in it and said something else."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from oh_tui.trajectory.model.event_tree import NONE, Places, Tree
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.recorded import Recorded
from oh_tui.trajectory.model.trajectory import ALL, Branch, Trajectory

LOOSE = frozenset({"ConversationStateUpdateEvent", "StreamingDeltaEvent"})
"""Kinds of events that no other event follows."""


class Branches:
    """What is shown of a growing run: one of its branches, or all of it.

    A branch is the way from the first event to one that no message, call or result follows. Events
    beside the way belong to the branch on which they were written. The active branch is that of the
    event that the source names as the one to go on from, else that of the last event. A run that
    went back and has not gone on has one more, which ends there.
    """

    def __init__(self, run: Trajectory, wanted: int | None = None) -> None:
        """`wanted` is the number of a branch, `ALL`, or None for the active one."""
        self.run = run
        self.shown = run
        """The run itself while there is one branch, or all are wanted."""
        self.wanted = wanted
        self._tree: Tree | None = None
        self._places: list[int] = []
        """Those of the events shown, of a branch."""
        self._seen = 0
        self._last = ""
        self._names_parents = False
        self._update()

    @property
    def count(self) -> int:
        return self.run.branch.count if self.run.branch else 1

    def choose(self, wanted: int | None) -> None:
        """Shows another branch."""
        self.wanted = wanted
        self._update()

    def extend(self, events: Iterable[Event]) -> list[int] | None:
        """Adds events to the run. Returns the numbers of the earlier steps shown that got a result;
        None if `shown` is another one from now on."""
        news = list(events)
        if any(event.kind not in LOOSE for event in news):
            self.run.head = ""  # it was read before they came
        before, changed = self.shown, self.run.extend(news)
        on_branch = self._update()
        if self.shown is not before:
            return None
        return changed if self.shown is self.run else on_branch

    def holding(self, event_id: str) -> int | None:
        """The number of a branch that has an event, `ALL` where only all of them tell; None if the
        run has it not."""
        tree, place = self._branching(), self.run.place_of(event_id)
        if tree is None or place is None or (anchor := tree.anchor[place]) == NONE:
            return None if place is None else 1
        branch = tree.lines[tree.line[anchor]].branch
        return branch + 1 if place in members(tree, tree.ends, branch) else ALL

    def begin_of(self, number: int) -> Event | None:
        """The first step of a branch that the ones before it have not; None for one that went back
        and nothing since."""
        tree = self._branching()
        for line in tree.lines if tree else ():
            if line.branch != number - 1:
                continue
            for place in (line.condensation, *line.tail[:2]):
                if place != NONE and not self.run.events[place].is_hidden:
                    return self.run.events[place]
        return None

    def _update(self) -> list[int]:
        """Shows what is wanted. Returns the numbers of the earlier steps of a branch that got a
        result."""
        tree = self._branching()
        if tree is None:
            self.shown, self.run.branch = self.run, None
            return []
        head = self._head(tree)
        ends, active = self._ends(tree, head)
        count = len(ends)
        if count == 1:
            self.shown, self.run.branch = self.run, None
            return []
        self.run.branch = Branch(ALL, count, active, self.run)
        number = active if self.wanted is None else min(self.wanted, count)
        if number == ALL:
            self.shown = self.run
            return []
        return self._show(number, members(tree, ends, number - 1), is_back=len(tree.ends) < number)

    def _show(self, number: int, places: list[int], *, is_back: bool) -> list[int]:
        run, known = self.run, len(self._places)
        assert run.branch is not None
        before = self.shown.branch
        goes_on = before and before.number == number and places[:known] == self._places
        if not goes_on:
            self.shown = Trajectory(complete=run.complete, clock=run.clock)
            known = 0
        shown, self._places = self.shown, places
        shown.branch = replace(run.branch, number=number, returns=_returns(run.events, places))
        changed = shown.extend(run.events[place] for place in places[known:])
        is_active = number == run.branch.active
        shown.live = run.live and is_active
        record = run.recorded  # what it says of the end of the run is of its active branch
        shown.recorded = record if is_active else Recorded(agent=record.agent, format=record.format)
        shown.orphaned, shown.cut_off = run.orphaned and is_active, run.cut_off if is_active else ""
        if is_active:
            # nothing was said since it went back: whatever ended before is not the end of this
            shown.status = "idle" if is_back else run.status
        return changed

    def _branching(self) -> Tree | None:
        """The tree of the run; None while each event follows the one before it. Where the order of
        the events contradicts their parents, nothing tells where branches part."""
        events = self.run.events
        has_branches = self._tree is not None
        for event in events[self._seen :]:
            if event.kind in LOOSE:
                continue
            if event.parent_id:
                self._names_parents = True
                has_branches |= self._last not in ("", event.parent_id)
            self._last = event.id
        self._seen = len(events)
        if not has_branches and (not self._names_parents or self.run.head in ("", self._last)):
            return None
        if self._tree is None:
            self._tree = Tree(Places(events))
        self._tree.extend(events)
        return None if self._tree.is_disordered or not self._tree.ends else self._tree

    def _head(self, tree: Tree) -> int:
        """The event to go on from, of those that make messages or are a condensation. While the
        agent works its source may be behind the events."""
        events, place = self.run.events, None
        if self.run.head and self.run.status != "running":
            place = self.run.place_of(self.run.head)
        if place is None:
            loose = (n for n in reversed(range(len(events))) if events[n].kind not in LOOSE)
            place = next(loose, NONE)
        return NONE if place == NONE else tree.anchor[place]

    def _ends(self, tree: Tree, head: int) -> tuple[list[int], int]:
        """The last event of each branch that makes messages, and the number of the active one."""
        if head == NONE:
            return tree.ends, len(tree.ends)
        branch = tree.lines[tree.line[head]].branch
        if tree.ends[branch] == head or self.run.status == "running":
            return tree.ends, branch + 1
        return [*tree.ends, head], len(tree.ends) + 1


def members(tree: Tree, ends: list[int], branch: int) -> list[int]:
    """The places of the events of a branch, ascending: those on the way to its end, and of those
    beside a way what was written before the branch left that, or after all others had."""
    up, count = tree.up, len(tree.up)
    on_a_way = bytearray(count)
    for place in ends:
        while place != NONE and not on_a_way[place]:
            on_a_way[place] = True
            place = up[place]
    following, on_way = array("i", [NONE]) * count, bytearray(count)
    after, place = NONE, ends[branch]
    while place != NONE:
        on_way[place], following[place] = True, after
        after, place = place, up[place]
    last = array("i", [NONE]) * count
    """The last event on any way that follows an event."""
    for place in range(count):
        if on_a_way[place] and up[place] != NONE:
            last[up[place]] = place
    found, holder = list[int](), array("i")
    for place in range(count):
        if on_a_way[place]:
            holder.append(place)
            if on_way[place]:
                found.append(place)
            continue
        beside = NONE if up[place] == NONE else holder[up[place]]
        holder.append(beside)
        after = NONE if beside == NONE else following[beside]
        is_late = after not in (NONE, last[beside]) and place > after
        if beside == NONE or (on_way[beside] and not is_late):
            found.append(place)
    return found


def _returns(events: list[Event], places: list[int]) -> Mapping[str, Event]:
    """The ids of the events at these places before which there are others, with the last one."""
    found, here, away = dict[str, Event](), set(places), None
    for place, event in enumerate(events[: places[-1] + 1]):
        if place not in here:
            away = event if event.kind not in LOOSE else away
        elif away and (event.status or event.kind not in LOOSE):
            found[event.id] = away
            away = away if event.kind in LOOSE else None  # who is asked again is idle just before
    return found


def shown(run: Trajectory, wanted: int | None = None) -> Trajectory:
    """The run on one branch, as `Branches` takes it: itself while it has one."""
    return Branches(run, wanted).shown


def is_rewound(run: Trajectory, head: str) -> bool:
    """Whether the event to go on from, where it is known, is not the last one."""
    last = next((event for event in reversed(run.events) if event.kind not in LOOSE), None)
    return last is not None and head not in ("", last.id)


def lacks_parents(events: Iterable[Event]) -> bool:
    """Whether some event does not say which one it follows; the first one has nothing to say."""
    chain = (event for event in events if event.kind not in LOOSE)
    next(chain, None)
    return any(not event.parent_id for event in chain)


def give_parents(events: Iterable[Event], parents: Mapping[str, str]) -> None:
    """Sets the parent of each event that has none. `parents` maps ids to ids of parents."""
    for event in events:
        event.parent_id = event.parent_id or parents.get(event.id, "")
