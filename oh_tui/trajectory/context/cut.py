"""Cuts the middle out of a long text and says so in its place, as the SDK does for the model."""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath

OUTPUT = 30_000
"""Characters that a terminal's output may have."""

TEXT = 50_000
"""Characters that any text of a result may have."""

_START = (
    "<response clipped><NOTE>Due to the max output limit, only part of the full "
    "response has been shown to you."
)
_PLAIN = f"{_START}</NOTE>"


def cut(text: str, limit: int, *, folder: str = "", name: str = "") -> str:
    """A text of at most `limit` characters. With a `folder` it names the file in which the whole
    text was saved, whose name begins with `name`."""
    if len(text) <= limit:
        return text
    head = (limit - len(_PLAIN) + 1) // 2
    notice = _PLAIN
    if folder:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        path = PurePosixPath(folder) / f"{name}_output_{digest}.txt"
        line = len(text[:head].splitlines()) + 1
        notice = (
            f"{_START} The complete output has been saved to {path} - you can use other tools to "
            f"view the full content (truncated part starts around line {line}).</NOTE>"
        )
    if len(notice) >= limit:
        return notice[:limit]
    rest = limit - len(notice)
    head = min(head, rest)
    tail = rest - head
    return text[:head] + notice + (text[-tail:] if tail else "")
