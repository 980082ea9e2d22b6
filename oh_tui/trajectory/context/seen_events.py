"""What is in the context after each event, in a way that neighbours share.

Between two condensations a context only grows, so those of a line are beginnings of one list, its
`Stretch`. Where a beginning is not what the SDK would send, as with a call without a result, the
context is made the slow way, by `whole`.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from oh_tui.trajectory.context.message_order import Arrangement, Peeks
from oh_tui.trajectory.context.sdk_versions import SdkBehaviour
from oh_tui.trajectory.context.whole import LongList, condensed, condensing, whole
from oh_tui.trajectory.model.event_tree import NONE, Line, Tree
from oh_tui.trajectory.model.events import Event

_SLOW = 4
"""Contexts made the slow way that are kept."""


class Stretch(Arrangement):
    """The items of a line, with those before it, and which beginnings of them are right."""

    __slots__ = ("_calls", "_firsts", "_is_sound", "_open", "_responses", "base", "right")

    def __init__(
        self,
        peeks: Peeks,
        rules: SdkBehaviour,
        firsts: dict[str, int],
        base: Sequence[int],
        *,
        is_sound: bool,
    ) -> None:
        """`firsts` has the first call of each answer, `base` the items before the line."""
        self._firsts = firsts
        self._calls: dict[str, bool] = {}
        """tool_call_id -> whether its result is here."""
        self._responses: set[str] = set()
        self._open = 0
        """How many calls have no result yet."""
        self._is_sound = is_sound and rules.keeps_summaries
        """False once something is amiss that a later event cannot mend."""
        self.right = bytearray([self._is_sound])
        """Number of items -> whether the first ones are what was sent."""
        super().__init__(peeks, rules, base)
        self.base = len(self.items)

    def append(self, item: int) -> None:
        super().append(item)
        event = self._peeks.events[item]
        if item >= 0 and event.is_action:
            self._call(item, event)
        elif item >= 0 and event.is_result:
            call = event.tool_call_id
            self._is_sound &= self._calls.get(call, True) is False
            self._open -= self._is_sound
            self._calls[call] = True
        self.right.append(self._is_sound and not self._open)

    def _call(self, item: int, event: Event) -> None:
        self._is_sound &= event.tool_call_id not in self._calls
        self._calls[event.tool_call_id] = False
        self._open += 1
        response = event.llm_response_id
        if response and response not in self._responses:
            # its first call is forgotten, or on another branch
            self._is_sound &= self._firsts.get(response, item) == item
            self._responses.add(response)


class _Base(NamedTuple):
    items: array[int]
    is_sound: bool
    """Whether no condensation has left a part of what belongs together."""


class _Condensed:
    """What is in the context while condensations act on it, one after the other."""

    def __init__(self, peeks: Peeks, rules: SdkBehaviour, base: _Base) -> None:
        self._peeks, self._rules = peeks, rules
        self._items = LongList()
        self._is_sound = base.is_sound
        self._groups: dict[int, list[str | int]] = {}
        """Item -> what it belongs to: an answer, and the first call of a loop that begins with
        thinking."""
        self._here: Counter[str | int] = Counter()
        """How many items of each of these are here."""
        self._loop: int | None = None
        """That of the last item."""
        for item in base.items:
            self.append(item)

    @property
    def base(self) -> _Base:
        return _Base(array("i", self._items), self._is_sound)

    def __len__(self) -> int:
        return len(self._items)

    def append(self, item: int) -> None:
        self._items.append(item)
        if item < 0:
            return
        event = self._peeks.events[item]
        is_call = event.is_action
        if not is_call and not event.is_result:
            self._loop = None
            return
        if self._rules.whole_loops and self._peeks.thinks(item):
            self._loop = item
        groups: list[str | int] = [] if self._loop is None else [self._loop]
        if is_call and event.llm_response_id:
            groups.append(event.llm_response_id)
        if groups:
            self._groups[item] = groups
            self._here.update(groups)

    def condense(self, place: int) -> set[int]:
        """Does what a condensation does, and returns what it took out."""
        does = condensing(self._peeks.events[place])
        gone = condensed(self._items, place, does, self._peeks)
        taken = Counter(group for item in gone for group in self._groups.get(item, ()))
        self._is_sound &= all(self._here[group] == count for group, count in taken.items())
        self._here.subtract(taken)
        self._loop = None
        return gone


class Views:
    """The contexts of a growing run."""

    def __init__(
        self, tree: Tree, peeks: Peeks, rules: SdkBehaviour, firsts: dict[str, int]
    ) -> None:
        self._tree, self._peeks, self._rules, self._firsts = tree, peeks, rules, firsts
        self._bases: dict[int, _Base] = {}
        """Line -> what was in the context before it, the one used last at the end."""
        self._stretches: dict[int, Stretch] = {}
        """The same for their stretches."""
        self._held = 0
        """How many items these have before their lines."""
        self._slow: dict[int, Arrangement] = {}
        self._gone: dict[int, array[int]] = {}
        """Number of a line that begins with a condensation -> what that took out."""

    def at(self, end: int) -> tuple[Arrangement, int]:
        """The context after an event: an arrangement, and how many of its items are in it."""
        if (anchor := NONE if end == NONE else self._tree.anchor[end]) == NONE:
            return Arrangement(self._peeks, self._rules), 0
        at = self._tree.line[anchor]
        stretch = self._stretch(at)
        count = stretch.base + bisect_right(self._tree.lines[at].tail, anchor)
        if stretch.right[count]:
            return stretch, count
        made = self._slow.pop(end, None)
        if made is None:
            items = whole(self._tree.path(end), self._peeks, self._rules)
            made = Arrangement(self._peeks, self._rules, items)
        self._slow[end] = made
        if len(self._slow) > _SLOW:
            del self._slow[next(iter(self._slow))]
        return made, len(made.items)

    def _stretch(self, at: int) -> Stretch:
        """The stretch of a line, with all events that the line has now."""
        if (stretch := self._stretches.pop(at, None)) is None:
            base = self._base(at)
            stretch = Stretch(
                self._peeks, self._rules, self._firsts, base.items, is_sound=base.is_sound
            )
            self._held += stretch.base
        self._stretches[at] = stretch
        for place in self._tree.lines[at].tail[len(stretch.items) - stretch.base :]:
            stretch.append(place)
        self._forget()
        return stretch

    def _base(self, at: int) -> _Base:
        """What was in the context before a line, its condensation applied."""
        lines, way = self._tree.lines, [at]
        while way[-1] not in self._bases and (begins := lines[way[-1]].begins) != NONE:
            way.append(self._tree.line[begins])
        known = self._bases.pop(way[-1], None)
        if known is not None:
            self._bases[way.pop()] = known
        if known is not None and not way:
            return known
        held = _Condensed(self._peeks, self._rules, known or _Base(array("i"), True))
        most = self._most
        for line in reversed(way):
            self._begin(lines[line], held)
            if line == at or self._held + len(held) <= most:
                self._bases[line] = base = held.base
                self._held += len(held)
        self._forget()
        return base

    def _begin(self, line: Line, held: _Condensed) -> None:
        """Makes of the base of the line that a line begins at the base of this line."""
        if line.begins != NONE:
            tail = self._tree.lines[self._tree.line[line.begins]].tail
            for place in tail[: bisect_right(tail, line.begins)]:
                held.append(place)
        if line.condensation != NONE:
            gone = held.condense(line.condensation)
            self._gone[self._tree.line[line.condensation]] = array("i", sorted(gone))

    def taken_out(self, condensation: int) -> array[int]:
        at = self._tree.line[condensation]
        if (known := self._gone.get(at)) is None:
            self._base(at)
            known = self._gone[at]
        return known

    def forgotten(self, end: int) -> list[tuple[int, int]]:
        """What condensations before an event took out, each with the condensation."""
        found: list[tuple[int, int]] = []
        at = NONE if end == NONE else self._tree.anchor[end]
        while at != NONE:
            line = self._tree.lines[self._tree.line[at]]
            if (place := line.condensation) != NONE:
                found += [(item, place) for item in self.taken_out(place)]
            at = line.begins
        return found

    @property
    def _most(self) -> int:
        """Items that are held."""
        return 8 * len(self._tree.up) + 1_000

    def _forget(self) -> None:
        """Lets go of what is held, so that all together is in proportion to the run."""
        most = self._most
        while self._held > most and len(self._bases) > 2:
            self._held -= len(self._bases.pop(next(iter(self._bases))).items)
        while self._held > most and len(self._stretches) > 2:
            self._held -= self._stretches.pop(next(iter(self._stretches))).base
