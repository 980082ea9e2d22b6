"""When syntax colours are there.

pygments takes 0.1 s to load. It is imported with the first line painted, or earlier in a thread;
lines are shown without colours until that is done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.text import lexers, syntax

if TYPE_CHECKING:
    from pygments.lexer import Lexer  # type: ignore[import-untyped]

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
            syntax.paint_line(lexer, "x = 1")
    _Loading.done, _Loading.put_off = True, False
    lexers.find_lexer("x")  # loads the file names of all lexers


def lexer_for(name: str) -> Lexer | None:
    """The lexer for a language or for the file name of a path; None when there is none. Content
    is not looked at: that would cost too much for each step."""
    return lexers.find_lexer(name) if name and not _Loading.put_off else None


def without_colours(name: str) -> str:
    """What to say of a language whose code is shown plain."""
    return lexers.without_colours(name) if name and not _Loading.put_off else ""
