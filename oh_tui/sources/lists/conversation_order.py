"""An order of conversations, for the list and for commands. What is not known comes last."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

import msgspec

from oh_tui.api.models import Conversation
from oh_tui.sources.lists.triage import ConversationState, updated_text
from oh_tui.trajectory.analysis.step_order import ranked
from oh_tui.trajectory.model.clock import is_bare, seconds

T = TypeVar("T")


class Order(msgspec.Struct, frozen=True):
    word: str
    """On the command line and in the settings."""
    rank: int
    """Its place among the orders."""
    key: Callable[[Conversation, ConversationState], Any]
    """What a conversation is sorted by; None where it is not known."""
    headings: tuple[str, str]
    """In words, and back to front."""
    short: tuple[str, str]
    """In two words, and back to front."""
    menu: tuple[str, str] | None = None
    """The key and the name of one that `s` offers."""
    is_falling: bool = False
    """The largest value comes first."""


class Sorting(NamedTuple):
    """An order, or the same back to front."""

    order: Order
    back: bool = False

    @property
    def heading(self) -> str:
        """The order in words, for a heading."""
        return self.order.headings[self.back]

    @property
    def short(self) -> str:
        """The order in two words."""
        return self.order.short[self.back]

    @property
    def is_falling(self) -> bool:
        return self.order.is_falling is not self.back

    def sort(self, items: Iterable[tuple[Any, float, T]]) -> list[T]:
        """The items by their values; of equal ones, and of those without, the newest first. Each
        comes with its value and the time of its last change."""
        newest = sorted(items, key=itemgetter(1), reverse=True)
        return ranked(newest, falling=self.is_falling)


def took(conversation: Conversation) -> float | None:
    """Seconds from its creation to its last change; None when that is not known. A server that sets
    `created_at` anew with each change (measured) gives no such time."""
    made, now = conversation.created_at or "", updated_text(conversation)
    begun, changed = seconds(made), seconds(now)
    if begun is None or changed is None or changed - begun < 1.0 or is_bare(made) != is_bare(now):
        return None
    return changed - begun
