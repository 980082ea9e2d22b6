"""Blocks to sections: how each kind of block is laid out and coloured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

from oh_tui.text import syntax
from oh_tui.text.human import plural
from oh_tui.text.patterns import pattern
from oh_tui.text.syntax import Piece
from oh_tui.trajectory.glyphs import UNICODE, Glyphs
from oh_tui.trajectory.presentation import block as b
from oh_tui.trajectory.reading.plans import Task
from oh_tui.tui.rendering import highlight
from oh_tui.tui.rendering.cells import chopped, expand, expand_at, head, width_of
from oh_tui.tui.rendering.colours import Colours
from oh_tui.tui.rendering.sections import (
    SLICE,
    Line,
    MarkdownSection,
    RowSection,
    Section,
    TextSection,
    slices,
)

PLAIN_MARKDOWN = 500_000
"""Characters of Markdown beyond which its source is shown instead."""

PROSE = 50_000
"""Longer texts, in characters, are cut at the width instead of between words."""


def lay_out(
    blocks: Sequence[b.Block], width: int, wrap: bool, glyphs: Glyphs = UNICODE
) -> list[Section]:
    """The sections of all blocks, with an empty line around prose and above headings."""
    sections: list[Section] = []
    for number, block in enumerate(blocks):
        after_prose = number > 0 and isinstance(blocks[number - 1], b.Markdown)
        if number > 0 and (after_prose or isinstance(block, b.Heading | b.Markdown)):
            sections.append(RowSection([Line("", [])], 0))
        sections += (section for section in _block(block, width, wrap, glyphs) if len(section))
    return sections


def _block(block: b.Block, width: int, wrap: bool, glyphs: Glyphs) -> list[Section]:
    match block:
        case b.Markdown(text):
            return _markdown(expand(text, 4), width)
        case b.Thought(text, most):
            return [_thought(expand(text, 4), width, most)]
        case b.Command(text):
            return [_command(expand(text, 8).split("\n"), width)]
        case b.Output(text, coloured):
            return [_output(text, coloured, width, wrap)]
        case b.Diff(text, path):
            return [_diff(_split(text, 4), path, width, wrap)]
        case b.Code(text, path, first):
            told = highlight.without_colours(path)
            plain = [_text(told, width, "note")] if told else []
            return [*plain, _code(_split(text, 4), path, first, width, wrap)]
        case b.Json(text):
            return [_code(_split(text, 4), "json", None, width, wrap)]
        case b.Fields(pairs):
            return _fields(pairs, width)
        case b.Checklist(tasks):
            return [_checklist(tasks, width, glyphs)]
        case b.Table(columns, rows):
            return _table(columns, rows, width)
        case b.Plain(text):
            return [_text(text, width)]
        case b.Failure(text):
            return [_text(text, width, "failure")]
        case b.Heading(text):
            return [_text(text, width, "heading")]
        case b.Note(text):
            return [_text(text, width, "note")]
        case b.ImageNote(text, many):
            key = "i saves them" if many else "i saves and opens it"
            return [_text(f"{text}; {key}", width, "note")]


def _split(text: str, tab: int) -> list[str]:
    return expand(text, tab).split("\n") if text else []


def _text(text: str, width: int, style: str = "") -> Section:
    words = len(text) <= PROSE
    return TextSection(_split(text, 4), width, wrap=True, words=words, style=style)


def _output(text: str, coloured: str, width: int, wrap: bool) -> Section:
    lines = _split(text, 8)
    if not coloured:
        return TextSection(lines, width, wrap=wrap)
    sources = text.split("\n")
    colours = Colours(coloured)

    def paint(number: int) -> Sequence[Piece]:
        pieces = colours.paint(number, sources[number])
        return pieces if "\t" not in sources[number] else _expanded(pieces, lines[number])

    return TextSection(lines, width, wrap=wrap, paint=paint)


def _expanded(pieces: Sequence[Piece], line: str) -> Sequence[Piece]:
    """The pieces with their tabs expanded; one plain piece if they do not add up to `line`."""
    expanded: list[Piece] = []
    column = 0
    for text, style in pieces:
        text, column = expand_at(text, 8, column)
        expanded.append((text, style))
    return expanded if "".join(text for text, _ in expanded) == line else [(line, "")]


def _markdown(text: str, width: int) -> list[Section]:
    if len(text) > PLAIN_MARKDOWN:
        return [_text(text, width)]
    parts = slices(text)
    sections: list[Section] = []
    for part, below in pairwise([*parts, ""]):
        if len(part) > SLICE * 5:
            # so long a paragraph is no prose, and rich may take seconds for it
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
    more = f" … {plural(len(whole) - most, 'more line')}"[:width]
    last = head(rows[-1].text.rstrip(), width - width_of(more), words=True).rstrip()
    rows[-1] = Line("", [(last, ""), (more, "note")])
    return RowSection(rows, width, follows=[whole.continues(row) for row in range(most)])


def _painter(lines: list[str], name: str) -> Callable[[int], Sequence[Piece]]:
    """A function that paints a line by its number; short code is painted whole at its first."""
    whole: list[list[Piece]] = []

    def paint(number: int) -> Sequence[Piece]:
        line = lines[number]
        lexer = highlight.lexer_for(name)
        if lexer is None:
            return [(line, "")]
        if len(lines) > syntax.WHOLE or sum(map(len, lines)) + len(lines) > syntax.MOST:
            return syntax.paint_line(lexer, line)
        if max(map(len, lines)) > syntax.MAX_LINE:
            return syntax.paint_line(lexer, line)
        if not whole:
            whole.extend(syntax.paint(lexer, "\n".join(lines)))
        return whole[number]

    return paint


def _command(lines: list[str], width: int) -> Section:
    painter = _painter(lines, "bash")

    def paint(number: int) -> Sequence[Piece]:
        return [(part, style or "command") for part, style in painter(number)]

    gutters, words = ["$ ", *[""] * (len(lines) - 1)], sum(map(len, lines)) <= PROSE
    return TextSection(lines, width, wrap=True, words=words, paint=paint, gutters=gutters, indent=2)


def _code(lines: list[str], name: str, first: int | None, width: int, wrap: bool) -> Section:
    gutters: Sequence[str] | None = None
    indent = 0
    if first is not None and lines:
        digits = len(str(first + len(lines) - 1))
        gutters = [f"{number:>{digits}}" for number in range(first, first + len(lines))]
        indent = digits + 2
    paint = _painter(lines, name) if name else None
    return TextSection(lines, width, wrap=wrap, paint=paint, gutters=gutters, indent=indent)


_HUNK = pattern(r"@@ -(\d{1,9})(?:,\d+)? \+(\d{1,9})(?:,\d+)? @@")


def _line_numbers(lines: list[str]) -> list[int]:
    """The number of each line: in the new file, or the old for a removed one; 0 for unknown."""
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
    pieces = syntax.paint_line(lexer, rest) if lexer and rest else [(rest, "")]
    return [(sign, {"+": "add-sign", "-": "del-sign"}.get(sign, "")), *pieces]


def _fields(pairs: Sequence[tuple[str, str]], width: int) -> list[Section]:
    """Label and value side by side; the further lines of a value are indented to its start."""
    pairs = [(" ".join(label.split()), value) for label, value in pairs]
    column = min(max((width_of(label) for label, _ in pairs), default=0) + 2, max(2, width // 3))
    room = max(1, width - column)
    rows: list[Line] = []
    follows: list[bool] = []
    for label, value in pairs:
        if width_of(label) > column - 1:
            label = head(label, column - 2) + "…"
        label += " " * (column - width_of(label))
        gutter, before = "", [(label, "label")]
        for source in expand(value, 4).split("\n"):
            for number, part in enumerate(_chopped(source, room)):
                rows.append(Line(gutter, [*before, (part, "")]))
                follows.append(number > 0)
                gutter, before = " " * column, []
    return [RowSection(rows, width, follows=follows)] if rows else []


_TASK_LOOKS = {
    "done": ("finished", "[x]", "good", "dim"),
    "in_progress": ("running", "[>]", "mark", "bold"),
    "todo": ("starting", "[ ]", "dim", ""),
}
"""Status of a task -> its glyph, its ASCII form, the hue of both, and the style of the title."""

_CHANGES = {
    "new": ("new", "mark"),
    "done": ("done now", "good"),
    "started": ("started", "mark"),
    "reopened": ("open again", "note"),
    "renamed": ("renamed", "note"),
    "dropped": ("dropped", "note"),
}


def _checklist(tasks: Sequence[Task], width: int, glyphs: Glyphs) -> Section:
    """A line for each task and what changed in it; below, its former title and its notes."""
    rows: list[Line] = []
    follows: list[bool] = []
    for task in tasks:
        glyph, box, hue, look = _TASK_LOOKS[task.status]
        mark = f"{getattr(glyphs, glyph) if glyphs is UNICODE else box} "
        if task.change == "dropped":
            mark, look = " " * width_of(mark), "strike note"
        change, change_hue = _CHANGES.get(task.change, ("", ""))
        room = max(1, width - width_of(mark))
        if width_of(mark) >= width:
            mark = ""
        indent = " " * width_of(mark)
        first, *others = _chopped(task.title, room)
        rows.append(Line("", [(mark, hue), (first, look)]))
        rows += [Line(indent, [(part, look)]) for part in others]
        follows += [False, *(True for _ in others)]
        if change:
            last = rows[-1]
            if width_of(last.gutter + last.text) + 2 + len(change) <= width:
                rows[-1] = Line(last.gutter, [*last.body, ("  ", ""), (change, change_hue)])
            else:
                rows.append(Line(indent, [(head(change, room), change_hue)]))
                follows.append(False)
        below = [f"was: {task.was}"] if task.was else []
        for text in [*below, *filter(None, expand(task.notes, 4).split("\n"))]:
            for number, part in enumerate(_chopped(text, room)):
                rows.append(Line(indent, [(part, "note")]))
                follows.append(number > 0)
    return RowSection(rows, width, follows=follows)


def _chopped(text: str, room: int) -> list[str]:
    return chopped(text, room, words=len(text) <= PROSE)


_NUMBER = pattern(r"[-+<$]?[\d,.]+ ?(?:[kMG]?B?|%)(?: [-+]\S+)?|")


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[Section]:
    """Columns side by side, numbers aligned right; rows become fields where there is no room."""
    kept = [n for n in range(len(columns)) if any(row[n] for row in rows)]
    widths = [max(width_of(row[n]) for row in (columns, *rows)) for n in kept]
    if sum(widths) + 2 * (len(kept) - 1) > width:
        pairs = [
            (row[0], "  ".join(f"{columns[n]} {row[n]}" for n in kept if n and row[n]))
            for row in rows
        ]
        return _fields(pairs, width)
    right = [all(_NUMBER.fullmatch(row[n]) for row in rows) for n in kept]

    def line(row: Sequence[str], style: str) -> Line:
        texts = []
        for n, cells, is_number in zip(kept, widths, right, strict=True):
            gap = " " * (cells - width_of(row[n]))
            texts.append(gap + row[n] if is_number else row[n] + gap)
        return Line("", [("  ".join(texts).rstrip(), style)])

    lines = [line(columns, "label"), *(line(row, "") for row in rows)]
    return [RowSection(lines, width)]
