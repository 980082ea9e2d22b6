"""The start of the explorer: its first frames, and what is loaded after them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Iterable
from typing import Protocol

from textual.app import App

from oh_tui.tui.rendering import highlight, lines

WARM_UP = 1.0
"""Seconds after the first paint at which the rest is loaded, if no run was drawn before."""

FILL = 2.0
"""Seconds after a run was read at which the library takes it in."""

RULES = 0.5
"""Seconds after a run was read at which its rules are asked."""

CANVAS = 2.0
"""Seconds after the first paint at which Canvas is looked for beside Cloud."""

FIRST_ROWS = 0.2
"""Seconds that the screen may wait for its first rows after the first paint."""


class Shows(Protocol):
    """A widget with rendered text."""

    @property
    def is_attached(self) -> bool: ...

    def show_again(self) -> None:
        """Render it once more."""


async def draw_at_once(app: App[int], shown: asyncio.Event) -> None:
    """Draw the rows of an open source in one frame, the second. Frames in between would delay them
    by as much as reading them takes."""
    with app.batch_update(), contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FIRST_ROWS):
            await shown.wait()


def freeze() -> None:
    """Exempt everything made before the first paint from garbage collection."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


async def warm_up(views: Iterable[Shows]) -> None:
    """Load the renderers of Markdown and code, and show again what was shown plain until then."""
    if highlight.is_put_off():
        await asyncio.to_thread(lines.warm_up)
        for view in views:
            if view.is_attached:
                view.show_again()
