"""Blocks to screen lines, laid out and coloured only where they are looked at.

A `Document` knows at once how many lines it has, but makes a line when it is asked for. Only
Markdown has to be rendered to be counted: it is cut into slices, and a slice not yet rendered
counts by an estimate (`pending`, `prepare`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from oh_tui.trajectory.glyphs import UNICODE, Glyphs
from oh_tui.trajectory.presentation.block import Block
from oh_tui.tui.rendering import highlight, prose
from oh_tui.tui.rendering.body_layout import lay_out
from oh_tui.tui.rendering.cells import chop, width_of
from oh_tui.tui.rendering.sections import Line


class Document:
    """Blocks as screen lines `width` cells wide.

    With `wrap` off, the lines of outputs, code and diffs stay whole and `width` says how wide the
    widest is; prose is always wrapped.
    """

    def __init__(
        self,
        blocks: Sequence[Block],
        width: int,
        wrap: bool = True,
        glyphs: Glyphs = UNICODE,
    ) -> None:
        self.made_for = (width, wrap, glyphs)
        self._sections = lay_out(blocks, max(1, width), wrap, glyphs)
        self._firsts: list[int] = []
        self._count_lines()
        self.width = max((section.width for section in self._sections), default=0)

    def _count_lines(self) -> None:
        self._firsts = list(accumulate(map(len, self._sections), initial=0))

    def __len__(self) -> int:
        return self._firsts[-1]

    def _section(self, row: int) -> tuple[int, int]:
        number = bisect_right(self._firsts, row) - 1
        return number, row - self._firsts[number]

    def line(self, row: int) -> Line:
        """A screen line; blank while its slice of Markdown is not prepared."""
        number, inner = self._section(row)
        return self._sections[number].line(inner)

    def text(self, row: int) -> str:
        """The text of a screen line, without line numbers."""
        number, inner = self._section(row)
        return self._sections[number].text(inner)

    def source_line(self, row: int) -> str:
        """The line of the source that a screen line is of, whole."""
        first = last = row
        while first and self.continues(first):
            first -= 1
        while last + 1 < len(self) and self.continues(last + 1):
            last += 1
        return self.extract(first, 0, last, None)

    def continues(self, row: int) -> bool:
        """Whether a screen line continues the one above, which was too long for the width."""
        number, inner = self._section(row)
        return self._sections[number].continues(inner)

    def extract(self, first: int, start: int, last: int, end: int | None) -> str:
        """The text from character `start` of line `first` up to `end` of line `last` (None: to its
        end), with newlines only where the source has them."""
        self.prepare(first, last + 1)
        parts = []
        for row in range(first, min(last + 1, len(self))):
            text = self.text(row)
            if row == last:
                text = text[:end]
            if row == first:
                text = text[start:]
            elif not self.continues(row):
                parts.append("\n")
            parts.append(text)
        return "".join(parts)

    @property
    def pending(self) -> bool:
        """The number of lines is still an estimate."""
        return any(section.pending for section in self._sections)

    def prepare(self, first: int, last: int) -> None:
        """Make the lines from `first` to before `last` true ones. Line numbers may change: keep a
        `anchor` and ask `row_of` afterwards."""
        row = max(0, first)
        while row < min(last, len(self)):
            number, _ = self._section(row)
            if self._sections[number].pending:
                self._sections[number].prepare()
                self._count_lines()
            row = max(row + 1, self._firsts[number + 1])

    def prepare_next(self) -> None:
        for section in self._sections:
            if section.pending:
                section.prepare()
                self._count_lines()
                return

    def anchor(self, row: int) -> tuple[int, float]:
        """Where in the source a line is; independent of width and wrap."""
        if not len(self):
            return 0, 0.0
        number, inner = self._section(min(max(0, row), len(self) - 1))
        return number, self._sections[number].anchor(inner)

    def row_of(self, anchor: tuple[int, float]) -> int:
        number, inner = anchor
        if number >= len(self._sections):
            return 0
        return self._firsts[number] + self._sections[number].row_of(inner)

    def find(self, needle: str, row: int, back: bool = False) -> int | None:
        """The nearest line at or after `row` (`back`: at or before) in which the text begins,
        ignoring case; does not start over at the other end. May render Markdown on its way."""
        if not needle or not len(self):
            return None
        row = min(row, len(self) - 1)
        if row < 0:
            return None
        number, inner = self._section(row)
        order = range(number, -1, -1) if back else range(number, len(self._sections))
        for n in order:
            section = self._sections[n]
            if n != number:
                inner = len(section) - 1 if back else 0
            found = section.find(needle, inner, back)
            self._count_lines()
            if found is not None:
                return self._firsts[n] + found
        return None

    def marks(self, row: int, needle: str, seen: slice = slice(None)) -> list[tuple[int, int]]:
        """Where the text occurs in a line, as character offsets, at least in the part `seen`."""
        number, inner = self._section(row)
        return self._sections[number].marks(inner, needle, seen) if needle else []


def in_sight(line: Line, left: int, room: int) -> tuple[int, int, int]:
    """The visible part of a line scrolled sideways: start and end as character offsets, and the
    blank cells before it, left by a wide character cut in half."""
    text = line.text
    start = lead = 0
    if left:
        starts = chop(text, left, most=2)
        start = starts[1] if len(starts) > 1 else len(text)
        over = width_of(text[:start])
        if over < left and start < len(text):
            lead = over + width_of(text[start]) - left
            start += 1
    ends = chop(text[start:], max(1, room - lead), most=2)
    end = start + ends[1] if len(ends) > 1 else len(text)
    if width_of(text[start:end]) > room - lead:
        end = start
    return start, end, lead


def warm_up() -> None:
    """Load what paints and renders, which takes about 150 ms: call it in a thread once the first
    screen is drawn. Until then text is shown as it is (`highlight.put_off`)."""
    highlight.load()
    prose.render("`warm`\n\n```python\nup = 1\n```", 20)
