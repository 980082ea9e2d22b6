"""Quotes what two messages differ in, side under side."""

from __future__ import annotations

from collections.abc import Iterator

from oh_tui.commands.framework.printing import Style, fit
from oh_tui.trajectory.comparison.parted import quoted
from oh_tui.trajectory.comparison.seen import Differing

LINES = 3
"""Quoted lines of each side."""


def quoted_lines(
    style: Style, one: Differing, heads: tuple[str, str], nothing: str = "no such message"
) -> Iterator[str]:
    """Each line behind the head of its side; `nothing` for a side without the message."""
    for head, text in zip(heads, quoted(one), strict=True):
        lines = [nothing] if text is None else text.split("\n")
        more = [f"… {len(lines) - LINES:,} more lines"] if len(lines) > LINES else []
        room = (style.room or 200) - len(head) - 2
        for line in filter(str.strip, [*lines[:LINES], *more]):
            yield style.paint(f"{head}  {fit(line, room, style)}", "dim")
