"""A context made from all events on the way to it, the slow way, right for any run, and the list
that both ways keep.

`views` takes the fast way where both agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from oh_tui.trajectory.context.message_order import Peeks
from oh_tui.trajectory.context.sdk_versions import SdkBehaviour
from oh_tui.trajectory.model.bodies import field, list_field
from oh_tui.trajectory.model.events import Event

_BLOCK = 512
"""Items of a block when it is made; it is divided when it has twice as many."""


class LongList:
    """Items, each of which is there once."""

    __slots__ = ("_block_of", "_blocks")

    def __init__(self, items: Iterable[int] = ()) -> None:
        self._blocks: list[list[int]] = [[]]
        self._block_of: dict[int, list[int]] = {}
        for item in items:
            self.append(item)

    def __len__(self) -> int:
        return len(self._block_of)

    def __iter__(self) -> Iterator[int]:
        for block in self._blocks:
            yield from block

    def __contains__(self, item: int) -> bool:
        return item in self._block_of

    def append(self, item: int) -> None:
        self._put(len(self._blocks) - 1, len(self._blocks[-1]), item)

    def insert(self, at: int, item: int) -> None:
        """Put it before the item at an index, or at the end."""
        if at >= len(self):
            self.append(item)
            return
        number = 0
        while at > len(self._blocks[number]):
            at -= len(self._blocks[number])
            number += 1
        self._put(number, at, item)

    def take_out(self, items: Iterable[int]) -> None:
        """Items that are there."""
        for item in items:
            self._block_of.pop(item).remove(item)

    def _put(self, number: int, at: int, item: int) -> None:
        block = self._blocks[number]
        block.insert(at, item)
        self._block_of[item] = block
        if len(block) >= 2 * _BLOCK:
            rest = block[_BLOCK:]
            del block[_BLOCK:]
            self._blocks.insert(number + 1, rest)
            self._block_of.update((one, rest) for one in rest)


class Condensing(NamedTuple):
    forgotten: frozenset[str]
    """The ids of what it takes out."""
    offset: int | None
    """The index at which its summary stands in what is left; None without a summary."""


def condensing(event: Event) -> Condensing:
    body: Any = event.body()
    ids, offset = list_field(body, "forgotten_event_ids"), field(body, "summary_offset")
    has_summary = isinstance(field(body, "summary"), str) and type(offset) is int
    forgotten = (one for one in ids if isinstance(one, str))
    return Condensing(frozenset(forgotten), max(0, offset) if has_summary else None)


def condensed(items: LongList, place: int, does: Condensing, peeks: Peeks) -> set[int]:
    """Does what a condensation at a place of the run does to the items, and returns what it took
    out."""
    gone = {item for item in peeks.items(does.forgotten) if item in items}
    items.take_out(gone)
    if does.offset is not None:
        items.insert(does.offset, ~place)
    return gone


def whole(path: Sequence[int], peeks: Peeks, rules: SdkBehaviour) -> list[int]:
    """The items of a context, from all events from the root to it."""
    events = peeks.events
    if not rules.keeps_summaries:
        return _at_once(path, peeks)
    items = LongList()
    for place in path:
        if events[place].is_condensation:
            condensed(items, place, condensing(events[place]), peeks)
        elif events[place].is_seen:
            items.append(place)
    return _repaired(list(items), path, peeks, rules)


def _repaired(
    items: list[int], path: Sequence[int], peeks: Peeks, rules: SdkBehaviour
) -> list[int]:
    """Takes out what no model accepts, until nothing changes."""
    events = peeks.events
    batches = _batches(path, events)
    loops = _loops(path, peeks) if rules.whole_loops else []
    while True:
        gone = _second_results(items, events) if rules.first_result_wins else set()
        gone = gone or _parts_of_batches(items, batches, events) or _unmatched(items, events)
        gone = gone or _parts_of_loops(items, loops)
        if not gone:
            return items
        items = [item for item in items if item not in gone]


def _calls(items: Iterable[int], events: Sequence[Event]) -> list[int]:
    return [n for n in items if n >= 0 and events[n].is_action]


def _results(items: Iterable[int], events: Sequence[Event]) -> list[int]:
    return [n for n in items if n >= 0 and events[n].is_result]


def _batches(items: Iterable[int], events: Sequence[Event]) -> Counter[str]:
    """Response id -> how many calls it has."""
    return Counter(events[n].llm_response_id for n in _calls(items, events))


def _second_results(items: Sequence[int], events: Sequence[Event]) -> set[int]:
    known: set[str] = set()
    gone: set[int] = set()
    for item in _results(items, events):
        call = events[item].tool_call_id
        if call in known:
            gone.add(item)
        known.add(call)
    return gone


def _unmatched(items: Sequence[int], events: Sequence[Event]) -> set[int]:
    calls, results = _calls(items, events), _results(items, events)
    called = {events[n].tool_call_id for n in calls}
    answered = {events[n].tool_call_id for n in results}
    alone = {n for n in calls if events[n].tool_call_id not in answered}
    return alone | {n for n in results if events[n].tool_call_id not in called}


def _parts_of_batches(
    items: Sequence[int], batches: Counter[str], events: Sequence[Event]
) -> set[int]:
    here = _batches(items, events)
    parts = {one for one, count in here.items() if one and count != batches[one]}
    return {n for n in _calls(items, events) if events[n].llm_response_id in parts}


def _loops(path: Sequence[int], peeks: Peeks) -> list[set[int]]:
    """The tool loops that begin with thinking."""
    events = peeks.events
    loops: list[set[int]] = []
    is_inside = False
    for place in path:
        if peeks.thinks(place):
            loops.append({place})
            is_inside = True
        elif not events[place].is_action and not events[place].is_result:
            is_inside = False
        elif is_inside:
            loops[-1].add(place)
    return loops


def _parts_of_loops(items: Sequence[int], loops: list[set[int]]) -> set[int]:
    here = set(items)
    return {item for loop in loops if not loop <= here for item in loop & here}


def _at_once(path: Sequence[int], peeks: Peeks) -> list[int]:
    """Before SDK 1.10: all condensations take out together, and the last summary is put in."""
    events = peeks.events
    ids: set[str] = set()
    last: tuple[int, int] | None = None
    for place in path:
        if events[place].is_condensation:
            does = condensing(events[place])
            ids |= does.forgotten
            last = last if does.offset is None else (does.offset, place)
    gone = {n for n in path if events[n].id in ids}
    gone |= _whole_batches(gone, path, events)
    items = [n for n in path if events[n].is_seen and n not in gone]
    if last is not None:
        items.insert(last[0], ~last[1])
    alone = _unmatched(items, events)
    alone |= _whole_batches(alone, items, events)
    calls = {events[n].tool_call_id for n in _calls(alone, events)}
    alone |= {n for n in _results(items, events) if events[n].tool_call_id in calls}
    return [n for n in items if n not in alone]


def _whole_batches(gone: Iterable[int], items: Iterable[int], events: Sequence[Event]) -> set[int]:
    """The calls of those answers of which a call is gone."""
    answers = {events[n].llm_response_id for n in _calls(gone, events)} - {""}
    return {n for n in _calls(items, events) if events[n].llm_response_id in answers}
