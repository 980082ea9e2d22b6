"""A screen that is laid out once for its first size; uses private members of Textual's `Screen`."""

from __future__ import annotations

from textual import events
from textual.geometry import Size
from textual.screen import Screen


class BaseScreen(Screen[int]):
    _is_new = True
    """It has not been shown yet."""

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Do not refresh styles at the first time: they are new, and it would take 3 ms."""
        if self._is_new:
            self._is_new = event.refresh_styles = False

    def _screen_resized(self, size: Size) -> None:
        """Lay out only for another size: Textual reports the first one three times. `outer_size` is
        the size of the last layout."""
        if size != self.outer_size:
            super()._screen_resized(size)
