"""Corrections to Textual's scroll view, which draws all its lines anew with another height, and
when the focus comes or goes, and needs two layouts for another number of lines."""

from __future__ import annotations

from textual import events
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView


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
