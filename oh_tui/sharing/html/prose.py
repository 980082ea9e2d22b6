"""Markdown as HTML: tags are text, images are not loaded, links lead to pages by https."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeAlias

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from oh_tui.sharing.html.code import code_html, plain_note
from oh_tui.sharing.html.escaping import opened_link, text
from oh_tui.text.commonmark import parse
from oh_tui.text.redact import safe, safe_line

LONGEST = 500_000
"""Characters of Markdown beyond which its source is written."""

_BELOW = 3
"""Levels of the page's own headings, below which those of a text stand."""


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
