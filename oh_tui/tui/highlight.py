"""Syntax colours: pygments tokens as pieces with our style names, line by line.

pygments takes tens of milliseconds to load, so it is imported when the first line is painted.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pygments.lexer import Lexer  # type: ignore[import-untyped]

Piece = tuple[str, str]
"""Text and the names of its styles, separated by spaces; "" for no style."""

MAX_LINE = 2000
"""Characters; a longer line is shown without colours, because painting it could take seconds."""


@lru_cache(maxsize=64)
def lexer_for(name: str) -> Lexer | None:
    """The lexer for a language name or for a path, by its file name; None when there is none.

    A path is asked for by its name alone: guessing by content costs too much for each step.
    """
    from pygments.lexers import find_lexer_class_by_name, find_lexer_class_for_filename  # type: ignore[import-untyped]
    from pygments.util import ClassNotFound  # type: ignore[import-untyped]

    if not name:
        return None
    found = find_lexer_class_for_filename(name.rstrip("/").rpartition("/")[2])
    if found is None and "/" not in name and "." not in name:
        try:
            found = find_lexer_class_by_name(name)
        except ClassNotFound:
            return None
    return None if found is None else found(stripnl=False)


def paint(lexer: Lexer, text: str) -> list[list[Piece]]:
    """The lines of `text` as pieces; the pieces of a line always join to that line."""
    lines: list[list[Piece]] = [[]]
    for kind, value in lexer.get_tokens(text):
        style = _style(kind)
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
    # A lexer may change text (drop a byte order mark, mend line ends): then colours are wrong
    # and what would be shown is not what is there.
    return pieces if "".join(text for text, _ in pieces) == line else [(line, "")]


def _add(line: list[Piece], text: str, style: str) -> None:
    if line and line[-1][1] == style:
        line[-1] = (line[-1][0] + text, style)
    else:
        line.append((text, style))


@lru_cache(maxsize=256)
def _style(kind: object) -> str:
    from pygments.token import Token  # type: ignore[import-untyped]

    for parent, name in (
        (Token.Comment, "comment"),
        (Token.Keyword, "keyword"),
        (Token.Operator.Word, "keyword"),
        (Token.Literal.String, "string"),
        (Token.Literal.Number, "literal"),
        (Token.Name.Function, "name"),
        (Token.Name.Class, "name"),
        (Token.Name.Tag, "keyword"),
        (Token.Name.Attribute, "name"),
        (Token.Name.Decorator, "name"),
        (Token.Name.Builtin, "name"),
        (Token.Name.Variable, "variable"),
    ):
        if kind in parent:
            return name
    return ""
