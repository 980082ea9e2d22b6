"""What lists show of a conversation: `ATTRIBUTES` has a row for each attribute.

Columns, orders, filter words and JSON come from this table, and so do menus, completion and help.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from oh_tui.catalog import filter_words as words
from oh_tui.catalog.automations import automation_name
from oh_tui.catalog.conversation_order import Order, took
from oh_tui.catalog.file_names import called
from oh_tui.catalog.filter_words import containing
from oh_tui.catalog.names import short_servers
from oh_tui.catalog.run_status import (
    NOT_KNOWN,
    ConversationState,
    Group,
    RunStatus,
    status_word,
    updated,
)
from oh_tui.conversation import Conversation, bare_id
from oh_tui.tables.column import Column
from oh_tui.text.display import cached_line
from oh_tui.text.human import compact, duration
from oh_tui.trajectory.model.usage import TOKENS
from oh_tui.trajectory.search.field import Field

Read: TypeAlias = Callable[[Conversation, ConversationState], object]


class ListColumn(Column[Conversation, ConversationState], frozen=True, kw_only=True):
    """What lists tell of a conversation. Its text is "" if it is unknown."""

    text: Callable[[Conversation, ConversationState], str] = lambda _one, _state: ""
    value: Read = lambda _one, _state: None
    """The value for JSON. A text is unchanged: whoever shows it cleans it."""
    words: tuple[Field, ...] = ()
    sorting: Order | None = None
    is_optional: bool = False
    """Its JSON field is left out while it has no value."""
    place: int = 0
    """Texts are ordered by it from the left, numbers from the right. 0 for one without a column,
    and for a number that replaces the cost when the list is sorted by it."""
    most: int = 0
    """It is as wide as its texts, up to this many cells and at least `width`, for the head. 0:
    always as wide."""
    usual_from: int = 10_000  # cells, which no list has
    is_rare: bool = False
    """Left out unless a row has a value."""

    @property
    def sorts_by(self) -> str:
        """The word of its order; "" without one."""
        return self.sorting.word if self.sorting else ""


def _text(
    name: str,
    label: str,
    read: Callable[[Conversation], str | None],
    *,
    rank: int,
    menu: tuple[str, str] | None = None,
    suggest: Callable[[Conversation], Iterable[str]] | None = None,
    **column: Any,
) -> ListColumn:
    """A text: sorted from a to z, filtered by its parts, its label the field in JSON."""
    order = Order(
        name,
        rank,
        lambda one, _: _folded(read(one)),
        (f"by {label}", f"by {label}, from the end"),
        (f"by {name}", f"{name}, back"),
        menu,
    )
    column = {"text": lambda one, _: cached_line(read(one)), **column}
    return ListColumn(
        name=name,
        label=label,
        json=label,
        value=lambda one, _: read(one),
        words=(containing(name, read, suggest),),
        sorting=order,
        **column,
    )


def _folded(text: str | None) -> str | None:
    return " ".join(text.split()).casefold() or None if text else None


def is_later(state: ConversationState, group: Group) -> bool:
    """Whether it comes after conversations that wait, or after those that run."""
    later = (RunStatus.STUCK, RunStatus.ERROR, RunStatus.STARTING)
    return group <= Group.RUNNING and state.status in later


def _needs(one: Conversation, state: ConversationState) -> tuple[Group, bool]:
    group = state.group(one)
    return group, is_later(state, group)


def _status_text(one: Conversation, state: ConversationState) -> str:
    if state.status is RunStatus.WAITING:
        return "waits for you"
    if state.status is RunStatus.ERROR and one.sandbox_status == "ERROR":
        return "sandbox failed"
    return state.status.value or (NOT_KNOWN if one.sandbox_status else "")


def _repositories(one: Conversation) -> tuple[str, str]:
    """The repository with its owner, and without."""
    place = one.selected_repository or ""
    return place, place.rpartition("/")[2]


def _folder_text(one: Conversation, _: ConversationState) -> str:
    """The last part of the path; of a worktree that says little, for the branch is what differs."""
    name = cached_line(one.folder.rstrip("/")).rpartition("/")[2]
    return f"{name} (worktree)" if one.worktree else name


def _tokens(one: Conversation, _: ConversationState) -> dict[str, int | None] | None:
    """None without tokens. An app server's 0 means unknown (source)."""
    metrics = one.metrics
    usage = metrics and metrics.accumulated_token_usage
    counts = {name: getattr(usage, f"{name}_tokens", None) for name in TOKENS}
    if metrics and metrics.is_partial:
        counts = {name: count or None for name, count in counts.items()}
    return counts if any(count is not None for count in counts.values()) else None


