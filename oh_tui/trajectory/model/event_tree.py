"""The tree of a run's events, as lines: parts of it without a branch and without a condensation."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import msgspec

from oh_tui.trajectory.model.event_kinds import SEEN_KINDS
from oh_tui.trajectory.model.events import Event

ROOT = "__root__"
"""The `parent_id` of an event that begins a tree anew."""

NONE = -1
LOST = -2


class Line(msgspec.Struct, eq=False):
    """Events that follow each other. It begins at a root, at a branch or with a condensation."""

    begins: int
    """The event that it continues; NONE at a root."""
    branch: int
    """The number of its branch, from 0 in the order in which they began."""
    condensation: int = NONE
    """Its first event, if that is a condensation."""
    tail: array[int] = msgspec.field(default_factory=lambda: array("i"))
    """Its events that are in the context, in order."""


class Places:
    """Where the events of a growing run are, by id; filled when it is first asked."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = events
        self._known: dict[str, int] = {}

    def of(self, event_id: str) -> int | None:
        for place in range(len(self._known), len(self._events)):
            self._known[self._events[place].id] = place
        return self._known.get(event_id)


class Tree:
    """Which event follows which, in a growing run. Events are named by their places in the run.

    An event without a `parent_id` follows the one before it in the run. So does one whose parent is
    not before it, which is counted: thus no circle can arise.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self.up = array("i")
        """Event -> the one that it follows; NONE at a root."""
        self.anchor = array("i")
        """Event -> the last one at or before it that is in the context or a condensation."""
        self.line = array("i")
        """Anchor -> the number of its line; NONE for other events."""
        self.lines: list[Line] = []
        self.lost = 0
        """Events that make messages and whose parent is not before them."""
        self.ends: list[int] = []
        """Branch -> its last event that is in the context or a condensation."""
        self.is_disordered = False
        """Some parent comes after its child: where branches part is not certain."""
        self._missing: set[str] = set()
        """Parents that were not there yet."""

    def extend(self, events: Sequence[Event]) -> None:
        """Takes the events that are new since the last call, of all events of the run."""
        for place in range(len(self.up), len(events)):
            event = events[place]
            self.is_disordered |= event.id in self._missing
            up = self._parent(events, place)
            is_condensation = event.kind == "Condensation"
            is_seen = is_condensation or event.kind in SEEN_KINDS  # a third of `event.is_seen`
            if up == LOST:
                self.lost += is_seen
                self._missing.add(event.parent_id)
                up = place - 1
            self.up.append(up)
            before = NONE if up == NONE else self.anchor[up]
            if not is_seen:
                self.anchor.append(before)
                self.line.append(NONE)
                continue
            self.anchor.append(place)
            at = NONE if before == NONE else self.line[before]
            branch = NONE if at == NONE else self.lines[at].branch
            goes_on = branch != NONE and self.ends[branch] == before
            if not goes_on:
                branch = len(self.ends)
                self.ends.append(place)
            if is_condensation or not goes_on:
                at = len(self.lines)
                self.lines.append(Line(before, branch, place if is_condensation else NONE))
            self.line.append(at)
            self.ends[branch] = place
            if not is_condensation:
                self.lines[at].tail.append(place)

    def path(self, end: int) -> list[int]:
        found = []
        while end != NONE:
            found.append(end)
            end = self.up[end]
        found.reverse()
        return found

    def _parent(self, events: Sequence[Event], place: int) -> int:
        parent = events[place].parent_id
        if parent == ROOT:
            return NONE
        if not parent:
            return place - 1
        if place and events[place - 1].id == parent:
            return place - 1
        last = self.anchor[place - 1] if place else NONE
        if last != NONE and events[last].id == parent:
            return last
        found = self._places.of(parent)
        return LOST if found is None or found >= place else found
