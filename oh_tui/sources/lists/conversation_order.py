"""The orders of conversations, for the list and for commands. What is not known comes last."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

from oh_tui.api.models import Conversation
from oh_tui.sources.lists.triage import ConversationState, Group, RunStatus, updated
from oh_tui.trajectory.analysis.step_order import ranked
from oh_tui.trajectory.model.events import seconds

T = TypeVar("T")

_LATER = frozenset({RunStatus.STUCK, RunStatus.ERROR, RunStatus.STARTING})
"""After those that wait, and after those that run."""


class Order(StrEnum):
    """The orders, by their words on the command line."""

    NEEDS = "needs"
    NEWEST = "newest"
    COST = "cost"
    LONGEST = "longest"
    TITLE = "title"
    REPOSITORY = "repo"
    MODEL = "model"

    @property
    def is_falling(self) -> bool:
        """The largest value comes first."""
        return self in (Order.NEWEST, Order.COST, Order.LONGEST)

    def key(self, one: Conversation, state: ConversationState) -> Any:
        """What conversations are sorted by; None where it is not known."""
        match self:
            case Order.COST:
                return one.cost
            case Order.LONGEST:
                return took(one)
            case Order.TITLE:
                return _folded(one.title)
            case Order.REPOSITORY:
                return _folded(one.selected_repository)
            case Order.MODEL:
                return _folded(one.llm_model)
            case Order.NEEDS:
                group = state.group(one)
                return group, group <= Group.RUNNING and state.status in _LATER
            case Order.NEWEST:
                return updated(one) or None


class Sorting(NamedTuple):
    """An order, or the same back to front."""

    order: Order
    back: bool = False

    @property
    def heading(self) -> str:
        """The order in words, for a heading."""
        return _HEADINGS[self.order][self.back]

    @property
    def short(self) -> str:
        """The order in two words."""
        return _SHORT[self.order][self.back]

    @property
    def is_falling(self) -> bool:
        return self.order.is_falling is not self.back

    def sort(
        self, items: Iterable[T], value: Callable[[T], Any], changed: Callable[[T], float]
    ) -> list[T]:
        """The items by their values; of equal ones, and of those without, the newest first."""
        newest = sorted(items, key=changed, reverse=True)
        return ranked(newest, value, falling=self.is_falling)


_HEADINGS = {
    Order.NEEDS: ("what needs you", "what needs you last"),
    Order.NEWEST: ("newest first", "oldest first"),
    Order.COST: ("most expensive first", "cheapest first"),
    Order.LONGEST: ("longest first", "shortest first"),
    Order.TITLE: ("by title", "by title, from the end"),
    Order.REPOSITORY: ("by repository", "by repository, from the end"),
    Order.MODEL: ("by model", "by model, from the end"),
}

_SHORT = {
    Order.NEEDS: ("needs", "needs last"),
    Order.NEWEST: ("newest", "oldest"),
    Order.COST: ("by cost", "cheapest"),
    Order.LONGEST: ("longest", "shortest"),
    Order.TITLE: ("by title", "title, back"),
    Order.REPOSITORY: ("by repo", "repo, back"),
    Order.MODEL: ("by model", "model, back"),
}


def took(conversation: Conversation) -> float | None:
    """Seconds from its creation to its last change; None when that is not known. A server that sets
    `created_at` anew with each change (measured) gives no such time."""
    begun, changed = seconds(conversation.created_at or ""), updated(conversation)
    if begun is None or not changed or changed - begun < 1.0:
        return None
    return changed - begun


def _folded(text: str | None) -> str | None:
    return " ".join((text or "").split()).casefold() or None
