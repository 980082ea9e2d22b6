"""Whether a record is that of a fork, and of which events."""

from __future__ import annotations

from collections.abc import Mapping

from oh_tui.conversation import ORIGIN, ORIGIN_EVENT
from oh_tui.trajectory.model.fork import Fork


def fork_of(record: Mapping[str, object]) -> Fork | None:
    """None where the run has no event of an origin: an app server never gets those (measured,
    1.11.0)."""
    tags = record.get("tags")

    def text(name: str, tag: str = "") -> str:
        value = record.get(name) or (tags.get(tag) if isinstance(tags, dict) else None)
        return value if isinstance(value, str) else ""

    if record.get("sandbox_id") or not text("forked_from_conversation_id", ORIGIN):
        return None
    return Fork(text("forked_from_event_id", ORIGIN_EVENT), text("created_at"))
