"""Which conversations need somebody, or are at work: those of `oh-tui status` and of the wall."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from oh_tui.catalog.run_status import (
    WORDS,
    ConversationState,
    Counts,
    RunStatus,
    conversation_state,
    count,
    status_word,
)
from oh_tui.catalog.status_cache import LastKnown
from oh_tui.conversation import Conversation

GROUPS = ("waiting", "failed", "running")
"""Words of `WORDS`, those first that need somebody most."""


class Needy(NamedTuple):
    """A conversation that waits for somebody, failed or is running."""

    conversation: Conversation
    group: str
    """One of `GROUPS`."""
    word: str
    """The status of its agent, possibly remembered from when its sandbox was up."""
    last_known: LastKnown


def needy(
    conversations: Iterable[Conversation], seen: Callable[[Conversation], LastKnown]
) -> tuple[Counts, list[Needy]]:
    """How many wait, failed and run, and which: first those that wait, then those that failed."""
    found: list[Needy] = []
    statuses: list[RunStatus] = []
    for one in conversations:
        last_known = seen(one)
        how = conversation_state(one, last_known)
        statuses.append(how.status)
        if group := next((name for name in GROUPS if how.status in WORDS[name]), ""):
            found.append(Needy(one, group, word_of(one, how), last_known))
    found.sort(key=lambda row: GROUPS.index(row.group))
    return count(statuses), found


def word_of(conversation: Conversation, how: ConversationState) -> str:
    return status_word(conversation, how) if how.seen else "sandbox failed"
