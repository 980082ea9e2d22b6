"""Items of a context in the order in which the model gets them, joined into messages.

An item is the place of an event in the run, or `~place` of a condensation for its summary.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from oh_tui.trajectory.context.sdk_versions import SdkBehaviour
from oh_tui.trajectory.model.bodies import field, text_field
from oh_tui.trajectory.model.event_tree import Places
from oh_tui.trajectory.model.events import Event

Items = tuple[int, ...]

_SUMMARY = "-summary"
"""What the SDK appends to the id of a condensation for that of its summary."""


class Peeks:
    """What is read of the bodies of events to arrange them, once each."""

    def __init__(self, events: Sequence[Event], places: Places) -> None:
        self.events = events
        self._places = places
        self._plain: dict[int, bool] = {}
        self._thinks: dict[int, bool] = {}

    def id(self, item: int) -> str:
        return self.events[item].id if item >= 0 else f"{self.events[~item].id}{_SUMMARY}"

    def items(self, ids: Iterable[str]) -> set[int]:
        found: set[int | None] = set()
        for one in ids:
            found.add(self._places.of(one))
            place = self._places.of(one.removesuffix(_SUMMARY)) if _SUMMARY in one else None
            found.add(None if place is None else ~place)
        return {item for item in found if item is not None}

    def is_plain_user(self, item: int) -> bool:
        """Whether an item is a message of the user and nothing else."""
        if item < 0:
            return True
        event = self.events[item]
        if not event.is_message:
            return event.is_summary
        if (known := self._plain.get(item)) is None:
            said = field(event.body(), "llm_message")
            role = text_field(said, "role") or ("user" if event.source != "agent" else "")
            others = ("tool_calls", "tool_call_id", "name")
            known = role == "user" and all(field(said, name) is None for name in others)
            self._plain[item] = known
        return known

    def thinks(self, item: int) -> bool:
        """Whether a call has thinking blocks."""
        if item < 0 or not self.events[item].is_action:
            return False
        if (known := self._thinks.get(item)) is None:
            event = self.events[item]
            known = b"thinking_blocks" in event.raw()  # most have none, and need no decoding
            known = known and bool(field(event.body(), "thinking_blocks"))
            self._thinks[item] = known
        return known


class Arrangement:
    """Items, and where their messages begin."""

    __slots__ = ("_peeks", "_rules", "items", "starts")

    def __init__(self, peeks: Peeks, rules: SdkBehaviour, items: Iterable[int] = ()) -> None:
        self._peeks, self._rules = peeks, rules
        self.items = array("i")
        self.starts = array("i")
        """The index of the first item of each message."""
        for item in items:
            self.append(item)

    def append(self, item: int) -> None:
        if not self.items or not self._joins(self.items[-1], item):
            self.starts.append(len(self.items))
        self.items.append(item)

    def count(self, end: int) -> int:
        """How many messages the first `end` items are."""
        return bisect_left(self.starts, end)

    def message(self, number: int, end: int) -> Items:
        """The items of a message, of the first `end` items."""
        return self.messages(range(number, number + 1), end)[0]

    def messages(self, numbers: range, end: int) -> list[Items]:
        """The items of each of some messages, of the first `end` items."""
        items, starts = self.items, self.starts
        begins = starts[numbers.start : numbers.stop]
        stops = starts[numbers.start + 1 : numbers.stop + 1]
        if len(stops) < len(begins):
            stops.append(end)
        return [
            (items[begin],) if stop - begin == 1 else tuple(items[begin : min(stop, end)])
            for begin, stop in zip(begins, stops, strict=True)
        ]

    def _joins(self, before: int, item: int) -> bool:
        """Whether an item is in one message with that before it."""
        peeks = self._peeks
        if item >= 0 and before >= 0 and peeks.events[item].is_action:
            one, other = peeks.events[before], peeks.events[item]
            response = other.llm_response_id
            is_same = bool(response) and one.llm_response_id == response
            return is_same and one.is_action
        if not self._rules.merges_users:
            return False
        return peeks.is_plain_user(item) and peeks.is_plain_user(before)
