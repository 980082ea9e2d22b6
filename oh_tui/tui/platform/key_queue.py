"""Processes keys one at a time: a key waits until the one before it has been handled.

Textual sends a key to the widget that has the focus when the key arrives, and runs its binding
later. Keys that arrive together (typed ahead, over a slow line) would all go to that widget,
although the first may move the focus: after "/", the text to find would run as commands (seen: it
paused a sandbox).

Keys that are typed while a server is asked for what the last one opens, a question, a field or a
screen, wait for it: a shell's line takes them. They are dropped when it does not open, and those
that follow closely do nothing either (`Hands`). Esc gives the keys back to what is there, whether
or not the asking ends with it.

The queue also holds marks of frames: a key typed before a question was on the terminal is handled
before the mark of that frame, so that it cannot answer the question.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from time import perf_counter

from textual import events
from textual.app import App
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

HOPS = 3
"""Turns of the event loop that a key takes until it is drawn, or the worker it started can ask its
question."""

STUCK = 1.0
"""Seconds after which the next key is handled anyway: the widget with this one may be gone."""

STOPS = ("escape", "ctrl+q")
"""Keys that do not wait for what opens: they stop it, and drop what was typed for it."""

MANY = 100
"""Waiting keys from which they are no longer counted."""

OPENS = 5.0
"""Seconds that keys wait for a widget that the last one opens; then they are dropped."""


class KeyDone(Message):
    """Follows a key from the focused widget up to the app, where the key has then been handled."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class FrameShown(events.Event, bubble=False):
    """A frame is on the terminal, and every key typed before it is in the queue."""

    def __init__(self, call: Callable[[], None]) -> None:
        super().__init__()
        self.call = call


REST = 0.7
"""Seconds without a key after which the hands rest."""


class Hands:
    """Whether the user's hands are in motion: they type what was meant for something else, and no
    key of that may act. They are from a key that came too early, was no answer or was refused,
    until they rest. The times are those at which the keys were read from the terminal, so that a
    busy machine cannot make typed keys look calm."""

    def __init__(self) -> None:
        self.in_motion = False
        self.ignored = 0
        """Keys that were ignored in this motion."""
        self.key = ""
        """The last key that was taken, as the user names it."""
        self.last = float("-inf")

    def came(self, at: float) -> None:
        if at - self.last >= REST:
            self.rest()
        self.last = at

    def follow(self) -> None:
        """What follows the last key closely belongs to it."""
        self.in_motion = True

    def ignore(self) -> None:
        self.in_motion = True
        self.ignored += 1

    def rest(self) -> None:
        self.in_motion, self.ignored = False, 0


