"""A screen that is laid out once for its first size; here we use private members of `Screen`."""

from __future__ import annotations

from textual import events
from textual.geometry import Size
from textual.screen import Screen


class BaseScreen(Screen[int]):
    _is_new = True
    """It was not shown yet."""

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """For the first time its parts are new and have their styles: to add them up once more
        would take 3 ms of the start."""
        if self._is_new:
            self._is_new = event.refresh_styles = False

    def _screen_resized(self, size: Size) -> None:
        """Textual tells of the first size three times, and would lay out and draw for each.
        `size` is that of the app already, `outer_size` what was laid out last."""
        if size != self.outer_size:
            super()._screen_resized(size)
