"""Syntax colours: pygments tokens as pieces with our style names, line by line."""

from __future__ import annotations

from time import monotonic, thread_time
from typing import TYPE_CHECKING

from oh_tui.text import lexers

if TYPE_CHECKING:
    from pygments.lexer import Lexer  # type: ignore[import-untyped]

Piece = tuple[str, str]
"""Text and the names of its styles, separated by spaces; "" for no style."""

MAX_LINE = 1000
"""Characters; a longer line is shown without colours, because painting it could take seconds."""

WHOLE, MOST = 150, 5_000
"""Lines of code and their characters that are painted at once; longer code goes line by line."""

USUAL = 1e-5
"""Seconds of CPU time that a character may take: twice what is usual on a slow machine."""

LIMIT, IN_ALL, GIVEN_BACK = 0.1, 1.0, 0.05
"""Seconds beyond these for one text, for all texts, and of the latter those that each second that
passes gives back. What comes then is plain."""


class _Beyond:
    """Seconds that colours took beyond the usual."""

    spent, at = 0.0, 0.0

    @classmethod
    def left(cls) -> float:
        now = monotonic()
        cls.spent, cls.at = max(0.0, cls.spent - (now - cls.at) * GIVEN_BACK), now
        return min(LIMIT, IN_ALL - cls.spent)


def paint(lexer: Lexer, text: str) -> list[list[Piece]]:
    """The lines of `text` as pieces, which join to that line; plain where a bound is passed, and
    where the lexer changes the text (drops a byte order mark, normalizes line ends)."""
    plain: list[list[Piece]] = [[(line, "")] if line else [] for line in text.split("\n")]
    if len(text) > MOST or max(map(len, text.split("\n"))) > MAX_LINE:
        return plain
    left = _Beyond.left()
    if left <= 0:
        return plain
    began, usual = thread_time(), len(text) * USUAL
    try:
        lines = _tokens(lexer, text, began + usual + left)
    finally:
        _Beyond.spent += max(0.0, thread_time() - began - usual)
    kept = lines[: len(plain)]
    return kept if _texts(kept) == _texts(plain) else plain


def _tokens(lexer: Lexer, text: str, until: float) -> list[list[Piece]]:
    """As far as they are made by this time of the thread."""
    lines: list[list[Piece]] = [[]]
    for kind, value in lexer.get_tokens(text):
        if thread_time() > until:
            return []
        style = lexers.style_of(kind)
        for place, part in enumerate(value.split("\n")):
            if place:
                lines.append([])
            line = lines[-1]
            if part and line and line[-1][1] == style:
                line[-1] = (line[-1][0] + part, style)
            elif part:
                line.append((part, style))
    return lines


def _texts(lines: list[list[Piece]]) -> list[str]:
    return ["".join(text for text, _ in pieces) for pieces in lines]


def paint_line(lexer: Lexer, line: str) -> list[Piece]:
    """One line as pieces, without knowing the lines above it."""
    return paint(lexer, line)[0] or [(line, "")]
