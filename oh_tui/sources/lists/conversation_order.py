"""The orders of conversations, for the list and for commands. What is not known comes last."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from oh_tui.api.models import Conversation
from oh_tui.sources.lists.triage import ConversationState, Group, RunStatus, updated, updated_text
from oh_tui.trajectory.analysis.step_order import ranked
from oh_tui.trajectory.model.clock import is_bare, seconds

T = TypeVar("T")

_LATER = frozenset({RunStatus.STUCK, RunStatus.ERROR, RunStatus.STARTING})
"""After those that wait, and after those that run."""


class Order(StrEnum):
    """The orders, by their words on the command line."""

    NEEDS = "needs"
    NEWEST = "newest"
    COST = "cost"
    TOKENS = "tokens"
    LONGEST = "longest"
    TITLE = "title"
    REPOSITORY = "repo"
    MODEL = "model"
    PULL = "pr"

    @property
    def is_falling(self) -> bool:
        """The largest value comes first."""
        return self in (Order.NEWEST, Order.COST, Order.TOKENS, Order.LONGEST, Order.PULL)

    @property
    def key(self) -> Callable[[Conversation, ConversationState], Any]:
        """What a conversation is sorted by; None where it is not known."""
        return _KEYS[self]


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

    def sort(self, items: Iterable[tuple[Any, float, T]]) -> list[T]:
        """The items by their values; of equal ones, and of those without, the newest first. Each
        comes with its value and the time of its last change."""
        newest = sorted(items, key=itemgetter(1), reverse=True)
        return ranked(newest, falling=self.is_falling)


_HEADINGS = {
    Order.NEEDS: ("what needs you", "what needs you last"),
    Order.NEWEST: ("newest first", "oldest first"),
    Order.COST: ("most expensive first", "cheapest first"),
    Order.TOKENS: ("most tokens first", "fewest tokens first"),
    Order.LONGEST: ("longest first", "shortest first"),
    Order.TITLE: ("by title", "by title, from the end"),
    Order.REPOSITORY: ("by repository", "by repository, from the end"),
    Order.MODEL: ("by model", "by model, from the end"),
    Order.PULL: ("newest pull request first", "oldest pull request first"),
}

_SHORT = {
    Order.NEEDS: ("needs", "needs last"),
    Order.NEWEST: ("newest", "oldest"),
    Order.COST: ("by cost", "cheapest"),
    Order.TOKENS: ("by tokens", "fewest tokens"),
    Order.LONGEST: ("longest", "shortest"),
    Order.TITLE: ("by title", "title, back"),
    Order.REPOSITORY: ("by repo", "repo, back"),
    Order.MODEL: ("by model", "model, back"),
    Order.PULL: ("by PR", "PR, back"),
}


def took(conversation: Conversation) -> float | None:
    """Seconds from its creation to its last change; None when that is not known. A server that sets
    `created_at` anew with each change (measured) gives no such time."""
    made, now = conversation.created_at or "", updated_text(conversation)
    begun, changed = seconds(made), seconds(now)
    if begun is None or changed is None or changed - begun < 1.0 or is_bare(made) != is_bare(now):
        return None
    return changed - begun


def _folded(text: str | None) -> str | None:
    return " ".join(text.split()).casefold() or None if text else None


def _needs(one: Conversation, state: ConversationState) -> tuple[Group, bool]:
    group = state.group(one)
    return group, group <= Group.RUNNING and state.status in _LATER


_KEYS: dict[Order, Callable[[Conversation, ConversationState], Any]] = {
    Order.NEEDS: _needs,
    Order.NEWEST: lambda one, _: updated(one) or None,
    Order.COST: lambda one, _: one.cost,
    Order.TOKENS: lambda one, _: one.tokens or None,
    Order.LONGEST: lambda one, _: took(one),
    Order.TITLE: lambda one, _: _folded(one.title),
    Order.REPOSITORY: lambda one, _: _folded(one.selected_repository),
    Order.MODEL: lambda one, _: _folded(one.llm_model),
    Order.PULL: lambda one, _: one.pr_number[-1] if one.pr_number else None,
}
