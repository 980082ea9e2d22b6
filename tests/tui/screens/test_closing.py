"""Screens above the main screen: closed twice, they close only themselves; and quitting."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from rich.style import Style
from textual import events
from textual.command import CommandList
from textual.widgets import Input

from oh_tui.actions.start_draft import Choices, Draft
from oh_tui.actions.start_offers import StartOffers
from oh_tui.settings.startup import Settings
from oh_tui.tui.controllers.navigation import Navigation
from oh_tui.tui.messages import QuitWanted
from oh_tui.tui.palette import CommandRows, Palette
from oh_tui.tui.screens.start.screen import StartScreen
from oh_tui.tui.session import Session
from oh_tui.tui.widgets.editor import Lines
from tests.tui.explorer import Explorer, case, explore
from tests.tui.fake_ui import FakeUi


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
        options = it.app.screen.query_one(CommandRows)
        await it.until(lambda: options.option_count > 5)
        style = Style.from_meta({"option": options.option_count})
        x, y = options.region.offset
        options.post_message(events.Click(options, 0, 0, 0, 0, 1, False, False, False, x, y, style))
        await it.pilot.pause()
        assert isinstance(it.app.screen, Palette)
        assert not it.app.crashed


@pytest.mark.parametrize("key", ["pageup", "pagedown"])
async def test_a_page_key_in_a_palette_that_is_not_laid_out_does_nothing(key: str) -> None:
    async with explore() as it:
        await it.press("ctrl+p")
        await it.until(lambda: isinstance(it.app.screen, Palette))
        options = it.app.screen.query_one(CommandRows)
        options.styles.display = "none"
        await it.until(lambda: not options.scrollable_content_region)
        options.set_options(["one", "two"])
        options.highlighted = 1
        await it.press(key)
        assert isinstance(it.app.screen, Palette)
        assert not it.app.crashed


async def test_a_click_where_the_terminal_is_no_more_leaves_the_palette() -> None:
    async with explore() as it:
        await it.press("ctrl+p")
        await it.until(lambda: isinstance(it.app.screen, Palette))
        palette = it.app.screen
        await it.pilot.resize_terminal(80, 24)
        await it.until(lambda: palette.size.width == 80)
        palette.post_message(
            events.Click(palette, 150, 30, 0, 0, 1, False, False, False, 150, 30, None)
        )
        await it.turn(palette)
        await it.settle()
        assert it.app.screen is palette
        assert not it.app.crashed


@pytest.mark.parametrize("view", ["palette", "help"])
async def test_what_is_closed_before_it_is_composed_is_closed_afterwards(view: str) -> None:
    async with explore() as it:
        for close in (lambda: it.app.screen.dismiss(), it.app.action_quit):
            if view == "palette":
                it.app.action_command_palette()
            else:
                it.screen.action_help()
            assert not it.app.screen.is_mounted
            await close()
            await it.until(lambda: it.app.screen is it.screen or it.app._exit)
            await it.pilot.pause()
            assert not it.app.crashed
        await it.until(lambda: it.app._exit)


async def test_what_lies_below_an_uncomposed_view_is_closed_with_it() -> None:
    async with explore() as it:
        await it.press("ctrl+n")
        await it.until(lambda: isinstance(it.app.screen, StartScreen))
        form = it.app.screen
        it.app.action_command_palette()
        form.dismiss()
        await it.until(lambda: it.app.screen is it.screen)
        await it.settle()
        assert not it.app.crashed


async def test_a_key_for_a_form_that_is_not_composed_does_nothing() -> None:
    async with explore() as it:
        form = StartScreen(
            Draft(), Choices(), "here", Mock(), offers=StartOffers(), stakes="", edit=str
        )
        it.app.push_screen(form)
        assert not form.is_mounted
        await it.app.on_event(events.Key("ctrl+s", None))
        await it.until(lambda: form.is_mounted)
        await it.turn(form)
        await it.settle()
        assert it.app.screen is form and not form.starting
        assert not it.app.crashed


async def test_a_form_in_a_terminal_without_room_for_its_text_stays() -> None:
    async with explore() as it:
        await it.press("ctrl+n")
        await it.until(lambda: isinstance(it.app.screen, StartScreen))
        form = it.app.screen
        await it.pilot.resize_terminal(2, 20)
        await it.until(lambda: not form.query_one(Lines).content_size.width)
        await it.pilot.resize_terminal(160, 32)
        await it.until(lambda: form.query_one(Lines).content_size.width > 2)
        assert it.app.screen is form
        assert not it.app.crashed


async def test_the_mouse_is_ignored_once_all_screens_are_closed() -> None:
    async with explore() as it:
        app = it.app
    assert not app.screen_stack
    move = events.MouseMove(None, 1, 1, 0, 0, 0, False, False, False, 1, 1, None)
    await app.on_event(move)


async def test_a_view_that_is_dismissed_twice_leaves_the_main_screen() -> None:
    async with explore() as it:
        for key in ("question_mark", "T", "c", "ctrl+n"):
            with case(key):
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


async def test_quitting_asks_when_something_is_written_and_says_what() -> None:
    ui = FakeUi("quit")
    session = Session(Settings())
    session.drafts["c1"] = "not yet"
    with session.writes.doing("pausing a sandbox"):
        Navigation(session, ui, Mock(), Mock()).action_quit()
        await ui.work()
    (question,) = ui.asked
    words = "".join(text for line in question.lines for text, _ in line)
    assert "Still pausing a sandbox." in words and "1 unsent message" in words
    assert [type(message) for message in ui.posted] == [QuitWanted]


async def test_a_letter_that_reaches_the_palette_while_it_closes_searches_nothing() -> None:
    async with explore() as it:
        await it.press("ctrl+p")
        palette = it.app.screen
        await palette.query_one(CommandList).remove()
        palette.query_one(Input).value = "pause"
        await it.settle()
        assert it.app.is_running
        assert not it.app.crashed
