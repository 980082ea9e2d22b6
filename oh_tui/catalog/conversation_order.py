"""Orders of conversations, for lists and commands. Unknown values come last."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import NamedTuple, TypeVar

import msgspec

from oh_tui.catalog.run_status import ConversationState, updated_text
from oh_tui.conversation import Conversation
from oh_tui.trajectory.model.clock import is_bare, known_span, seconds
from oh_tui.trajectory.search.step_attributes import ranked

T = TypeVar("T")


class Order(msgspec.Struct, frozen=True):
    word: str
    """On the command line and in the settings."""
    rank: int
    key: Callable[[Conversation, ConversationState], object]
    """The sort key of a conversation; None if unknown."""
    headings: tuple[str, str]
    """The heading in words, and when reversed."""
    short: tuple[str, str]
    """The heading in two words, and when reversed."""
    menu: tuple[str, str] | None = None
    """Key and name in the menu of `s`, if it is there."""
    is_falling: bool = False
    """The largest value comes first."""


class Sorting(NamedTuple):
    order: Order
    back: bool = False

    @property
    def heading(self) -> str:
        return self.order.headings[self.back]

    @property
    def short(self) -> str:
        return self.order.short[self.back]

    @property
    def is_falling(self) -> bool:
        return self.order.is_falling is not self.back

    def sort(self, items: Iterable[tuple[object, float, T]]) -> list[T]:
        """Sorts items by their values. Equal values and missing ones are sorted newest first. Each
        item comes with its value and the time of its last change."""
        return ranked(sorted(items, key=itemgetter(1), reverse=True), falling=self.is_falling)


def took(conversation: Conversation) -> float | None:
    """Seconds from creation to last change; None where servers reset `created_at` (measured)."""
    made, now = conversation.created_at or "", updated_text(conversation)
    begun, changed = seconds(made), seconds(now)
    if begun is None or changed is None or is_bare(made) != is_bare(now):
        return None
    is_reset = not conversation.home and changed - begun < 1.0
    return None if is_reset else known_span(changed - begun)
