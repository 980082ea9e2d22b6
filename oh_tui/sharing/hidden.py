"""Which secrets were hidden in a text, and how often."""

from __future__ import annotations

import re
from collections import Counter

from oh_tui.text.patterns import pattern
from oh_tui.text.redact import HIDDEN

_NAMED = pattern(
    r"([A-Za-z][\w.-]{0,60})[\"']?\s{0,4}(?:[:=]|=>)\s{0,4}(?:Bearer |Basic )?[\"']?"
    + re.escape(HIDDEN)
)


def hidden_in(text: str) -> Counter[str]:
    """The name before each secret that was hidden, or "a key", and how often."""
    total = text.count(HIDDEN)
    if not total:  # most texts, and the pattern takes its time
        return Counter()
    found = Counter(name.lower() for name in _NAMED.findall(text))
    found["a key"] += total - found.total()
    return +found


def listed(found: Counter[str]) -> str:
    return ", ".join(f"{name} ({number})" if number > 1 else name for name, number in found.items())
