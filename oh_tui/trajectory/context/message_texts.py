"""The texts of messages, made of the bodies of events when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from oh_tui.trajectory.context import sdk_messages
from oh_tui.trajectory.context.message_order import Items
from oh_tui.trajectory.context.rules import Rules
from oh_tui.trajectory.context.sdk_messages import Body
from oh_tui.trajectory.model.events import Event


class Look(NamedTuple):
    """What is kept of a message."""

    chars: int
    has_image: bool


class Texts:
    """Makes messages of items: places of events, and `~place` of a condensation's summary."""

    def __init__(self, events: Sequence[Event], rules: Rules) -> None:
        self._events, self._rules = events, rules
        self._looks: dict[Items, Look] = {}

    def event(self, item: int) -> Event:
        """The event of an item, of a summary its condensation."""
        return self._events[item if item >= 0 else ~item]

    def dump(self, items: Items) -> Body:
        bodies = [self.event(item).body() for item in items]
        # the kind of the head: a body may have none
        kinds = [{"kind": self.event(item).kind} for item in items]
        return sdk_messages.message(
            [body | kind for body, kind in zip(bodies, kinds, strict=True)], self._rules
        )

    def look(self, items: Items) -> Look:
        if (known := self._looks.get(items)) is None:
            made = self.dump(items)
            known = Look(sdk_messages.size(made), sdk_messages.has_image(made))
            self._looks[items] = known
        return known
