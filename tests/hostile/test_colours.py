"""Colours of hostile code: only measured lexers are called, and each ends within its bounds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from time import thread_time

import pytest
from pygments import lexers as of_pygments  # type: ignore[import-untyped]
from pygments.lexer import Lexer  # type: ignore[import-untyped]

from oh_tui.sharing.html.blocks import code_html, prose_html
from oh_tui.text import lexers, syntax
from oh_tui.trajectory.presentation.block import Code, Markdown
from oh_tui.tui.rendering import highlight
from oh_tui.tui.rendering.lines import Document

UNITS = (
    *" \t\"'`()[]{}<>\\/*#$@!-=&;:,.%?_aA0|é\0",
    '"""', "/*", "//", "<!--", "${", "#{", "{{", "{%", "$(", "[[", "<<", "\\n", "a.", "a,", "a(",
    "a[", "a<", "a:", "a::", "a=", "a-", "a/", "0x", "1e", "1_", "->", "=>", "&a", "f'{", "<a>",
    "&amp;", "[a](", "![", "**", "~~~", "<?", "$a", "a<b,", "{a:", "template<", "/a", "%q(", "a&&",
    "a ", " a", "<a ", "<a b=", "fn ", "- ", "> ", "1. ", "key: ", "a: a;", "a\\\n", " \n", "a\n",
    "(\n", "\\\n", "<<A\n", "a a(", "int ",
)  # fmt: skip
BEGINS = (
    '"', "'", "`", '"""', "/*", "<!--", '<a b="', "f'", "${", "[a](", "/", "<![CDATA[", "key: |\n",
    "#define a ", "class ", "template<", "<?php ", "- ", "=begin\n", '@"', "<script>", "<style>",
    "%q(", "<<A\n", "```a\n", "int a(", "x = {", "SELECT ",
)  # fmt: skip


def hostile(size: int) -> Iterator[str]:
    chance = random.Random(1)
    mixed = ["".join(chance.choices(chance.sample(UNITS, 3), k=200)) for _ in range(20)]
    for body in (*UNITS, *mixed):
        yield (body * size)[:size]
    for begin in BEGINS:
        for body in (" ", "a ", "\\", "a,", "{", "(", "\n", " \n"):
            yield (begin + body * size)[:size]


def longest(lexer: Lexer, text: str) -> float:
    """Seconds until the next token, within which nothing can stop a lexer."""
    found, began = 0.0, thread_time()
    last = began
    for _ in lexer.get_tokens(text):
        now = thread_time()
        found, last = max(found, now - last), now
        if now - began > syntax.LIMIT / 4:
            break
    return found


def named(known: str) -> Lexer:
    aliases = next(one[1] for one in of_pygments.get_all_lexers(plugins=False) if one[0] == known)
    lexer = lexers.find_lexer("x.R" if known == "S" else aliases[0])
    assert lexer is not None and lexer.name == known
    return lexer


@pytest.mark.slow
@pytest.mark.parametrize("known", lexers.MEASURED)
def test_each_lexer_takes_linear_time_for_each_token(known: str) -> None:
    """What is quadratic over many tokens ends between two of them. A token that takes little of the
    longest text that is coloured may be quadratic: a fence of Markdown takes 0.08 s."""
    lexer, size = named(known), syntax.MOST
    for whole, half in zip(hostile(size), hostile(size // 2), strict=True):
        took = longest(lexer, whole)
        if took > 0.03:
            took = min(took, *(longest(lexer, whole) for _ in range(2)))
            less = min(longest(lexer, half) for _ in range(3))
            assert took < 0.15 or took < 3 * less, (whole[:40], took, less)
            assert took < 0.3, (whole[:40], took)


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was spent on colours yet."""
    monkeypatch.setattr(syntax._Beyond, "spent", 0.0)


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("path", ["x.py", "x.ts", "x.html", "x.au3", "x.ada", "x.bqn", "x.aj"])
def test_pages_of_hostile_code_take_a_bounded_time(path: str) -> None:
    lexers.find_lexer(path)
    began = thread_time()
    for text in ("a" + " " * 1_990, "( \n" * 500, '"' * 2_000, "<a " * 660):
        page = "\n".join([text] * 150)
        for _ in range(4):
            code_html(page, path)
            document = Document([Code(page, path)], 100)
            for row in range(min(50, len(document))):
                document.line(row)
    assert thread_time() - began < syntax.IN_ALL + 4


@pytest.mark.usefixtures("fresh")
def test_after_their_time_the_rest_is_plain_and_colours_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    monkeypatch.setattr(syntax, "monotonic", lambda: now[0])
    monkeypatch.setattr(syntax._Beyond, "at", now[0])
    lexer = named("Python")
    assert len(syntax.paint_line(lexer, "x = 1 # a")) > 1
    monkeypatch.setattr(syntax._Beyond, "spent", syntax.IN_ALL)
    assert syntax.paint_line(lexer, "x = 1 # a") == [("x = 1 # a", "")]
    now[0] += 60
    assert len(syntax.paint_line(lexer, "x = 1 # a")) > 1


def test_no_other_lexer_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    called = set[str]()

    def look(self: Lexer, text: str) -> Iterator[tuple[object, str]]:
        called.add(self.name)
        return iter([])

    monkeypatch.setattr(Lexer, "get_tokens", look)
    for known, aliases, files, _ in of_pygments.get_all_lexers(plugins=False):
        for name in (*aliases, *(file.replace("*", "x") for file in files)):
            if lexer := lexers.find_lexer(name):
                syntax.paint_line(lexer, "x = 1")
            elif known not in (*lexers.MEASURED, "Text only", "Text output"):
                assert lexers.without_colours(name).startswith("plain: no colours for ") or (
                    any(sign in name for sign in "[./")
                ), name
    assert called == set(lexers.MEASURED)
    markdown = named("Markdown")
    monkeypatch.undo()
    assert not markdown.handlecodeblocks


def test_it_is_said_where_the_code_is_shown() -> None:
    highlight.load()
    for block in (Code("x := 1;", "src/main.adb"), Markdown("Look:\n\n```ada\nx := 1;\n```")):
        document = Document([block], 60)
        document.prepare(0, len(document))
        shown = "\n".join(document.line(row).text for row in range(len(document)))
        assert "plain: no colours for Ada" in shown and "x := 1;" in shown
    assert "plain: no colours for Ada" in prose_html("```ada\nx\n```")
