"""Syntax colours: pygments tokens as pieces with our style names, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.text import lexers

if TYPE_CHECKING:
    from pygments.lexer import Lexer  # type: ignore[import-untyped]

Piece = tuple[str, str]
"""Text and the names of its styles, separated by spaces; "" for no style."""

MAX_LINE = 2000
"""Characters; a longer line is shown without colours, because painting it could take seconds."""

WHOLE = 150
"""Lines of code that are painted in one go, which gets strings over several lines right; longer
code is painted line by line."""


def paint(lexer: Lexer, text: str) -> list[list[Piece]]:
    """The lines of `text` as pieces; the pieces of a line always join to that line."""
    lines: list[list[Piece]] = [[]]
    for kind, value in lexer.get_tokens(text):
        style = lexers.style_of(kind)
        first, *others = value.split("\n")
        if first:
            _add(lines[-1], first, style)
        for part in others:
            lines.append([])
            if part:
                _add(lines[-1], part, style)
    return lines


def paint_line(lexer: Lexer, line: str) -> list[Piece]:
    """One line as pieces, without knowing the lines above it."""
    if len(line) > MAX_LINE:
        return [(line, "")]
    pieces = paint(lexer, line)[0]
    # A lexer may change text (drop a byte order mark, normalize line ends), which must not show.
    return pieces if "".join(text for text, _ in pieces) == line else [(line, "")]


def _add(line: list[Piece], text: str, style: str) -> None:
    if line and line[-1][1] == style:
        line[-1] = (line[-1][0] + text, style)
    else:
        line.append((text, style))
