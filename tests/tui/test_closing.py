"""Screens above the main screen: closed twice, they close only themselves."""

from __future__ import annotations

import pytest
from rich.style import Style
from textual import events

from oh_tui.tui.palette import Options, Palette
from tests.tui.explorer import Explorer, explore


async def test_the_palette_is_opened_again_while_it_still_closes() -> None:
    async with explore() as it:
        for _ in range(3):
            it.app.action_command_palette()
            await it.pilot.pause(0)
            palette = it.app.screen
            assert isinstance(palette, Palette)
            palette.dismiss()
        it.app.action_command_palette()
        await it.pilot.pause(0)
        assert isinstance(it.app.screen, Palette)
        assert not it.app.crashed


async def test_two_clicks_beside_the_palette_close_no_more_than_the_palette() -> None:
    async with explore() as it:
        await it.press("ctrl+p")
        await it.until(lambda: isinstance(it.app.screen, Palette))
        palette = it.app.screen
        for _ in range(2):
            click = events.Click(palette, 0, 0, 0, 0, 1, False, False, False, 0, 0, None)
            palette.post_message(click)
        await it.until(lambda: it.app.screen is it.screen)
        await it.settle()
        assert not it.app.crashed


async def test_a_click_on_a_command_that_matches_no_more_does_nothing() -> None:
    async with explore() as it:
        await it.press("ctrl+p")
        await it.until(lambda: isinstance(it.app.screen, Palette))
        options = it.app.screen.query_one(Options)
        await it.until(lambda: options.option_count > 5)
        style = Style.from_meta({"option": options.option_count})
        x, y = options.region.offset
        options.post_message(events.Click(options, 0, 0, 0, 0, 1, False, False, False, x, y, style))
        await it.pilot.pause()
        assert isinstance(it.app.screen, Palette)
        assert not it.app.crashed


@pytest.mark.parametrize("key", ["question_mark", "T", "c", "ctrl+n"])
async def test_a_view_that_is_dismissed_twice_leaves_the_main_screen(key: str) -> None:
    async with explore() as it:
        await it.press("3", key)
        await it.until(lambda: it.app.screen is not it.screen)
        view = it.app.screen
        view.dismiss(None)
        view.dismiss(None)
        await it.settle()
        assert it.app.screen is it.screen


async def test_a_view_that_is_dismissed_below_another_closes_that_too() -> None:
    async def views(it: Explorer) -> int:
        await it.settle()
        return len(it.app.screen_stack)

    async with explore() as it:
        await it.press("ctrl+n")
        await it.until(lambda: it.app.screen is not it.screen)
        form = it.app.screen
        await it.send("ctrl+p")
        await it.until(lambda: isinstance(it.app.screen, Palette))
        form.dismiss(None)
        assert await views(it) == 1
