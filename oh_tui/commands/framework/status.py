"""The state of a conversation in one word, with its hue and sign."""

from __future__ import annotations

from collections.abc import Mapping

from oh_tui.catalog.needy import word_of
from oh_tui.catalog.run_status import NOT_KNOWN, conversation_state
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
"""By the groups of conversations that need somebody."""


def outcome(conversation: Conversation, last_known: LastKnown) -> tuple[str, Hue]:
    """The status of its agent and the hue, as in the explorer's list: dim if only remembered."""
    how = conversation_state(conversation, last_known)
    word = word_of(conversation, how)
    if label := conversation.label:
        return ", ".join(filter(None, (word, label.words))), LABEL_HUES.get(label, "")
    return word, HUES.get(word, "") if how.certain or not how.status else "dim"
