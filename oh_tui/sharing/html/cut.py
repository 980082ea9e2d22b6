"""Long texts without their middle."""

from __future__ import annotations

from typing import NamedTuple

from oh_tui.text.human import plural, size

MOST = 30_000
"""Characters of a text that is written whole."""

_HEAD, _TAIL = 20_000, 8_000


class Cut(NamedTuple):
    head: str
    tail: str = ""
    left_out: str = ""
    """What lies between them, in words; "" where nothing does."""
    at_line_ends: bool = True


def cut(text: str, *, whole: bool) -> Cut:
    """The begin and the end of a long text, at line ends if lines are not too long."""
    if whole or len(text) <= MOST:
        return Cut(text)
    first = text.rfind("\n", _HEAD // 2, _HEAD)
    last = text.find("\n", len(text) - _TAIL, len(text) - _TAIL // 2) + 1
    at_line_ends = first > 0 and last > 0
    head = text[: first if first > 0 else _HEAD]
    tail = text[last or len(text) - _TAIL :]
    middle = text[len(head) : len(text) - len(tail)]
    lines = plural(middle.strip("\n").count("\n") + 1, "line")
    left_out = f"{lines}, {size(len(middle.encode('utf-8', 'replace')))}, left out here"
    return Cut(head, tail, left_out, at_line_ends)
