"""Textual's text area for text of any origin; imported when it is needed, because it loads slowly.

Every private member of Textual's `TextArea` that we use is used here.
"""

from __future__ import annotations

from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widgets import TextArea

from oh_tui.text.patterns import pattern

_UNTYPED = pattern("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Characters that a paste may hold but no keyboard types: they would reach the terminal."""


class TextField(TextArea):
    """A text area in which only what can be typed is pasted."""

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw nothing until the styles are there and while there is no room; Textual's own fails
        then (seen on a busy machine, and with a hint in a terminal of three columns)."""
        if not (self._component_styles and self.content_size.width):
            return [Strip.blank(crop.width)] * crop.height
        return super().render_lines(crop)

    async def _on_paste(self, event: events.Paste) -> None:
        text = event.text.replace("\r\n", "\n").replace("\r", "\n")
        # Textual would call the handler of the base class as well
        event.prevent_default()
        event.stop()
        await super()._on_paste(events.Paste(_UNTYPED.sub("", text)))
