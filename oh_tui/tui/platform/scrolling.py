"""Corrections to Textual's scroll view, which draws all its lines anew with another height, and
when the focus comes or goes, and needs two layouts for another number of lines; and the scroll bar
on themes with the terminal's own colours: a line instead of a block, because a block in the colour
of text is the loudest thing on a screen without colours."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.color import Color
from rich.segment import Segment, Segments
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBarRender

THUMB = "▐"


class KeptLines(ScrollView):
    """Its lines depend neither on its height nor on the focus: those that stay where they were are
    not drawn again. A subclass that shows the focus redraws what does."""

    def _size_updated(
        self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True
    ) -> bool:
        before = self._size
        if size.width != before.width or size.height == before.height or not before:
            return super()._size_updated(size, virtual_size, container_size, layout)
        self._size = size  # a size that it knows makes nothing dirty
        super()._size_updated(size, virtual_size, container_size, layout)
        if size.height > before.height:
            self.refresh(Region(0, before.height, size.width, size.height - before.height))
        return True

    def resize_lines(self, size: Size) -> None:
        """Set the size of all lines. Its scrollbars come or go at once: Textual finds out about
        them in the layout for the size, and then makes another."""
        self.virtual_size = size
        self._scrollbar_changes.clear()
        self._scroll_update(size)

    def on_focus(self, event: events.Focus) -> None:
        event.prevent_default()
        self.has_focus = True
        if self.parent is not None:
            self.parent.post_message(events.DescendantFocus(self))

    def on_blur(self, event: events.Blur) -> None:
        event.prevent_default()
        self.has_focus = False
        if self.parent is not None:
            self.parent.post_message(events.DescendantBlur(self))


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
