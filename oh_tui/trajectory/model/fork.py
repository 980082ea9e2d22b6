"""Where the own part of a fork begins, after the events that it took from its origin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from oh_tui.trajectory.model.clock import is_bare, seconds
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.usage_stats import answers_by


class Fork(NamedTuple):
    """What its record says of a run that was forked from another."""

    at: str = ""
    """The id of the last event that it took; "" if it took all."""
    made: str = ""
    """When it was made, as ISO 8601; "" where nothing tells."""

    def taken(self, events: Sequence[Event], stats: bytes = b"") -> int:
        """How many of its first events it took. Only the end of a run may be read, which does not
        have the last one. Without a zone the answers that the `stats` of its record list tell it:
        the first one follows a message to the fork."""
        if self.at:
            return next((place for place, one in enumerate(events, 1) if one.id == self.at), 0)
        made, prompt = seconds(self.made), 0
        own = answers_by(stats, self.made)[1]
        for place, event in enumerate(events):
            if made is not None and not is_bare(event.timestamp):
                if (event.seconds() or 0.0) >= made:
                    return place
                continue
            if event.is_by_user:
                prompt = place
            if event.llm_response_id in own:
                return prompt
        return len(events)
