"""Events as the servers keep them, and when each reaches the app server."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class StoredEvent(msgspec.Struct):
    """One event as both servers keep it. Times are seconds since 1970."""

    id: str
    kind: str
    timestamp: str
    source: str
    raw: bytes
    """The app server's JSON, with null fields and `parent_id`."""
    appended_at: float
    """When the agent server appended it."""
    delivered_at: float = 0.0
    """When it reached the app server."""
    app_only: bool = False
    taken: bool = False
    """It was copied from another conversation, of which no app server hears."""

    def agent_json(self, *, names_parent: bool) -> bytes:
        """The same event as the agent server writes it, without nulls; 1.31.2 to 1.36.1 leave its
        `parent_id` out, and older ones have none (source)."""
        value = msgspec.json.decode(self.raw)
        if not names_parent:
            del value["parent_id"]
        return msgspec.json.encode(_without_nulls(value))


def last_stats(events: Sequence[StoredEvent]) -> tuple[StoredEvent | None, dict[str, object]]:
    """The last event with stats, and these by usage id."""
    for event in reversed(events):
        if event.kind == "ConversationStateUpdateEvent" and not event.taken:
            state = msgspec.json.decode(event.raw)
            if state["key"] == "stats":
                return event, state["value"]["usage_to_metrics"]
    return None, {}


def select(
    events: list[StoredEvent],
    *,
    kind: str | None = None,
    source: str | None = None,
    since: str | None = None,
    before: str | None = None,
) -> list[StoredEvent]:
    """The events with these, `since` and `before` compared as text; None is no condition."""
    if kind is source is since is before is None:
        return events
    return [
        event
        for event in events
        if (kind is None or event.kind == kind)
        and (source is None or event.source == source)
        and (since is None or event.timestamp >= since)
        and (before is None or event.timestamp < before)
    ]


def deliver(events: list[StoredEvent]) -> None:
    """Set when each reaches the app server: five at once, or what there is 30 s after the last."""
    waiting: list[StoredEvent] = []
    for stored in events:
        if waiting and stored.appended_at - waiting[-1].appended_at > 30:
            _send(waiting, waiting[-1].appended_at + 30)
        waiting.append(stored)
        if len(waiting) == 5:
            _send(waiting, stored.appended_at)
    if waiting:
        _send(waiting, waiting[-1].appended_at + 30)


def _send(waiting: list[StoredEvent], at: float) -> None:
    for stored in waiting:
        stored.delivered_at = at
    waiting.clear()


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value
