"""Sections: a block or a slice of Markdown laid out for a width, in lines made when asked for."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from itertools import accumulate
from typing import NamedTuple, TypeAlias

from oh_tui.text.patterns import pattern
from oh_tui.text.syntax import Piece
from oh_tui.tui.rendering import highlight, prose
from oh_tui.tui.rendering.cells import chop, chopped, expand, is_narrow, width_of


class Line(NamedTuple):
    """One screen line. `gutter` (line numbers, indents) is shown but is no part of the text."""

    gutter: str
    body: Sequence[Piece]
    tint: str = ""
    """A style for the whole line, "" for none."""

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.body)


class TextSection:
    """Lines of text; with `wrap`, cut at the width; prose, with `words`, between words.

    `paint` gives the pieces of a line by its number; without it the text has the one `style`.
    `gutters` are shown before the lines, in `indent` cells; `tint` names a style for a whole line.
    """

    pending = False
    """Whether the number of lines is an estimate until `prepare` is called."""
    width: int
    """Cells of the widest line, gutter included."""

    def __init__(
        self,
        lines: list[str],
        width: int,
        *,
        wrap: bool,
        words: bool = False,
        paint: Callable[[int], Sequence[Piece]] | None = None,
        style: str = "",
        gutters: Sequence[str] | None = None,
        indent: int = 0,
        tint: Callable[[int], str] | None = None,
    ) -> None:
        self._lines = lines
        self._pieces = lru_cache(maxsize=2000)(paint) if paint else None
        self._style = style
        self._gutters = gutters
        self._indent = indent
        self._tint = tint
        self._words = words
        self._room = room = max(1, width - indent)
        self._cuts = lru_cache(maxsize=256)(partial(_cuts, lines, room, words))
        self._ends: list[int] | None = None
        """Number of the row after each line; None when each line is one row."""
        if wrap:
            self.width = width
            if any(len(line) * 2 > room for line in lines):
                heights = [self._height(n, line) for n, line in enumerate(lines)]
                if sum(heights) > len(lines):
                    self._ends = list(accumulate(heights))
        else:
            self.width = indent + max(map(width_of, lines), default=0)
        self._count = self._ends[-1] if self._ends else len(lines)

    def _height(self, number: int, line: str) -> int:
        size = len(line)
        if size * 2 <= self._room or (size <= self._room and is_narrow(line)):
            return 1
        return len(self._cuts(number))

    def __len__(self) -> int:
        return self._count

    def _find_line(self, row: int) -> tuple[int, int]:
        """The line of a row, and which row of that line it is."""
        if self._ends is None:
            return row, 0
        number = bisect_right(self._ends, row)
        return number, row - (self._ends[number - 1] if number else 0)

    def _first_row(self, number: int) -> int:
        return number if self._ends is None else (self._ends[number - 1] if number else 0)

    def _span(self, row: int) -> tuple[int, int, int]:
        """The line of a row, and the part of it that the row shows."""
        number, part = self._find_line(row)
        line = self._lines[number]
        if self._ends is None:
            return number, 0, len(line)
        cuts = self._cuts(number)
        end = cuts[part + 1] if part + 1 < len(cuts) else len(line)
        return number, cuts[part], end

    def text(self, row: int) -> str:
        number, start, end = self._span(row)
        return self._lines[number][start:end]

    def continues(self, row: int) -> bool:
        """Whether the line above belongs to the same line of the source."""
        return self._find_line(row)[1] > 0

    def line(self, row: int) -> Line:
        number, start, end = self._span(row)
        gutter = ""
        if self._indent:
            first = self._gutters[number] if self._gutters and not start else ""
            gutter = first + " " * (self._indent - width_of(first))
        tint = self._tint(number) if self._tint else ""
        if self._pieces is None:
            body: Sequence[Piece] = [(self._lines[number][start:end], self._style)]
        else:
            body = cut(self._pieces(number), start, end)
        return Line(gutter, body, tint)

    def anchor(self, row: int) -> float:
        """Where in the source a line is; independent of the width."""
        number, start, _ = self._span(row)
        return number + min(0.999, start / (len(self._lines[number]) + 1))

    def row_of(self, anchor: float) -> int:
        number = min(int(anchor), len(self._lines) - 1)
        first = self._first_row(number)
        if self._ends is None:
            return first
        offset = round((anchor - number) * (len(self._lines[number]) + 1))
        return first + max(0, bisect_right(self._cuts(number), offset) - 1)

    def find(self, needle: str, row: int, back: bool) -> int | None:
        """The nearest line at or after (before) `row` in which the text begins."""
        low, pattern = needle.lower(), _pattern(needle)
        number, _ = self._find_line(row)
        for n in range(number, -1, -1) if back else range(number, len(self._lines)):
            line = self._lines[n]
            if low not in line.lower():
                continue
            first = self._first_row(n)
            cuts = self._cuts(n) if self._ends else [0]
            rows = [first + bisect_right(cuts, m.start()) - 1 for m in pattern.finditer(line)]
            if rows := [r for r in rows if (r <= row if back else r >= row)]:
                return rows[-1 if back else 0]
        return None

    def marks(self, row: int, needle: str, seen: slice) -> list[tuple[int, int]]:
        """Where the text occurs in a line, as character offsets, partial hits at its edges
        included; at least in the part that is seen."""
        number, start, end = self._span(row)
        first, last, _ = seen.indices(end - start)
        begin = max(0, start + first - len(needle) + 1)
        window = self._lines[number][begin : start + last + len(needle) - 1]
        found = [
            (max(first, match.start() + begin - start), min(last, match.end() + begin - start))
            for match in _pattern(needle).finditer(window)
        ]
        return [(left, right) for left, right in found if left < right]

    def prepare(self) -> None:
        pass


class RowSection:
    """Lines that are laid out already."""

    def __init__(self, rows: list[Line], width: int, *, follows: Sequence[bool] = ()) -> None:
        self.pending = False
        self.width = width
        self._rows = rows
        self._follows = follows

    def __len__(self) -> int:
        return len(self._rows)

    def line(self, row: int) -> Line:
        return self._rows[row]

    def text(self, row: int) -> str:
        return self._rows[row].text

    def continues(self, row: int) -> bool:
        return row < len(self._follows) and self._follows[row]

    def anchor(self, row: int) -> float:
        return row / max(1, len(self))

    def row_of(self, anchor: float) -> int:
        return max(0, min(len(self) - 1, round(anchor * len(self))))

    def find(self, needle: str, row: int, back: bool) -> int | None:
        pattern = _pattern(needle)
        last = len(self) - 1
        order = range(min(row, last), -1, -1) if back else range(max(0, row), last + 1)
        return next((n for n in order if pattern.search(self.text(n))), None)

    def marks(self, row: int, needle: str, seen: slice) -> list[tuple[int, int]]:
        return [match.span() for match in _pattern(needle).finditer(self.text(row))]

    def prepare(self) -> None:
        pass


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


class MarkdownSection(RowSection):
    """A slice of Markdown, its height estimated until it is rendered; with `gap` a line follows."""

    def __init__(self, source: str, width: int, *, gap: bool = False) -> None:
        super().__init__([], width)
        self.pending = True
        self._source = source
        self._gap = gap
        self._estimate = sum(-(-len(line) // width) or 1 for line in source.split("\n"))

    def __len__(self) -> int:
        return self._estimate if self.pending else len(self._rows)

    def prepare(self) -> None:
        if self.pending:
            self._rows = [Line("", pieces) for pieces in self._render()]
            if self._gap:
                self._rows.append(Line("", []))
            self.pending = False

    def _render(self) -> Iterable[Sequence[Piece]]:
        """The source itself until the renderer is loaded, after the first screen."""
        if not highlight.is_put_off():
            yield from prose.render(self._source, self.width)
            return
        for line in expand(self._source, 4).split("\n"):
            for part in chopped(line, self.width, words=True):
                yield [(part, "")]

    def line(self, row: int) -> Line:
        return Line("", []) if self.pending else super().line(row)

    def text(self, row: int) -> str:
        return "" if self.pending else super().text(row)

    def find(self, needle: str, row: int, back: bool) -> int | None:
        if self.pending:
            if needle.lower() not in self._source.lower():
                return None
            self.prepare()
            row = len(self) - 1 if back else 0
        return super().find(needle, row, back)


Section: TypeAlias = TextSection | RowSection


def cut(pieces: Sequence[Piece], start: int, end: int) -> Sequence[Piece]:
    found = []
    offset = 0
    for text, style in pieces:
        after = offset + len(text)
        if after > start and offset < end:
            found.append((text[max(0, start - offset) : end - offset], style))
        offset = after
        if offset >= end:
            break
    return found


def _cuts(lines: Sequence[str], room: int, words: bool, number: int) -> list[int]:
    line = lines[number]
    if words or not is_narrow(line):
        return chop(line, room, words=words)
    return [row.start() for row in _rows(room).finditer(line)] or [0]


@lru_cache(maxsize=16)
def _rows(room: int) -> re.Pattern[str]:
    """Parts after a space or a bracket where that fills half of the row: a number stays whole."""
    after = r"(?:(?<=[\s()\[\]{},;=|])|(?=\s)|$) ?"
    return re.compile(f".{{{room // 2 + 1},{room}}}{after}|.{{1,{room}}}")


def _pattern(needle: str) -> re.Pattern[str]:
    return re.compile(re.escape(needle), re.IGNORECASE)
