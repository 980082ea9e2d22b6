"""Texts, Markdown, code and diffs as HTML: what a text says is never a tag, an attribute or an
address to follow; images are not loaded, links lead to pages by https."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape, unescape
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from oh_tui.text import lexers, syntax
from oh_tui.text.commonmark import parse
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe, safe_line
from oh_tui.text.syntax import Piece

LONGEST = 500_000
"""Characters of Markdown beyond which its source is written."""

_BELOW = 3
"""Levels of the page's own headings, below which those of a text stand."""


def text(value: str) -> str:
    """A clean text as HTML, between tags and in an attribute in double quotes."""
    return escape(value)


def line(value: str) -> str:
    """Any text as HTML on one line."""
    return escape(safe_line(value))


def seen(html: str) -> str:
    """What a part of a page tells its readers: its texts, and where its links lead."""
    html = _LINK.sub(r"\1 ", html.replace("</dt><dd>", ": "))
    return unescape(_TAG.sub("\n", _WITHIN.sub("", html)))


_LINK = pattern('<a href="(https:[^"]{0,}+)"[^<>]{0,}+>')
_WITHIN = pattern("</?(?:a|i|em|strong|code)(?: [^<>]{0,}+)?>")
"""Tags that are within a word, or may be."""
_TAG = pattern("<[^<>]{0,}+>")


def opened_link(address: str) -> str:
    """The tag of a link to a page by https without a name and password; "" for others."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
        return ""
    return f'<a href="{escape(address)}" rel="noopener noreferrer">'


_ODD = pattern(r"[^\w.:-]+", re.ASCII)

_LONGEST = 80
"""Characters of the id of an event that names its place as it is."""


def anchor(event_id: str) -> str:
    """The name of the place of an event in the page: its id, if that is one that can stand in an
    address; two events have two names all the same."""
    name = _ODD.sub("-", safe_line(event_id, 2 * _LONGEST))
    if name != event_id or len(name) > _LONGEST:
        digest = hashlib.sha256(event_id.encode("utf-8", "surrogatepass")).hexdigest()
        name = f"{name[:_LONGEST]}-{digest[:12]}"
    return f"event-{name}"


def prose_html(source: str) -> str:
    """The source as it is if it is too long."""
    if len(source) > LONGEST:
        return f"<pre>{text(source)}</pre>"
    tokens = parse(source)
    for token in tokens:
        if token.children:
            token.children = _seen(token.children)
    writer = MarkdownIt("commonmark", renderer_cls=_Writer)
    return f'<div class="prose">{writer.renderer.render(tokens, writer.options, {})}</div>'


def _seen(tokens: list[Token]) -> list[Token]:
    """One plain text instead, where entities or marks were all that hid a secret or an odd sign."""
    shown = "".join(token.content or "\n" * (token.tag == "br") for token in tokens)
    kept = safe(shown)
    return tokens if kept == shown else [Token("text", "", 0, content=kept)]


_Tokens: TypeAlias = Sequence[Token]


@cache
class _Writer(RendererHTML):
    """Each method writes the tokens that it is named after."""

    def text(self, tokens: _Tokens, at: int, options: Any, env: Any) -> str:
        return text(tokens[at].content)

    def code_inline(self, tokens: _Tokens, at: int, options: Any, env: Any) -> str:
        return f"<code>{text(tokens[at].content)}</code>"

    def fence(self, tokens: _Tokens, at: int, options: Any, env: Any) -> str:
        language = next(iter(tokens[at].info.split()), "")
        code = code_html(tokens[at].content.removesuffix(chr(10)), language)
        return f"{plain_note(language)}<pre>{code}</pre>\n"

    def code_block(self, tokens: _Tokens, at: int, options: Any, env: Any) -> str:
        return self.fence(tokens, at, options, env)

    def image(self, tokens: _Tokens, at: int, options: Any, env: Any) -> str:
        address = safe_line(str(tokens[at].attrs.get("src", "")))
        begin = opened_link(address)
        place = f"{begin}{text(address)}{'</a>' if begin else ''}"
        return f"[image] {text(tokens[at].content)} ({place})"

    def link_open(self, tokens: _Tokens, at: int, options: Any, env: Any) -> str:
        """The address of a link that leads elsewhere stands behind its text."""
        address, level = safe_line(str(tokens[at].attrs.get("href", ""))), tokens[at].level
        end = next(t for t in tokens[at:] if t.type == "link_close" and t.level == level)
        begin = opened_link(address)
        end.meta["html"] = "</a>" if begin else f" ({text(address)})"
        return begin

    def link_close(self, tokens: _Tokens, at: int, options: Any, env: Any) -> str:
        return str(tokens[at].meta["html"])

    def heading_open(self, tokens: _Tokens, at: int, options: Any, env: Any) -> str:
        return f"<{_heading(tokens[at])}>"

    def heading_close(self, tokens: _Tokens, at: int, options: Any, env: Any) -> str:
        return f"</{_heading(tokens[at])}>\n"

    def th_open(self, tokens: _Tokens, at: int, options: Any, env: Any) -> str:
        """Without its alignment, which is a style."""
        return "<th>"

    def td_open(self, tokens: _Tokens, at: int, options: Any, env: Any) -> str:
        return "<td>"


def _heading(token: Token) -> str:
    return f"h{min(6, int(token.tag[1:]) + _BELOW)}"


def code_html(code: str, name: str) -> str:
    """Code of a language, or of a file with this path, for a `pre`; long code has no colours."""
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
