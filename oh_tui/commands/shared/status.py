"""The state of a conversation in one word, and which conversations need somebody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from oh_tui.api.models import bare_id
from oh_tui.commands.shared.printing import Hue
from oh_tui.sources.file_conversation import label_of
from oh_tui.sources.lists.last_known import LastKnown, LastKnownStates
from oh_tui.sources.lists.triage import (
    ConversationState,
    Counts,
    Group,
    RunStatus,
    conversation_state,
    count,
)
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.recorded import Label

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation
    from oh_tui.commands.shared.command import Call

WORDS = {
    "waiting_for_confirmation": "waiting",
    "deleting": "deleting",
    "STARTING": "starting",
    "RUNNING": "starting",
    "PAUSED": "paused",
    "MISSING": "gone",
    "ERROR": "sandbox failed",
}
"""Our words for states of agents and of sandboxes; other states are their own words. A sandbox
that runs while nothing is known of its agent is starting."""

HUES: Mapping[str, Hue] = {
    "waiting": "amber",
    "stuck": "red",
    "error": "red",
    "cut off": "amber",
    "sandbox failed": "red",
    "running": "cyan",
    "starting": "cyan",
    "gone": "dim",
    "paused": "dim",
}

LABEL_HUES: Mapping[Label, Hue] = {Label.UNRESOLVED: "red", Label.ERROR: "amber"}

GLYPHS = {"waiting": ("◆", "?"), "failed": ("✗", "x"), "running": ("●", "*")}


def state(conversation: Conversation) -> str:
    """The state of its agent, else of its sandbox; "" for a file, which has neither."""
    status = conversation.execution_status or conversation.sandbox_status or ""
    return WORDS.get(status, safe_line(status).lower())


def last_known_states(call: Call) -> Mapping[str, LastKnown]:
    """What the explorer saw of each conversation, by id without dashes."""
    source = call.source
    return LastKnownStates(source.address, call.settings.last_known_file, source.last_known).known


def last_known_of(last_known: Mapping[str, LastKnown], conversation: Conversation) -> LastKnown:
    return last_known.get(bare_id(conversation.id), LastKnown())


def outcome(conversation: Conversation, last_known: LastKnown) -> tuple[str, Hue]:
    """The state of its agent and the hue, as in the explorer's list. A state that is only
    remembered is dim; without one the state of the sandbox takes its place."""
    how = conversation_state(conversation, last_known)
    word = _word(conversation, how) or state(conversation)
    if label := label_of(conversation):
        return ", ".join(filter(None, (word, label.words))), LABEL_HUES.get(label, "")
    return word, HUES.get(word, "") if how.certain or word != how.status else "dim"


def _word(conversation: Conversation, how: ConversationState) -> str:
    is_told = how.certain or conversation.sandbox_status == "ERROR"
    return state(conversation) if is_told else how.status.value


class Needy(NamedTuple):
    """A conversation that waits for somebody, failed or is running."""

    conversation: Conversation
    group: str
    """A key of `GLYPHS`."""
    word: str
    """Its state, possibly remembered from when its sandbox was up."""


def needy(
    conversations: Iterable[Conversation], last_known: Mapping[str, LastKnown]
) -> tuple[Counts, list[Needy]]:
    """How many wait, failed and run, and which: first those that wait, then those that failed."""
    found: list[Needy] = []
    stands: list[tuple[Group, RunStatus]] = []
    for one in conversations:
        how = conversation_state(one, last_known_of(last_known, one))
        group = how.group(one)
        stands.append((group, how.status))
        if group is Group.RUNNING:
            name = "running"
        elif group is Group.NEEDS_YOU:
            name = "waiting" if how.status is RunStatus.WAITING else "failed"
        else:
            continue
        found.append(Needy(one, name, _word(one, how)))
    found.sort(key=lambda row: list(GLYPHS).index(row.group))
    return count(stands), found