class KeyQueueApp(App[int]):
    def __init__(self, *, ansi_color: bool | None = None) -> None:
        super().__init__(ansi_color=ansi_color)
        self.input_at = 0.0
        """When the last key, paste or turn of the wheel came, by the performance counter."""
        self.hands = Hands()
        self._keys: deque[events.Event] = deque()
        """Waiting keys, with the marks of frames between them."""
        self._number = 0
        self._under_way = 0
        """Number of the key being handled; 0 for none."""
        self._stuck: Timer | None = None
        self._top: Screen[object] | None = None
        """The topmost screen before that key."""
        self._expecting: set[object] = set()
        """Reads under way, after each of which something opens."""
        self._beneath: tuple[object, object] | None = None
        """The screen and the focus when the first of them began."""

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent) and not self.screen_stack:
            return  # the app ends
        if isinstance(event, events.InputEvent) and not isinstance(event, events.MouseMove):
            self.input_at = perf_counter()
        if not isinstance(event, events.Key | events.Paste | FrameShown) or event.is_forwarded:
            await super().on_event(event)
        elif self._under_way:
            self._keys.append(event)
            if self._expecting:
                await self._hold([event])
            elif self._stuck is None:
                self._watch()
        else:
            await self._take(event)

    def mark_frame(self, shown: FrameShown) -> None:
        """Deliver the mark when the frame is on the terminal, or at once without a terminal."""
        self.post_message(shown)

    @contextlib.contextmanager
    def expecting(self) -> Iterator[None]:
        """Something opens right after this: the keys that are typed meanwhile wait for it."""
        if not self._under_way:  # a click or the palette asked for it
            self._number += 1
            self._under_way = self._number
        self._beneath = self._beneath or self._has_keys
        self._expecting.add(one := object())
        try:
            yield
        finally:
            if one in self._expecting:
                self._expecting.remove(one)
                self.post_message(KeyDone(self._under_way))

    def expect_no_more(self) -> None:
        """Something else opened: the keys that wait are for that."""
        if self._expecting:
            self._expecting.clear()
            self.post_message(KeyDone(self._under_way))

    @property
    def _has_keys(self) -> tuple[object, object]:
        return (self.screen, self.focused) if self.screen_stack else (None, None)

    async def _hold(self, came: Sequence[events.Event]) -> None:
        """Tell of the waiting keys, or let one of those that came stop what they wait for."""
        for event in came:
            if isinstance(event, events.Key) and event.key in STOPS:
                self._drop_keys()
                self._expecting.clear()
                self._beneath = None  # keys after it are for what is there
                await super().on_event(event)
                self.post_message(KeyDone(self._under_way))
                return
        if len(self._keys) > MANY:
            return  # they may be thousands, and each would count them all
        if count := sum(not isinstance(event, FrameShown) for event in self._keys):
            self.keys_wait(count)

    def _drop_keys(self) -> int:
        """Drop the waiting keys: they are meant for what does not come, and no commands."""
        before = self._keys
        self._keys = deque(event for event in before if isinstance(event, FrameShown))
        for event in before:
            if not isinstance(event, FrameShown):
                self.hands.came(event.time)
        return len(before) - len(self._keys)

    def keys_wait(self, count: int) -> None:
        """So many keys wait for what opens, `MANY` or more."""

    def keys_dropped(self, count: int) -> None:
        """So many keys waited for what did not open."""

    def keys_ignored(self, count: int) -> None:
        """So many keys followed one that was refused, or that said no."""

    async def _take(self, event: events.Event) -> None:
        if not self.screen_stack:
            return  # the app ends
        if isinstance(event, FrameShown):
            event.call()
            return
        target = self.focused or self.screen
        if self._is_ignored(event, target):
            self.keys_ignored(self.hands.ignored)
            return
        if isinstance(event, events.Key):
            is_sign = event.is_printable and event.key != "space"
            self.hands.key = event.character or "" if is_sign else event.key
        self.key_begins()
        self._number += 1
        self._under_way = self._number
        self._top = self.screen
        await super().on_event(event)
        if not target.post_message(KeyDone(self._number)):
            self._under_way = 0

    def _is_ignored(self, event: events.Event, target: Widget) -> bool:
        """Whether a key would act although it belongs to what was typed for something else. What
        takes text keeps it, and a question ignores by itself."""
        hands = self.hands
        hands.came(event.time)
        if not getattr(target, "is_seen", True):
            hands.follow()
        if not isinstance(event, events.Key):
            return False
        if event.key in STOPS:
            hands.rest()
        acts = event.is_printable or event.key == "enter"
        if not (hands.in_motion and acts) or target.check_consume_key("a", "a"):
            return False
        hands.ignore()
        return True

    @property
    def handles_key(self) -> bool:
        """Whether a key is being handled, and no server is asked for it: what is told now answers
        that key."""
        return bool(self._under_way) and not self._expecting

    def key_begins(self) -> None:
        """A key or a paste is about to be handled."""

    async def on_key_done(self, message: KeyDone) -> None:
        message.stop()
        if message.number != self._under_way:
            return
        await hops()
        while opening := self.opening:  # a field may come after the bars it is mounted below
            _, late = await asyncio.wait([opening], timeout=OPENS)
            if late:
                self._drop_keys()
                break
            await hops()
        if self.screen_stack and self.screen is not self._top:
            self._top = self.screen
            await _has_focus(self.screen)
        if message.number != self._under_way:
            return
        if self._expecting:
            await self._hold([*self._keys])
            return
        if self._beneath and self._beneath == self._has_keys:
            if count := self._drop_keys():
                self.hands.ignored += count
                self.keys_dropped(count)
            self.hands.follow()
        await self._go_on()

    def _watch(self) -> None:
        self._stuck = self.set_timer(STUCK, partial(self._give_up, self._under_way))

    async def _give_up(self, number: int) -> None:
        if self._expecting:
            self._stuck = None  # its end goes on
        elif number == self._under_way:
            await self._go_on()

    @property
    def opening(self) -> asyncio.Future[None] | None:
        """Done when the widgets that the last key opens are mounted; the next key is theirs."""
        return None

    async def _go_on(self) -> None:
        if self._stuck is not None:
            self._stuck.stop()
            self._stuck = None
        self._under_way, self._beneath = 0, None
        while self._keys and not self._under_way:
            await self._take(self._keys.popleft())
        if self._keys and self._stuck is None:
            self._watch()


async def _has_focus(screen: Screen[object]) -> None:
    """Wait until a screen that was opened has set its focus."""
    ready = asyncio.Event()
    if screen.call_later(ready.set):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ready.wait(), OPENS)


async def hops() -> None:
    """Give keys their turn: a worker that works in slices calls it after each."""
    for _ in range(HOPS):
        await asyncio.sleep(0)
