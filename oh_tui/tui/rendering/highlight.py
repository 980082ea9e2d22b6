"""Syntax colours: pygments tokens as pieces with our style names, line by line.

pygments takes 0.1 s to load. It is imported with the first line painted, or earlier in a thread;
lines are shown without colours until that is done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.tui.rendering import lexers

if TYPE_CHECKING:
    from pygments.lexer import Lexer  # type: ignore[import-untyped]

Piece = tuple[str, str]
"""Text and the names of its styles, separated by spaces; "" for no style."""

MAX_LINE = 2000
"""Characters; a longer line is shown without colours, because painting it could take seconds."""

FIRST = ("bash", "json", "x.py", "x.md")
"""Names for the lexers that most runs need, loaded beforehand."""


class _Loading:
    put_off = False
    done = False


def put_off() -> None:
    """Paint nothing until `load` has been called."""
    _Loading.put_off = not _Loading.done


def is_put_off() -> bool:
    return _Loading.put_off


def load() -> None:
    """Import pygments, which takes 0.1 s, and paint from now on. May be called in a thread."""
    for name in FIRST:
        lexer = lexers.find_lexer(name)
        if lexer is not None:
            paint_line(lexer, "x = 1")
    _Loading.done, _Loading.put_off = True, False
    lexers.find_lexer("x")  # loads the file names of all lexers


def lexer_for(name: str) -> Lexer | None:
    """The lexer for a language or for the file name of a path; None when there is none. Content
    is not looked at: that would cost too much for each step."""
    return lexers.find_lexer(name) if name and not _Loading.put_off else None


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
