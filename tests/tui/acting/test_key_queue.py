"""Keys typed ahead have the same effect as keys typed one by one."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import pytest
from textual import events
from textual.binding import BindingType
from textual.keys import _character_to_key

from oh_tui.tui.platform.key_queue import MANY, KeyQueueApp
from tests.tui.explorer import Explorer, explore
from tests.tui.run.test_run import OAUTH, WEEKS, number


def burst(it: Explorer, *keys: str) -> None:
    """All of them before the first is looked at."""
    it.typed_at += 1.0
    for key in keys:
        if len(key) == 1:
            it.input(events.Key(_character_to_key(key), key), after=0.0)
        else:
            it.input(events.Key(key, None), after=0.0)


class Opens(KeyQueueApp):
    """`x` opens something, which takes longer than a key may be stuck; `p` is a command."""

    BINDINGS: ClassVar[list[BindingType]] = [("x", "open", ""), ("p", "command", "")]

    def __init__(self, takes: float) -> None:
        super().__init__()
        self.done: list[str] = []
        self.all_done = asyncio.Event()
        self._takes = takes
        self._future: asyncio.Future[None] | None = None

    @property
    def opening(self) -> asyncio.Future[None] | None:
        return self._future if self._future and not self._future.done() else None

    def action_open(self) -> None:
        self._future = asyncio.ensure_future(self._open())

    async def _open(self) -> None:
        await asyncio.sleep(self._takes)
        self.done.append("open")

    def action_command(self) -> None:
        self.done.append("command")
        if len(self.done) == 3:
            self.all_done.set()


async def _typed(app: Opens, most: float) -> list[str]:
    async with app.run_test():
        for key in "xpp":
            app.post_message(events.Key(key, key))
        async with asyncio.timeout(most):
            await app.all_done.wait()
    return app.done


async def test_keys_wait_for_what_the_one_before_opens_however_slow() -> None:
    assert await _typed(Opens(1.5), 20) == ["open", "command", "command"]


async def test_what_was_typed_for_what_does_not_come_is_no_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("oh_tui.tui.platform.key_queue.OPENS", 0.3)
    app = Opens(60.0)
    with pytest.raises(TimeoutError):
        await _typed(app, 3.0)
    assert app.done == []


class Waits(KeyQueueApp):
    """Keys wait for what opens."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[int] = []
        self.dropped = 0

    def keys_wait(self, count: int) -> None:
        self.told.append(count)

    def keys_dropped(self, count: int) -> None:
        self.dropped = count


async def test_thousands_of_keys_that_wait_are_not_counted_with_each() -> None:
    app, many = Waits(), 3 * MANY
    async with app.run_test() as pilot:
        with app.expecting():
            for _ in range(many):
                app.post_message(events.Key("w", "w"))
            await pilot.pause()
            assert app.told == [*range(1, MANY + 1)]
        await pilot.pause()
        assert app.dropped == many


async def test_a_text_typed_ahead_is_found_and_not_obeyed() -> None:
    async with explore() as it:
        await it.open(WEEKS)
        await it.press("g")
        burst(it, "/", *"pip t", "enter")
        await it.until(lambda: it.screen.session.find_text == "pip t")
        assert it.screen.timeline.time == "elapsed"
        assert not it.screen.session.writes.words
        assert not it.screen.asking.question_bar.question


@pytest.mark.parametrize("pane", ["1", "3"])
async def test_a_number_and_a_move_go_to_the_pane_named(pane: str) -> None:
    async with explore() as it:
        await it.open(WEEKS)
        burst(it, pane, "k", "k")
        await it.settle()
        assert it.screen.session.pane == {"1": "conversations", "3": "timeline"}[pane]
        assert number(it) == {"1": 58, "3": 56}[pane]


async def test_editing_keys_keep_their_place_among_letters() -> None:
    async with explore() as it:
        await it.open(WEEKS)
        burst(it, "&", *"tool:readd", "backspace", " ", *"took:>1h", "enter")
        await it.until(lambda: it.screen.session.filter_text)
        assert it.screen.session.filter_text == "tool:read took:>1h"


async def test_a_paste_waits_for_the_line_that_a_key_opens() -> None:
    async with explore() as it:
        await it.open(WEEKS)
        burst(it, ":")
        it.app.post_message(events.Paste("12"))
        burst(it, "enter")
        await it.until(lambda: number(it) == 12)


async def test_a_screen_that_a_key_opens_has_the_keys_after_it() -> None:
    async with explore() as it:
        await it.open(OAUTH)
        burst(it, "?", "escape", "g")
        await it.until(lambda: len(it.app.screen_stack) == 1 and number(it) == 1)


async def test_a_key_that_comes_while_the_app_ends_is_nobodys() -> None:
    async with explore() as it:
        await it.open(WEEKS)
    assert not it.app.screen_stack
    await it.app.on_event(events.Key("down", None))
    assert not it.app.crashed
