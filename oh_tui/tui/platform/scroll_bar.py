"""The scroll bar on themes with the terminal's own colours: a line instead of a block, because a
block in the colour of text is the loudest thing on a screen without colours."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.color import Color
from rich.segment import Segment, Segments
from rich.style import Style
from textual.scrollbar import ScrollBarRender

THUMB = "▐"


class QuietScrollBar(ScrollBarRender):
    """Textual's, its bar drawn as a line where the bar has no colour of its own."""

    is_dim: ClassVar[bool] = False
    """Where there are no colours at all, the line is dim."""

    @classmethod
    def render_bar(cls, *args: Any, **how: Any) -> Segments:
        bar = super().render_bar(*args, **how)
        colour: Color = how["bar_color"]
        if colour.triplet is not None or not how["vertical"]:
            return bar
        return Segments([cls._line(segment, colour) for segment in bar.segments], new_lines=True)

    @classmethod
    def _line(cls, segment: Segment, colour: Color) -> Segment:
        text, style, control = segment
        if style is None or style.meta.get("@mouse.down") != "grab":
            return segment
        look = Style(color=colour, dim=cls.is_dim, bgcolor=style.bgcolor, meta=style.meta)
        return Segment(THUMB * len(text), look, control)