def _tokens_text(one: Conversation, _: ConversationState) -> str:
    return compact(one.tokens) + "+" * bool(one.cost_is_partial) if one.tokens > 0 else ""


ATTRIBUTES = (
    ListColumn(json="id", value=lambda one, _: one.id),
    _text(
        "title", "title", lambda one: one.title,
        rank=6, menu=("t", "title"), head="conversation",
    ),
    ListColumn(
        json="source",
        value=lambda one, _: called(one.home),
    ),
    ListColumn(
        name="status", label="status", json="status", value=status_word, words=(words.STATUS,),
        sorting=Order(
            "needs", 1, _needs, ("what needs you", "what needs you last"),
            ("needs", "needs last"), ("y", "needs you"),
        ),
        text=_status_text, place=4, key="s", width=14, usual_from=76,
    ),
    ListColumn(
        name="goal", label="goal", json="goal", is_optional=True, words=(words.GOAL,),
        value=lambda _, state: state.goal or None, text=lambda _, state: state.goal or "",
        sorting=Order(
            "goal", 12, lambda _, state: state.goal or None,
            ("by goal", "by goal, back"), ("by goal", "goal, back"),
        ),
        place=9, key="g", width=7, most=12, usual_from=76, is_rare=True,
    ),
    ListColumn(json="label", value=lambda one, _: one.label),
    ListColumn(json="sandbox_id", value=lambda one, _: one.sandbox_id),
    # an agent server without an app server has no sandbox
    ListColumn(json="sandbox_status", value=lambda one, _: one.sandbox_id and one.sandbox_status),
    _text(
        "server", "server", lambda one: one.server or None, rank=13, menu=("v", "server"),
        suggest=lambda one: (one.server,), is_optional=True,
        text=lambda one, _: cached_line(short_servers(one.server)),
        place=10, key="v", width=6, most=12, usual_from=35, is_rare=True,
    ),
    _text(
        "repo", "repository", lambda one: one.selected_repository,
        rank=7, menu=("r", "repository"), suggest=_repositories,
        place=1, key="r", width=12, most=20, usual_from=76,
    ),
    _text(
        "branch", "branch", lambda one: one.selected_branch, rank=8,
        suggest=lambda one: (one.selected_branch or "",), place=2, key="b", width=8, most=18,
    ),
    _text(
        "folder", "folder", lambda one: one.folder or None, rank=14, is_optional=True,
        text=_folder_text, place=11, key="d", width=8, most=24, usual_from=100, is_rare=True,
    ),
    ListColumn(
        name="pr", label="pull request", json="pull_requests", words=(words.PULL,),
        value=lambda one, _: one.pr_number or (),
        sorting=Order(
            "pr", 10, lambda one, _: one.pr_number[-1] if one.pr_number else None,
            ("newest pull request first", "oldest pull request first"), ("by PR", "PR, back"),
            is_falling=True,
        ),
        text=lambda one, _: f"#{one.pr_number[-1]}" if one.pr_number else "",
        right=True, place=7, key="p", head="PR", width=6, usual_from=86, is_rare=True,
    ),
    _text(
        "model", "model", lambda one: one.llm_model, rank=9,
        # without the provider's name
        text=lambda one, _: cached_line(one.llm_model).rpartition("/")[2],
        place=3, key="m", width=7, most=18,
    ),
    ListColumn(json="trigger", value=lambda one, _: one.trigger),
    _text(
        "automation", "automation", automation_name, rank=15, is_optional=True, is_rare=True,
        suggest=lambda one: (automation_name(one) or "",),
        place=12, key="o", width=10, most=24, usual_from=96,
    ),
    ListColumn(
        name="cost", label="cost", json="cost", value=lambda one, _: one.cost, words=(words.COST,),
        sorting=Order(
            "cost", 3, lambda one, _: one.cost, ("most expensive first", "cheapest first"),
            ("by cost", "cheapest"), ("c", "cost"), is_falling=True,
        ),
        text=lambda one, _: one.price.words if one.cost else "",
        right=True, place=5, key="c", width=8, usual_from=35, is_rare=True,
    ),
    ListColumn(json="cost_is_partial", value=lambda one, _: one.cost_is_partial),
    ListColumn(
        json="cost_is_estimate", is_optional=True,
        value=lambda one, _: one.price.is_estimate or None,
    ),
    ListColumn(
        name="tokens", label="tokens", json="tokens", value=_tokens,
        sorting=Order(
            "tokens", 4, lambda one, _: one.tokens or None,
            ("most tokens first", "fewest tokens first"), ("by tokens", "fewest tokens"),
            ("k", "tokens"), is_falling=True,
        ),
        text=_tokens_text, right=True, place=6, key="k", width=7,
    ),
    ListColumn(json="parent_id", value=lambda one, _: bare_id(one.parent_conversation_id or "")),
    ListColumn(
        json="sub_conversation_ids",
        value=lambda one, _: tuple(map(bare_id, one.sub_conversation_ids or ())),
    ),
    ListColumn(
        name="fork", label="forked from", json="forked_from", is_optional=True,
        value=lambda one, _: one.origin, words=(words.FORK,),
        sorting=Order(
            "fork", 11, lambda one, _: one.origin or None,
            ("by what it was forked from", "by what it was forked from, back"),
            ("by origin", "origin, back"),
        ),
        text=lambda one, _: cached_line(one.origin)[:8],  # as commands show an id
        place=8, key="f", width=11, usual_from=76, is_rare=True,
    ),
    ListColumn(
        json="forked_from_event", is_optional=True,
        value=lambda one, _: one.forked_at or None,
    ),
    ListColumn(json="created", value=lambda one, _: one.created_at),
    ListColumn(
        name="age", label="age", json="updated", value=lambda one, _: one.updated_at,
        words=(words.AFTER, words.BEFORE),
        sorting=Order(
            "newest", 2, lambda one, _: updated(one) or None, ("newest first", "oldest first"),
            ("newest", "oldest"), ("w", "newest"), is_falling=True,
        ),
    ),
    ListColumn(
        name="took", label="took", words=(words.TOOK,),
        sorting=Order(
            "longest", 5, lambda one, _: took(one), ("longest first", "shortest first"),
            ("longest", "shortest"), ("l", "longest"), is_falling=True,
        ),
        text=lambda one, _: duration(span) if (span := took(one)) else "", right=True,
    ),
    ListColumn(words=(words.TAG, words.NOTE, words.CHANGED, words.FAILURE, words.RULE)),
)  # fmt: skip

BY_NAME = {one.name: one for one in ATTRIBUTES if one.name}

COLUMNS = sorted((one for one in ATTRIBUTES if one.place), key=lambda one: one.place)

ORDERS = {
    order.word: order
    for order in sorted(
        (one.sorting for one in ATTRIBUTES if one.sorting), key=lambda order: order.rank
    )
}

NEEDS = ORDERS["needs"]
"""The order of the list, in groups, unless the user chose another."""

NUMBERS = {one.sorts_by: one for one in ATTRIBUTES if one.right}
"""Attributes by the word of their order by a number."""

WORDS = {"": words.PLAIN} | {word.name: word for one in ATTRIBUTES for word in one.words}
"""Filter words by what comes before the colon."""


def filter_help() -> Iterator[tuple[str, str]]:
    """The filter words, each as an example with its meaning; those of one meaning share a row."""
    rows: dict[str, list[str]] = {}
    for example, meaning in (pair for word in WORDS.values() for pair in word.help):
        rows.setdefault(meaning, []).append(example)
    for meaning, (first, *others) in rows.items():
        yield first, f"{meaning}; also {' '.join(others)}" if others else meaning
    yield "-word", "all but these"
