"""What was typed before something was drawn: it may fill a field, but answers and sends nothing.

A paste without brackets, or keys typed over a slow line, would say yes to what nobody has seen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from textual.widget import Widget

    from oh_tui.tui.platform.key_queue import KeyQueueApp


def after_frame(widget: Widget, call: Callable[[], None]) -> None:
    """As `KeyQueueApp.after_frame`, to be called while the widget is drawn."""
    cast("KeyQueueApp", widget.app).after_frame(widget, call)


class FirstFrame:
    """A widget that knows whether it was seen: its first frame is on the terminal, and the keys
    from before have been handled."""

    is_seen = False
    _awaited = False

    def drawing(self) -> None:
        """To be called each time it is drawn."""
        if not self._awaited:
            self._awaited = True
            after_frame(cast("Widget", self), self._seen)

    def _seen(self) -> None:
        self.is_seen = True
