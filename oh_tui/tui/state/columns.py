"""The columns of list and timeline: as many as there is room for, unless the user chose."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from oh_tui.api.models import Conversation
from oh_tui.sources.lists.conversation_order import Order, took
from oh_tui.text.human import compact, duration, told_cost

Choice = Mapping[str, bool]
"""Name of a column -> whether the user wants it; the others follow the room."""


class Column(NamedTuple):
    """A column that can be hidden. `key` toggles it in the chooser."""

    name: str
    key: str
    label: str


LIST = (
    Column("repo", "r", "repository"),
    Column("model", "m", "model"),
    Column("status", "s", "status"),
    Column("cost", "c", "cost"),
    Column("tokens", "t", "tokens"),
    Column("pr", "p", "pull request"),
)

STEPS = (
    Column("at", "a", "time"),
    Column("llm", "l", "model's time"),
    Column("ran", "r", "duration"),
    Column("cost", "c", "cost"),
)


def fitting(
    cells: Mapping[str, int], usual: Collection[str], choice: Choice, room: int
) -> frozenset[str]:
    """The wanted columns that fit, first those that were chosen; `cells` are their widths, the most
    important first."""
    kept: set[str] = set()
    for name, width in sorted(cells.items(), key=lambda one: one[0] not in choice):
        if choice.get(name, name in usual) and width <= room:
            room -= width
            kept.add(name)
    return frozenset(kept)


class Number(NamedTuple):
    """A number of a conversation."""

    name: str
    """Its column."""
    head: str
    text: Callable[[Conversation], str]
    """"" if unknown."""


def _cost(conversation: Conversation) -> str:
    return told_cost(conversation.cost, is_partial=bool(conversation.cost_is_partial))


def _tokens(conversation: Conversation) -> str:
    tokens = conversation.tokens
    return compact(tokens) + "+" * bool(conversation.cost_is_partial) if tokens > 0 else ""


def _span(conversation: Conversation) -> str:
    span = took(conversation)
    return duration(span) if span else ""


def _pull(conversation: Conversation) -> str:
    return f"#{conversation.pr_number[-1]}" if conversation.pr_number else ""


NUMBERS = {
    Order.COST: Number("cost", "cost", _cost),
    Order.TOKENS: Number("tokens", "tokens", _tokens),
    Order.LONGEST: Number("took", "took", _span),
    Order.PULL: Number("pr", "PR", _pull),
}
"""By the orders by a number."""


def number_of(order: Order, conversation: Conversation) -> str:
    return NUMBERS[order].text(conversation)
