"""The state of a conversation in one word, and which conversations need somebody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from oh_tui.catalog.run_status import (
    NOT_KNOWN,
    WORDS,
    ConversationState,
    Counts,
    RunStatus,
    conversation_state,
    count,
    status_word,
)
from oh_tui.catalog.status_cache import LastKnown
from oh_tui.commands.framework.printing import Hue
from oh_tui.conversation import Conversation
from oh_tui.trajectory.model.recorded import Label

HUES: Mapping[str, Hue] = {
    "silent": "amber",
    "waiting": "amber",
    "stuck": "red",
    "error": "red",
    "cut off": "amber",
    "running": "cyan",
    "starting": "cyan",
    "stopped": "dim",
    NOT_KNOWN: "dim",
}

LABEL_HUES: Mapping[Label, Hue] = {Label.UNRESOLVED: "red", Label.ERROR: "amber"}

GLYPHS = {"waiting": ("◆", "?"), "failed": ("✗", "x"), "running": ("●", "*")}


def outcome(conversation: Conversation, last_known: LastKnown) -> tuple[str, Hue]:
    """The status of its agent and the hue, as in the explorer's list: dim if only remembered."""
    how = conversation_state(conversation, last_known)
    word = _word(conversation, how)
    if label := conversation.label:
        return ", ".join(filter(None, (word, label.words))), LABEL_HUES.get(label, "")
    return word, HUES.get(word, "") if how.certain or not how.status else "dim"


class Needy(NamedTuple):
    """A conversation that waits for somebody, failed or is running."""

    conversation: Conversation
    group: str
    """A key of `GLYPHS`."""
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
        if group := next((name for name in GLYPHS if how.status in WORDS[name]), ""):
            found.append(Needy(one, group, _word(one, how), last_known))
    found.sort(key=lambda row: list(GLYPHS).index(row.group))
    return count(statuses), found


def _word(conversation: Conversation, how: ConversationState) -> str:
    return status_word(conversation, how) if how.seen else "sandbox failed"
