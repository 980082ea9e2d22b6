"""Long texts without their middle."""

from __future__ import annotations

from typing import NamedTuple

from oh_tui.text.human import plural, size


class Room(NamedTuple):
    """How much of a text is written."""

    most: int
    """Characters of a text that is written whole."""
    head: int
    tail: int
    """Characters of the begin and of the end of a longer one: together not more than `most`."""
    lines: int = 0
    """Most lines of each of both; 0 for any number."""

    def holds(self, text: str) -> bool:
        is_short = not self.lines or text.count("\n") < 2 * self.lines
        return is_short and len(text) <= self.most


class Cut(NamedTuple):
    head: str
    tail: str = ""
    left_out: str = ""
    """What lies between them, in words; "" where nothing does."""
    at_line_ends: bool = True


def cut(text: str, room: Room, *, whole: bool = False) -> Cut:
    """The begin and the end of a long text, at line ends if lines are not too long."""
    if whole or room.holds(text):
        return Cut(text)
    head = _first_lines(text[: room.head], room.lines)
    tail = _first_lines(text[-room.tail :][::-1], room.lines)[::-1]
    middle = text[len(head) : len(text) - len(tail)]
    lines = plural(middle.strip("\n").count("\n") + 1, "line")
    left_out = f"{lines}, {size(len(middle.encode('utf-8', 'replace')))}, left out here"
    return Cut(head, tail, left_out, middle.startswith("\n") and middle.endswith("\n"))


def _first_lines(part: str, most: int) -> str:
    """Without a last line that is not whole, unless that is more than half of it."""
    if most and part.count("\n") >= most:
        return "\n".join(part.split("\n", most)[:most])
    end = part.rfind("\n", len(part) // 2)
    return part[:end] if end > 0 else part
