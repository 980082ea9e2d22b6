"""Blocks to sections: how each kind of block is laid out and coloured."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

from oh_tui.trajectory.blocks import (
    Block,
    Code,
    Command,
    Diff,
    Failure,
    Fields,
    Heading,
    Json,
    Markdown,
    Note,
    Output,
    Plain,
    Thought,
)
from oh_tui.tui import highlight
from oh_tui.tui.highlight import Piece
from oh_tui.tui.sections import (
    Line,
    MarkdownSection,
    RowSection,
    Section,
    TextSection,
    cells,
    chop,
    expand,
    head,
)

WHOLE = 150
"""Lines; code up to here is painted in one go, so that strings over several lines are right;
longer code is painted line by line, where it is looked at."""

SLICE = 2000
"""Characters of Markdown rendered at a time; rich takes about 5 ms for a thousand."""

PLAIN_MARKDOWN = 500_000
"""Characters of Markdown beyond which its source is shown instead."""

PROSE = 50_000
"""Characters of text beyond which lines are cut at the width, not between words."""


def lay_out(blocks: Sequence[Block], width: int, wrap: bool) -> list[Section]:
    """The sections of all blocks, an empty line around prose and above headings."""
    sections: list[Section] = []
    for number, block in enumerate(blocks):
        after_prose = number > 0 and isinstance(blocks[number - 1], Markdown)
        if number > 0 and (after_prose or isinstance(block, Heading | Markdown)):
            sections.append(RowSection([Line("", [])], 0))
        sections += (section for section in _block(block, width, wrap) if len(section))
    return sections


def _block(block: Block, width: int, wrap: bool) -> list[Section]:
    match block:
        case Markdown(text):
            return _markdown(expand(text, 4), width)
        case Thought(text, most):
            return [_thought(expand(text, 4), width, most)]
        case Command(text):
            return [_command(expand(text, 8).split("\n"), width)]
        case Output(text):
            return [TextSection(_split(text, 8), width, wrap=wrap)]
        case Diff(text, path):
            return [_diff(_split(text, 4), path, width, wrap)]
        case Code(text, path, first):
            return [_code(_split(text, 4), path, first, width, wrap)]
        case Json(text):
            return [_code(_split(text, 4), "json", None, width, wrap)]
        case Fields(pairs):
            return _fields(pairs, width)
        case Plain(text):
            return [_text(text, width)]
        case Failure(text):
            return [_text(text, width, "failure")]
        case Heading(text):
            return [_text(text, width, "heading")]
        case Note(text):
            return [_text(text, width, "note")]


def _split(text: str, tab: int) -> list[str]:
    return expand(text, tab).split("\n") if text else []


def _text(text: str, width: int, style: str = "") -> Section:
    words = len(text) <= PROSE
    return TextSection(_split(text, 4), width, wrap=True, words=words, style=style)


def _markdown(text: str, width: int) -> list[Section]:
    if len(text) > PLAIN_MARKDOWN:
        return [_text(text, width)]
    parts = slices(text)
    sections: list[Section] = []
    for part, below in pairwise([*parts, ""]):
        if len(part) > SLICE * 5:
            # a paragraph this long is no prose, and some take rich seconds
            sections.append(_text(part, width))
        else:
            at_blank = not part.rpartition("\n")[2].strip()
            gap = at_blank and below != ""
            sections.append(MarkdownSection(part, width, gap=gap))
    return sections


def _thought(text: str, width: int, most: int) -> Section:
    whole = TextSection(text.split("\n"), width, wrap=True, words=len(text) <= PROSE)
    if most <= 0 or len(whole) <= most:
        return whole
    rows = [whole.line(row) for row in range(most)]
    more = len(whole) - most
    said = f" … {more} more line{'s' if more > 1 else ''}"[:width]
    last = rows[-1].text.rstrip()
    last = head(last, width - cells(said), words=True).rstrip()
    rows[-1] = Line("", [(last, ""), (said, "note")])
    return RowSection(rows, width, follows=[whole.continues(row) for row in range(most)])


def _painter(lines: list[str], name: str) -> Callable[[int], Sequence[Piece]]:
    """What paints a line; short code is painted whole, when its first line is asked for."""
    whole: list[list[Piece]] = []

    def paint(number: int) -> Sequence[Piece]:
        line = lines[number]
        lexer = highlight.lexer_for(name)
        if lexer is None:
            return [(line, "")]
        if len(lines) <= WHOLE and max(map(len, lines)) <= highlight.MAX_LINE:
            if not whole:
                whole.extend(highlight.paint(lexer, "\n".join(lines)))
            if number < len(whole) and "".join(text for text, _ in whole[number]) == line:
                return whole[number]
        return highlight.paint_line(lexer, line)

    return paint


def _command(lines: list[str], width: int) -> Section:
    painter = _painter(lines, "bash")

    def paint(number: int) -> Sequence[Piece]:
        return [(part, style or "command") for part, style in painter(number)]

    gutters = ["$ ", *[""] * (len(lines) - 1)]
    return TextSection(lines, width, wrap=True, paint=paint, gutters=gutters, indent=2)


def _code(lines: list[str], name: str, first: int | None, width: int, wrap: bool) -> Section:
    gutters: Sequence[str] | None = None
    indent = 0
    if first is not None and lines:
        digits = len(str(first + len(lines) - 1))
        gutters = [f"{number:>{digits}}" for number in range(first, first + len(lines))]
        indent = digits + 2
    paint = _painter(lines, name) if name else None
    return TextSection(lines, width, wrap=wrap, paint=paint, gutters=gutters, indent=indent)


_HUNK = re.compile(r"@@ -(\d{1,9})(?:,\d+)? \+(\d{1,9})(?:,\d+)? @@")


def _line_numbers(lines: list[str]) -> list[int]:
    """For each line of a diff its number in the new file, or in the old one if it was taken out;
    0 where it is not known."""
    numbers: list[int] = []
    old = new = 0
    known = False
    for line in lines:
        sign = line[:1]
        if sign == "@" and (match := _HUNK.match(line)):
            old, new = int(match[1]), int(match[2])
            known = True
            numbers.append(0)
        elif not known or sign in ("\\", "@"):
            numbers.append(0)
        else:
            numbers.append(old if sign == "-" else new)
            old += sign != "+"
            new += sign != "-"
    return numbers


def _diff(lines: list[str], path: str, width: int, wrap: bool) -> Section:
    numbers = _line_numbers(lines)
    digits = len(str(max(numbers, default=0)))
    return TextSection(
        lines,
        width,
        wrap=wrap,
        paint=partial(_paint_diff, lines, path),
        gutters=[f"{number or '':>{digits}}" for number in numbers],
        indent=digits + 1 if any(numbers) else 0,
        tint=lambda number: {"+": "add", "-": "del"}.get(lines[number][:1], ""),
    )


def _paint_diff(lines: list[str], path: str, number: int) -> Sequence[Piece]:
    line = lines[number]
    sign, rest = line[:1], line[1:]
    if sign == "@":
        return [(line, "hunk")]
    if sign == "\\":
        return [(line, "note")]
    lexer = highlight.lexer_for(path)
    pieces = highlight.paint_line(lexer, rest) if lexer and rest else [(rest, "")]
    return [(sign, {"+": "add-sign", "-": "del-sign"}.get(sign, "")), *pieces]


def _fields(pairs: Sequence[tuple[str, str]], width: int) -> list[Section]:
    """Label and value side by side, a long value hanging under its beginning."""
    pairs = [(" ".join(label.split()), value) for label, value in pairs]
    column = min(max((cells(label) for label, _ in pairs), default=0) + 2, max(2, width // 3))
    room = max(1, width - column)
    rows: list[Line] = []
    follows: list[bool] = []
    for label, value in pairs:
        if cells(label) > column - 1:
            label = head(label, column - 2) + "…"
        label += " " * (column - cells(label))
        for n, source in enumerate(expand(value, 4).split("\n")):
            starts = chop(source, room, words=len(source) <= PROSE)
            for start, end in zip(starts, [*starts[1:], len(source)], strict=True):
                first = not n and not start
                shown = (source[start:end], "")
                body = [(label, "label"), shown] if first else [shown]
                rows.append(Line("" if first else " " * column, body))
                follows.append(start > 0)
    return [RowSection(rows, width, follows=follows)] if rows else []


def slices(text: str) -> list[str]:
    """Markdown cut between paragraphs, about `SLICE` characters each.

    What is indented stays with the line above it, so that an item of a list stays whole. A code
    fence that is very long, or never closed, is cut into several.
    """
    if len(text) <= SLICE * 2:
        return [text] if text.strip() else []
    found: list[str] = []
    lines: list[str] = []
    size = 0
    fence = ""
    blank = False
    for line in text.split("\n"):
        bare = line.lstrip()
        starts_block = blank and line[:1] not in (" ", "\t", "")
        if not fence and size >= SLICE and (starts_block or size >= SLICE * 4):
            found.append("\n".join(lines))
            lines, size = [], 0
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
        size += max(40, len(line))  # each line takes its time, a short one too
        blank = not bare
    found.append("\n".join(lines))
    return [part for part in found if part.strip()]
