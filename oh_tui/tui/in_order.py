"""Keys one after the other: each is looked at when all that the one before does is done.

Textual gives a key to the widget that has the focus when the key arrives, and runs what is bound
to it later. Of keys that arrive at once (typed ahead, over a slow line) all would go to the same
widget although the first of them moves the focus: of "/" and a text to find, the text would be
taken for commands (seen: it paused a sandbox).

Among the keys stand the frames that somebody asked about: what was typed before a question was on
the terminal comes before its frame, however late either is handled.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial

from textual import events
from textual.app import App
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget

HOPS = 3
"""Turns of the event loop after a key, in which a worker that it started asks its question."""

STUCK = 1.0
"""Seconds after which a key is given up: the widget that had it may be gone."""


OPENS = 5.0
"""Seconds in which what a key opens has to be there; else what was typed ahead is dropped."""


class KeyDone(Message):
    """Follows a key on its way from the focused widget to the app: when it arrives there, the key
    has been handled."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class FrameShown(events.Event, bubble=False):
    """A frame is on the terminal, and all that was typed until then has been handed on."""

    def __init__(self, call: Callable[[], None]) -> None:
        super().__init__()
        self.call = call


class KeysInOrder(App[int]):
    def __init__(self, *, ansi_color: bool | None = None) -> None:
        super().__init__(ansi_color=ansi_color)
        self._keys: deque[events.Event] = deque()
        """Those that wait for the one before, and the frames among them."""
        self._number = 0
        self._under_way = 0
        """The number of the key that is being handled; 0 for none."""
        self._stuck: Timer | None = None

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, events.Key | events.Paste | FrameShown) or event.is_forwarded:
            await super().on_event(event)
        elif self._under_way:
            self._keys.append(event)
            if self._stuck is None:
                self._watch()
        else:
            await self._take(event)

    def after_frame(self, widget: Widget, call: Callable[[], None]) -> None:
        """Call when the frame is on the terminal in which the widget is drawn at this moment; all
        keys that were there before have been handled by then, and none that came after."""
        widget.call_after_refresh(self.mark_frame, FrameShown(call))

    def mark_frame(self, shown: FrameShown) -> None:
        """The frame is drawn: hand this on when it is on the terminal. Without one it is so now."""
        self.post_message(shown)

    async def _take(self, event: events.Event) -> None:
        if not self.screen_stack:
            return  # the app ends: nobody is there to take it
        if isinstance(event, FrameShown):
            event.call()
            return
        self._number += 1
        self._under_way = self._number
        target = self.focused or self.screen
        await super().on_event(event)
        if not target.post_message(KeyDone(self._number)):
            self._under_way = 0

    async def on_key_done(self, message: KeyDone) -> None:
        message.stop()
        if message.number != self._under_way:
            return
        await _hops()
        while opening := self.opening:  # a field may come after the bars it is mounted below
            _, late = await asyncio.wait([opening], timeout=OPENS)
            if late:
                # they are for what did not come, and no commands
                self._keys = deque(e for e in self._keys if isinstance(e, FrameShown))
                break
            await _hops()
        if message.number == self._under_way:
            await self._go_on()

    def _watch(self) -> None:
        self._stuck = self.set_timer(STUCK, partial(self._give_up, self._under_way))

    async def _give_up(self, number: int) -> None:
        if number == self._under_way:
            await self._go_on()

    @property
    def opening(self) -> asyncio.Future[None] | None:
        """What the last key has begun to bring onto the screen, for the next one to go there."""
        return None

    async def _go_on(self) -> None:
        if self._stuck is not None:
            self._stuck.stop()
            self._stuck = None
        self._under_way = 0
        while self._keys and not self._under_way:
            await self._take(self._keys.popleft())
        if self._keys and self._stuck is None:
            self._watch()


async def _hops() -> None:
    for _ in range(HOPS):
        await asyncio.sleep(0)
