"""Where the own part of a fork begins, after the events that it took from its origin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from oh_tui.trajectory.model.clock import is_bare, seconds
from oh_tui.trajectory.model.events import Event


class Fork(NamedTuple):
    """What its record says of a run that was forked from another."""

    at: str = ""
    """The id of the last event that it took; "" if it took all."""
    made: str = ""
    """When it was made, as ISO 8601; "" where nothing tells."""

    def taken(self, events: Sequence[Event]) -> int | None:
        """How many of its first events it took; None where nothing tells. Only the end of a run may
        be read, which does not have the last one."""
        for place, event in enumerate(events if self.at else ()):
            if event.id == self.at:
                return place + 1
        made = seconds(self.made)
        if self.at or made is None:
            return 0 if self.at else None
        for place, event in enumerate(events):
            if (when := event.seconds()) is None:
                continue
            if is_bare(event.timestamp):
                return None
            if when >= made:
                return place
        return len(events)
