"""What a server says of an error: of which kind it is, and whether trying again helps (agent server
1.58.2)."""

from __future__ import annotations

from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.bodies import field, text_field
from oh_tui.trajectory.presentation import take
from oh_tui.trajectory.presentation.block import Block, Note

_WORDS = {
    ("retry", True): "trying again may help",
    ("settings", False): "trying again helps only after a change of the settings",
    ("none", False): "trying again does not help",
    ("none", True): "trying again may help",
}
"""What the user can do, and whether a retry may help -> the words. Others are shown as they are."""


def remedy(body: object) -> str:
    """What the user can do about an error, in words; "" when the server does not say."""
    found = field(body, "classification")
    return _words(found) if text_field(found, "user_action") in ("retry", "settings") else ""


def classified(body: object) -> list[Block]:
    """The classification of an error for its detail; nothing without a known one."""
    found = field(body, "classification")
    words = _words(found)
    if not words:
        return []
    kind = safe_line(take.text(found, "kind")).replace("_", " ")
    take.text(found, "user_action")
    take.flag(found, "retryable")
    return [Note(f"{kind}: {words}" if kind else words)]


def _words(found: object) -> str:
    again = field(found, "retryable")
    if not isinstance(again, bool):
        return ""
    return _WORDS.get((text_field(found, "user_action"), again), "")
