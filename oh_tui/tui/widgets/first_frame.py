"""Keys typed before a widget was drawn: they may fill a field, but answer and send nothing.

Otherwise a paste without brackets, or keys typed over a slow line, would confirm a question that
nobody has seen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from oh_tui.tui.platform.key_queue import FrameShown, Hands, KeyQueueApp


def after_frame(widget: Widget, call: Callable[[], None]) -> None:
    """Call `call` once the frame of the widget that is being drawn is on the terminal: by then all
    keys typed before it have been handled, and none typed after it."""
    widget.call_after_refresh(cast("KeyQueueApp", widget.app).mark_frame, FrameShown(call))


def hands_of(widget: Widget) -> Hands:
    return cast("KeyQueueApp", widget.app).hands


class FirstFrame:
    """A widget that knows whether its first frame is on the terminal (`is_seen`) and the keys from
    before have been handled. The first base of its class."""

    is_seen = False
    _awaited = False

    def wait_for_frame(self, waits: bool) -> None:
        """It opens again: what comes before its next frame is early, if it `waits` for that."""
        self.is_seen = self._awaited = not waits

    def render_lines(self, crop: Region) -> list[Strip]:
        if not self._awaited:
            self._awaited = True
            after_frame(cast("Widget", self), self._seen)
        lines: list[Strip] = super().render_lines(crop)  # type: ignore[misc]  # of the widget
        return lines

    def _seen(self) -> None:
        self.is_seen = True
