"""Foreign texts as they stand in lists, which are drawn often."""

from __future__ import annotations

from functools import lru_cache

from oh_tui.text.redact import held, safe_line

LONGEST = 1_000
"""Characters of a text that are read."""


def cached_line(text: str | None) -> str:
    """As `safe_line`, for texts that lists draw again and again, such as titles."""
    return _line(text[:LONGEST], held()) if text else ""


@lru_cache(8192)
def _line(text: str, held: tuple[str, ...]) -> str:
    """`held` are the keys that are redacted."""
    return safe_line(text)
