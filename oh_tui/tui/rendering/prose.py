"""Markdown to lines of pieces, by rich; imported when the first Markdown is shown."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import ClassVar

from rich import markdown
from rich.cells import chop_cells
from rich.console import Console, ConsoleOptions, RenderResult
from rich.style import Style
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

from oh_tui.text import commonmark, syntax
from oh_tui.text.clean import clean
from oh_tui.text.syntax import Piece
from oh_tui.tui.rendering import highlight


def _named(name: str) -> Style:
    """A style that carries our name for it into the segments."""
    return Style(meta={"name": name})


_THEME = Theme(
    {
        "markdown.code": _named("code"),
        "markdown.code_block": _named("code"),
        "markdown.block_quote": _named("quote"),
        "markdown.item.bullet": _named("dim"),
        "markdown.item.number": _named("dim"),
        "markdown.hr": _named("dim"),
        **{f"markdown.h{level}": _named("heading") for level in range(1, 8)},
        "markdown.link": _named("link"),
        "markdown.link_url": _named("link"),
        "markdown.table.border": _named("dim"),
        "markdown.table.header": _named("heading"),
    }
)
"""On top of rich's own theme, whose colours `_name` leaves out."""


class _Heading(markdown.Heading):
    """At the left and without a frame."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self.text.justify = "left"
        yield self.text


class _Code(markdown.CodeBlock):
    """In our colours and without a background."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        code = str(self.text).rstrip()
        lexer = highlight.lexer_for(self.lexer_name)
        text = Text(no_wrap=False, overflow="fold")
        if told := highlight.without_colours(self.lexer_name):
            text.append(f"  {told}\n", _named("note"))
        for number, line in enumerate(code.split("\n")):
            text.append("\n" * (number > 0) + "  ")
            for part, name in syntax.paint_line(lexer, line) if lexer else [(line, "code")]:
                text.append(part, _named(name) if name else None)
        yield text


class _Table(markdown.TableElement):
    """Long words go on in the next line; rich cuts them off."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for table in super().__rich_console__(console, options):
            if isinstance(table, Table):
                table.show_edge = False  # two blank lines
                for column in table.columns:
                    column.overflow = "fold"
            yield table


class _Image(markdown.ImageItem):
    """Text and address: rich shows an emoji and hides the address in a link."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        address = Text(self.destination, style=_named("link"))
        yield Text.assemble("[image] ", self.text, " (", address, ")", end="")


class _Markdown(markdown.Markdown):
    def __init__(self, source: str) -> None:
        super().__init__("", hyperlinks=False)
        self.parsed = commonmark.parse(source)

    elements: ClassVar[dict[str, type[markdown.MarkdownElement]]] = {
        **markdown.Markdown.elements,
        "heading_open": _Heading,
        "fence": _Code,
        "code_block": _Code,
        "image": _Image,
        "table_open": _Table,
    }


def render(source: str, width: int) -> list[list[Piece]]:
    """Markdown as lines of at most `width` cells; the source, cut at the width, if rich cannot
    render it or would show nothing of it."""
    console = Console(
        width=width, file=io.StringIO(), theme=_THEME, force_terminal=True, legacy_windows=False
    )
    try:
        lines = [_pieces(line) for line in console.render_lines(_Markdown(source), pad=False)]
    except Exception:
        lines = []  # no text may end the app
    if not any(lines):
        lines = [[(part, "")] for line in source.split("\n") for part in chop_cells(line, width)]
    while lines and not lines[0]:
        del lines[0]
    while lines and not lines[-1]:
        del lines[-1]
    return lines


_SPACES = {ord("\t"): " ", ord("\n"): " "}


def _pieces(segments: Iterable[tuple[str, Style | None, object]]) -> list[Piece]:
    pieces: list[Piece] = []
    for text, style, _ in segments:
        # an entity such as &#x202e; becomes a harmful character only here
        text = clean(text).translate(_SPACES)
        if text:
            pieces.append((text, _name(style)))
    while pieces and not pieces[-1][0].rstrip():
        pieces.pop()
    if pieces:
        pieces[-1] = (pieces[-1][0].rstrip(), pieces[-1][1])
    return pieces


def _name(style: Style | None) -> str:
    if style is None:
        return ""
    names = [style.meta["name"]] if "name" in style.meta else []
    names += [name for name in ("bold", "italic", "underline", "strike") if getattr(style, name)]
    return " ".join(names)
