"""How a conversation stands, in one word for people, and who of many needs somebody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from oh_tui.api.models import bare_id
from oh_tui.commands.shared.printing import Hue
from oh_tui.sources.remembered import Memory, Seen
from oh_tui.sources.triage import (
    ConversationState,
    Counts,
    Group,
    RunStatus,
    conversation_state,
    count,
)
from oh_tui.text.clean import safe_line

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation
    from oh_tui.commands.shared.frame import Call

WORDS = {
    "waiting_for_confirmation": "waiting",
    "deleting": "deleting",
    "STARTING": "starting",
    "RUNNING": "starting",
    "PAUSED": "paused",
    "MISSING": "gone",
    "ERROR": "sandbox failed",
}
"""What the server says of an agent, and where it says nothing of its sandbox, in our words; all
others are their own. A sandbox that runs without a word of the agent is on its way."""

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

NOTHING = Seen()

GLYPHS = {"waiting": ("◆", "?"), "failed": ("✗", "x"), "running": ("●", "*")}


def state(conversation: Conversation) -> str:
    """One word; "" of a file, which tells none."""
    told = conversation.execution_status or conversation.sandbox_status or ""
    return WORDS.get(told, safe_line(told).lower())


def remembered(call: Call) -> Mapping[str, Seen]:
    """What the explorer saw of each conversation, by id without dashes."""
    memory = Memory(call.source.address, call.settings.seen_file, call.source.remembered)
    return memory.known


def outcome(conversation: Conversation, seen: Seen) -> tuple[str, Hue]:
    """How its agent stands, in one word and its hue, as the explorer's list has it: what is only
    remembered is dim; where nothing is, the state of the sandbox stands for it."""
    how = conversation_state(conversation, seen)
    word = _word(conversation, how) or state(conversation)
    return word, HUES.get(word, "") if how.certain or word != how.status else "dim"


def _word(conversation: Conversation, how: ConversationState) -> str:
    told = how.certain or conversation.sandbox_status == "ERROR"
    return state(conversation) if told else how.status.value


class Needy(NamedTuple):
    """One that waits for somebody, failed or is at work."""

    conversation: Conversation
    group: str
    """A key of `GLYPHS`."""
    word: str
    """How it stands; what is only remembered is so from when its sandbox was up."""


def needy(
    conversations: Iterable[Conversation], seen: Mapping[str, Seen]
) -> tuple[Counts, list[Needy]]:
    """How many need somebody, and who; the waiting first, then those that failed."""
    found: list[Needy] = []
    stands: list[tuple[Group, RunStatus]] = []
    for one in conversations:
        how = conversation_state(one, seen.get(bare_id(one.id), NOTHING))
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
