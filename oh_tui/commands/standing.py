"""How a conversation stands, in one word for people, and who of many needs somebody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from oh_tui.api.models import bare_id
from oh_tui.commands.printing import Hue
from oh_tui.text import safe_line
from oh_tui.trajectory.events import seconds

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation
    from oh_tui.seen import Seen

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
    "sandbox failed": "red",
    "running": "cyan",
    "starting": "cyan",
    "gone": "dim",
    "paused": "dim",
}

GLYPHS = {"waiting": ("◆", "?"), "failed": ("✗", "x"), "running": ("●", "*")}

_FAILED = ("stuck", "error", "sandbox failed")


class Counts(msgspec.Struct, frozen=True):
    waiting: int = 0
    failed: int = 0
    running: int = 0
    conversations: int = 0
    cost: float = 0.0
    """US dollars, of all that were counted."""
    more: bool = False
    """There are older ones, which were not looked at."""


def state(conversation: Conversation) -> str:
    """One word; "" of a file, which tells none."""
    told = conversation.execution_status or conversation.sandbox_status or ""
    return WORDS.get(told, safe_line(told).lower())


def needs(conversation: Conversation, remembered: Mapping[str, Seen]) -> str:
    """ "waiting", "failed", "running" or "": where it belongs among those that are counted. What
    failed before its sandbox was paused counts until its run was opened in the explorer."""
    word = state(conversation)
    if word == "waiting":
        return "waiting"
    if word in ("running", "starting"):
        return "running"
    if word in _FAILED:
        return "failed"
    seen = remembered.get(bare_id(conversation.id))
    if conversation.execution_status is not None or seen is None:
        return ""
    updated = seconds(conversation.updated_at or conversation.created_at or "") or 0.0
    if seen.outcome in _FAILED and not 0.0 < seen.opened >= updated:
        return "failed"
    return ""


def count(
    conversations: Iterable[Conversation], remembered: Mapping[str, Seen], *, more: bool
) -> Counts:
    found = {"waiting": 0, "failed": 0, "running": 0}
    number, cost = 0, 0.0
    for one in conversations:
        number += 1
        cost += (one.metrics and one.metrics.accumulated_cost) or 0.0
        group = needs(one, remembered)
        if group:
            found[group] += 1
    return Counts(**found, conversations=number, cost=cost, more=more)
