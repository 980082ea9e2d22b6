"""Textual's text area, for text of any origin: imported when one writes, for it is slow to load.

Every private member of Textual's `TextArea` that we use is used here.
"""

from __future__ import annotations

from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widgets import TextArea

from oh_tui.text.patterns import pattern

_UNTYPED = pattern("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""What no keyboard types, but a paste may hold: it would reach the terminal."""


class TextField(TextArea):
    """A text area in which only what can be typed is pasted."""

    def render_lines(self, crop: Region) -> list[Strip]:
        """Nothing yet when it is drawn before its styles are there, which Textual's own does not
        expect (seen on a busy machine)."""
        if not self._component_styles:
            return [Strip.blank(crop.width)] * crop.height
        return super().render_lines(crop)

    async def _on_paste(self, event: events.Paste) -> None:
        text = event.text.replace("\r\n", "\n").replace("\r", "\n")
        # prevented here: Textual would call the handler of the class above as well
        event.prevent_default()
        event.stop()
        await super()._on_paste(events.Paste(_UNTYPED.sub("", text)))
