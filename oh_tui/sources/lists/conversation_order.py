"""The orders of conversations, for the list and for commands. What is not known comes last."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from oh_tui.api.models import Conversation
from oh_tui.sources.lists.triage import ConversationState, Group, RunStatus, updated
from oh_tui.trajectory.model.events import seconds

_LATER = frozenset({RunStatus.STUCK, RunStatus.ERROR, RunStatus.STARTING})
"""After those that wait, and after those that run."""


class Order(StrEnum):
    """The orders, by their words on the command line."""

    NEEDS = "needs"
    NEWEST = "newest"
    COST = "cost"
    LONGEST = "longest"
    TITLE = "title"

    @property
    def heading(self) -> str:
        """The order in words, for a heading."""
        return {
            Order.NEEDS: "what needs you",
            Order.NEWEST: "newest first",
            Order.COST: "most expensive first",
            Order.LONGEST: "longest first",
            Order.TITLE: "by title",
        }[self]

    @property
    def short(self) -> str:
        """The order in two words."""
        return {Order.COST: "by cost", Order.TITLE: "by title"}.get(self, self.value)

    def key(self, one: Conversation, state: ConversationState) -> tuple[Any, ...]:
        """What conversations are sorted by."""
        when = -updated(one)
        match self:
            case Order.COST:
                return (one.cost is None, -(one.cost or 0.0), when)
            case Order.LONGEST:
                span = took(one)
                return (span is None, -(span or 0.0), when)
            case Order.TITLE:
                title = " ".join((one.title or "").split()).casefold()
                return (not title, title, when)
            case Order.NEEDS:
                group = state.group(one)
                return (group, group <= Group.RUNNING and state.status in _LATER, when)
            case Order.NEWEST:
                return (when,)


def took(conversation: Conversation) -> float | None:
    """Seconds from its creation to its last change; None when that is not known. A server that sets
    `created_at` anew with each change (measured) gives no such time."""
    begun, changed = seconds(conversation.created_at or ""), updated(conversation)
    if begun is None or not changed or changed - begun < 1.0:
        return None
    return changed - begun
