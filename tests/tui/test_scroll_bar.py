"""The scroll bar and the blue of terminals with 16 colours or none."""

from __future__ import annotations

import pytest
from rich.color import Color
from textual.scrollbar import ScrollBar
from textual.theme import BUILTIN_THEMES

from oh_tui.trajectory.glyphs import HUES
from oh_tui.tui.platform.scrolling import THUMB, QuietScrollBar
from oh_tui.tui.theme import corrected_variables, style
from tests.tui.explorer import explore

DARK_BLUE = Color.parse("blue")


def bar(colour: str) -> list[tuple[str, bool]]:
    """The cells of a bar of this colour, and which are reversed."""
    drawn = QuietScrollBar.render_bar(
        size=8, virtual_size=80, window_size=20, position=15, vertical=True,
        back_color=Color.default(), bar_color=Color.parse(colour),
    )  # fmt: skip
    segments = [segment for segment in drawn.segments if segment.style]
    return [(text, bool(style and style.reverse)) for text, style, _ in segments]


def test_without_a_colour_of_its_own_the_bar_is_a_line_and_no_block() -> None:
    for colour in ("bright_black", "default"):
        drawn = bar(colour)
        assert 2 <= sum(text == THUMB for text, _ in drawn) <= 3
        assert all(text in (THUMB, " ") and not reverse for text, reverse in drawn)
    assert any(reverse for _, reverse in bar("#2b353f")), "in our colours it is a quiet block"


async def test_the_explorer_draws_its_bars_so() -> None:
    async with explore():
        assert ScrollBar.renderer is QuietScrollBar


def test_no_hue_of_the_ansi_palette_is_dark_blue() -> None:
    for hue in HUES:
        assert DARK_BLUE not in (style("ansi", hue).color, style("ansi", hue).bgcolor), hue


@pytest.mark.parametrize("name", ["ansi-dark", "ansi-light"])
def test_no_variable_of_an_ansi_theme_is_dark_blue(name: str) -> None:
    theme = BUILTIN_THEMES[name]
    variables = corrected_variables(theme, theme.to_color_system().generate())
    assert "ansi_blue" not in variables.values()
    assert "blue" not in variables["scrollbar"]
