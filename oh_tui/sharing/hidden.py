"""Which secrets were hidden in a text, and how often."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from oh_tui.text.patterns import pattern
from oh_tui.text.redact import HIDDEN

_NAMED = pattern(
    r"([A-Za-z][\w.-]{0,60})[\"']?\s{0,4}(?:[:=]|=>)\s{0,4}(?:Bearer |Basic )?[\"']?"
    + re.escape(HIDDEN)
)
_IN_MARKDOWN = re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", HIDDEN)
"""As Markdown has it, where its signs are escaped."""


def hidden_in(text: str) -> Counter[str]:
    """The name before each secret that was hidden, or "a key", and how often."""
    text = text.replace(_IN_MARKDOWN, HIDDEN)
    total = text.count(HIDDEN)
    if not total:  # most texts, and the pattern takes its time
        return Counter()
    found = Counter(name.lower() for name in _NAMED.findall(text))
    found["a key"] += total - found.total()
    return +found


def listed(found: Counter[str]) -> str:
    return ", ".join(f"{name} ({number})" if number > 1 else name for name, number in found.items())


class Hidden:
    """Where in a run secrets were hidden."""

    def __init__(self) -> None:
        self._found: dict[str, Counter[str]] = {}

    def take(self, where: str, text: str) -> None:
        if found := hidden_in(text):
            self._found[where] = self._found.get(where, Counter()) + found

    def __iter__(self) -> Iterator[tuple[str, Counter[str]]]:
        """The places in order, and the secrets of each."""
        return iter(self._found.items())
