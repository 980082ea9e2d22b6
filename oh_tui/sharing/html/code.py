"""Code, commands and diffs as HTML, in the syntax colours of the explorer."""

from __future__ import annotations

from collections.abc import Iterable

from oh_tui.sharing.html.escaping import text
from oh_tui.text import lexers, syntax
from oh_tui.text.syntax import Piece


def code_html(code: str, name: str) -> str:
    """Code of a language, or of a file with this path, as the content of a `pre`; long code is
    written without colours."""
    lexer = lexers.find_lexer(name) if name else None
    if lexer is None or code.count("\n") >= syntax.WHOLE:
        return text(code)
    return "\n".join(map(_pieces, syntax.paint(lexer, code)))


def plain_note(name: str) -> str:
    """Says of a language that it has no colours."""
    told = lexers.without_colours(name) if name else ""
    return f'<p class="note">{text(told)}</p>' if told else ""


def _pieces(pieces: Iterable[Piece]) -> str:
    return "".join(
        f'<i class="h-{style}">{text(part)}</i>' if style else text(part) for part, style in pieces
    )


_LINES = {"+": "h-add", "-": "h-del", "@": "h-hunk", "\\": "h-note"}


def diff_html(diff: str) -> str:
    """A line each; the sign of a line tells it without its colour too."""
    parts: list[str] = []
    is_after_block = True
    for line in diff.split("\n"):
        look = _LINES.get(line[:1], "")
        # a coloured line is a block, which ends it
        before = "" if look or is_after_block else "\n"
        parts.append(f'<b class="{look}">{text(line)}</b>' if look else before + text(line))
        is_after_block = bool(look)
    return "".join(parts)
