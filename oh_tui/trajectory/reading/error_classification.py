"""What a server says of an error: of which kind it is, and whether trying again helps (agent server
1.58.2)."""

from __future__ import annotations

from oh_tui.trajectory.model.bodies import field, text_field

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
    return words(found) if text_field(found, "user_action") in ("retry", "settings") else ""


def words(found: object) -> str:
    """Of its classification, "" for none and for one of words that nothing here knows."""
    again = field(found, "retryable")
    if not isinstance(again, bool):
        return ""
    return _WORDS.get((text_field(found, "user_action"), again), "")
