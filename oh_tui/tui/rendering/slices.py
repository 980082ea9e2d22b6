"""Markdown cut into slices that are rendered one by one, when they come into sight."""

from __future__ import annotations

from oh_tui.text.patterns import pattern

SLICE = 2000
"""Characters of Markdown rendered at a time; rich takes about 5 ms for a thousand."""

_ITEM = pattern(r"(?:[-*+]|\d{1,9}[.)])[ \t]")
_RULE = pattern(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")


def _weight(line: str) -> int:
    """The cost of rendering a line, in characters; a short line has a minimum."""
    return max(40, len(line))


def slices(text: str) -> list[str]:
    """Markdown cut between paragraphs, about `SLICE` characters each.

    Indented lines stay with the line above, so that a list item stays whole. A very long or
    unclosed code fence is cut into several; so is a long table, and each part repeats its head.
    """
    if sum(map(_weight, text.split("\n"))) <= SLICE * 2:
        return [text] if text.strip() else []
    found: list[str] = []
    lines: list[str] = []
    size = 0
    fence = ""
    blank = False
    table: list[str] = []
    """Head and rule of the table that is being read."""
    for line in text.split("\n"):
        bare = line.lstrip()
        starts_block = blank and line[:1] not in (" ", "\t", "")
        if not fence and "|" not in line:
            table = []
        elif not fence and lines and "|" in lines[-1] and _RULE.fullmatch(line):
            table = [lines[-1], line]
        starts_block = starts_block or bool(_ITEM.match(line))
        ends_here = starts_block or size >= SLICE * (2 if table else 4)
        if not fence and size >= SLICE and ends_here:
            found.append("\n".join(lines))
            lines = list(table) if line not in table else []
            size = sum(map(_weight, lines))
        if fence:
            if bare.startswith(fence) and not bare.strip(fence[0] + " "):
                fence = ""
            elif size >= SLICE * 2:
                found.append("\n".join([*lines, fence]))
                lines, size = [fence], 0
        elif bare.startswith(("```", "~~~")):
            mark = bare[0]
            fence = mark * (len(bare) - len(bare.lstrip(mark)))
        lines.append(line)
        size += _weight(line)
        blank = not bare
    found.append("\n".join(lines))
    return [part for part in found if part.strip()]
