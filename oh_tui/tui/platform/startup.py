"""How the explorer starts: its first frames, and what is loaded after them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from oh_tui.tui.rendering import highlight, lines

if TYPE_CHECKING:
    from textual.app import App

WARM_UP = 1.0
"""Seconds after the first paint at which the rest is loaded, if no run was drawn by then."""

FIRST_ROWS = 0.2
"""Seconds that the first rows may keep the screen as it was first painted."""


class Shows(Protocol):
    """A widget with rendered text."""

    @property
    def is_attached(self) -> bool: ...

    def show_again(self) -> None:
        """Render it once more."""


async def draw_at_once(app: App[int], shown: asyncio.Event) -> None:
    """The first frame has no rows yet. Of what is open already they come with the second, all
    in one: each frame in between would make them wait for as long as they take to be read."""
    with app.batch_update(), contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FIRST_ROWS):
            await shown.wait()


def freeze() -> None:
    """After the first paint: what was made until then need never be collected."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


async def warm_up(views: Iterable[Shows]) -> None:
    """Load what renders and colours text. What was shown as it came until then is shown as it is
    meant."""
    if highlight.is_put_off():
        await asyncio.to_thread(lines.warm_up)
        for view in views:
            if view.is_attached:
                view.show_again()
