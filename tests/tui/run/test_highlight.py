"""Syntax colours: the lexer for a name, and plain text until the highlighter is loaded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from oh_tui.trajectory.presentation.block import Block, Command, Markdown
from oh_tui.tui.rendering import highlight
from oh_tui.tui.rendering.highlight import lexer_for
from oh_tui.tui.rendering.lines import Document, warm_up
from tests.tui.explorer import explore
from tests.tui.run.test_run import WEEKS


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("bash", "Bash"),
        ("json", "JSON"),
        ("src/dates/parse.py", "Python"),
        ("deploy/Dockerfile", "Docker"),
        ("README.md", "Markdown"),
        ("web/app.ts", "TypeScript"),
        ("pyproject.toml", "TOML"),
    ],
)
def test_a_language_or_a_path_has_its_lexer(name: str, language: str) -> None:
    lexer = lexer_for(name)
    assert lexer is not None and lexer.name == language


@pytest.mark.parametrize(
    "name", ["", "no-such-language", "notes.no-such-ending", "a/b/", "Makefile", "x.c"]
)
def test_what_no_lexer_knows_has_none(name: str) -> None:
    assert lexer_for(name) is None


@pytest.fixture
def put_off(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a process that has painted nothing yet."""
    monkeypatch.setattr(highlight._Loading, "done", False)
    highlight.put_off()
    assert highlight.is_put_off()
    yield
    highlight.load()


def test_until_colours_are_loaded_text_is_shown_as_it_came(put_off: None) -> None:
    blocks: list[Block] = [
        Command("echo 'one two'"),
        Markdown("## Why\n\nIt is *not*\n\n- one\n- two two two"),
    ]

    def shown() -> tuple[str, set[str]]:
        document = Document(blocks, 12)
        document.prepare(0, len(document))
        lines = [document.line(row) for row in range(len(document))]
        return "\n".join(line.text.rstrip() for line in lines), {
            style for line in lines for _, style in line.body
        }

    text, styles = shown()
    assert text == "echo 'one \ntwo'".replace(" \n", "\n") + (
        "\n\n## Why\n\nIt is *not*\n\n- one\n- two two\ntwo"
    )
    assert styles == {"", "command"}
    warm_up()
    text, styles = shown()
    assert "## " not in text and "*not*" not in text
    assert {"string", "heading bold", "italic"} & styles


async def test_the_screen_colours_what_it_shows_once_that_is_loaded(put_off: None) -> None:
    async with explore() as it:
        await it.open(WEEKS)
        await it.until(lambda: not highlight.is_put_off())
        await it.settle()
        styles = {
            style
            for view in it.screen.run_view.detail.bodies
            for row in range(len(view._document))
            for _, style in view._document.line(row).body
        }
        assert styles & {"keyword", "literal", "name", "string"}
