"""How the screen begins: the first frames, the source that is opened, what is loaded after them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from typing import TYPE_CHECKING

from oh_tui.tui import highlight, lines

if TYPE_CHECKING:
    from oh_tui.tui.main_screen import MainScreen

WARM_UP = 1.0
"""Seconds after the first paint at which the rest is loaded, if no run was drawn by then."""

FIRST_ROWS = 0.2
"""Seconds that the first rows may keep the screen as it was first painted."""


async def draw_at_once(screen: MainScreen) -> None:
    """The first frame has no rows yet. Of what is open already they come with the second, all
    in one: each frame in between would make them wait for as long as they take to be read."""
    with screen.app.batch_update(), contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FIRST_ROWS):
            await screen.session.run_shown.wait()


def painted(screen: MainScreen) -> None:
    """For the first time; what was made until then need never be collected."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
    screen.set_timer(WARM_UP, screen.warm_up)


def begin(screen: MainScreen) -> None:
    if screen.make_source is None:
        screen.sidebar.say("no API key")
        screen.work_on("write", screen.servers.open_without_key)
    else:
        screen.servers.tell_cautions()
        screen.open_source(screen.make_source)


async def warm_up(screen: MainScreen) -> None:
    """Once a run is drawn or nothing is there to draw: bring the bars that ask, and load what
    renders and colours text. What was shown as it came until then is shown as it is meant."""
    await screen.mount_bars()
    if highlight.is_put_off():
        await asyncio.to_thread(lines.warm_up)
        for view in (*screen.bodies, screen.asked):
            if view.is_attached:
                view.show_again()
