"""Markdown as tokens, as people and models mean it."""

from __future__ import annotations

from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 100})
    return parser.enable("strikethrough").enable("table")


def parse(source: str) -> list[Token]:
    """CommonMark with tables and struck text; HTML tags are text, and line ends are line ends."""
    tokens = _parser().parse(source)
    for token in tokens:
        for child in token.children or ():
            # people and models mean the line ends they write
            if child.type == "softbreak":
                child.type = "hardbreak"
            elif child.type == "code_inline" and "\n " in token.content:  # not the indentation
                child.content = " ".join(child.content.split())
    return tokens
