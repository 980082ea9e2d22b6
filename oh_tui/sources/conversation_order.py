"""The orders of conversations, for the list and for commands. What is not known comes last."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from oh_tui.api.models import Conversation
from oh_tui.sources.conversation_query import took
from oh_tui.sources.triage import ConversationState, Group, RunStatus, updated

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
