"""Conversations and Sandboxes: what they show, how they are read, that rows stay put."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from textual.widgets import OptionList

from oh_tui.api import AppServer
from oh_tui.api.models import Conversation, Page
from oh_tui.demo import make_demo
from oh_tui.sources.server import ServerSource
from oh_tui.tui.dialogs import HelpScreen, help_text
from oh_tui.tui.keys import MOVE_KEYS, SCREEN_KEYS
from oh_tui.tui.main_screen import MainScreen
from oh_tui.tui.theme import UNICODE
from tests.tui.explorer import NOW, explore


async def test_the_first_screen_shows_both_lists_and_the_first_run() -> None:
    async with explore() as it:
        assert "Parse ISO week dates" in it.text("#conversations")
        assert "✗ Parse ISO week dates" in it.text("#conversations")
        assert "41 conversations, $" in it.text("#header")
        assert "39" in it.text("#conversations-rule")
        assert "of" not in it.text("#conversations-rule").partition("Conversations")[2]
        assert "9 up" in it.text("#sandboxes-rule")
        assert it.screen.current is not None
        assert it.screen.current.id == it.screen.sidebar.conversations[0].id


async def test_resting_on_a_conversation_shows_its_run_without_enter() -> None:
    async with explore() as it:
        await it.press("j")
        await it.until(lambda: it.screen.current and it.screen.current.title == "Flaky CI on main")
        await it.settle()
        assert it.screen.timeline.row_count() > 0
        assert it.screen.pane == "conversations"


async def test_a_long_run_that_nobody_asked_for_is_not_read() -> None:
    async with explore() as it:
        listed = it.screen.sidebar.conversations
        long = next(c for c in listed if c.title == "Fuzz the parser over night")
        it.screen.sidebar.highlight(long.id)
        await it.until(lambda: it.screen.current == long)
        await it.settle()
        assert it.screen.timeline.row_count() == 0
        assert "12,000 events, about 9 s" in it.text("#timeline")
        assert "enter reads them" in it.text("#timeline")


async def test_hostile_titles_are_shown_harmless_and_in_line() -> None:
    async with explore(size=(160, 48)) as it:
        rows = it.text("#conversations").splitlines()
        assert any("[/b] and [red]markup" in row for row in rows)
        assert "\x1b" not in "".join(rows)
        assert "\u202e" not in "".join(rows)
        widths = {it.screen.sidebar.list.render_line(y).cell_length for y in range(len(rows))}
        assert len(widths) == 1


class Reordered(ServerSource):
    """A server that says of one conversation that it was made just now, as it does on every
    change of one (measured)."""

    moved = ""

    async def newest(self) -> Page[Conversation]:
        page = await super().newest()
        page.items = [
            msgspec.structs.replace(c, created_at=NOW.isoformat()) if c.id == self.moved else c
            for c in page.items
        ]
        return page


async def test_rows_do_not_move_under_the_cursor_until_asked() -> None:
    demo = make_demo(NOW)
    source = Reordered(AppServer(demo.base_url, app=demo.app), "demo")
    async with explore(source=lambda: source) as it:
        sidebar = it.screen.sidebar
        order = [c.id for c in sidebar.conversations]
        source.moved = order[5]
        await it.press("j", "j")
        it.screen.refresh_lists()
        await it.settle()
        assert [c.id for c in sidebar.conversations] == order
        assert sidebar.list.current is not None
        under = sidebar.list.current.id
        await it.press("r")
        assert sidebar.conversations[0].id == source.moved
        assert sidebar.list.current.id == under


async def test_a_sandbox_marks_its_conversations_and_opens_the_first() -> None:
    async with explore() as it:
        await it.press("2", "j")
        row = it.screen.sidebar.sandbox_list.current
        assert row is not None
        assert len(row.conversations) == 2
        assert it.screen.sidebar.list.marked_sandbox == row.id
        await it.press("enter")
        assert it.screen.current == row.conversations[0]
        assert it.screen.pane == "timeline"


async def test_gone_sandboxes_are_a_number_until_x() -> None:
    async with explore() as it:
        await it.press("2")
        before = it.screen.sidebar.sandbox_list.row_count()
        assert "gone (x shows)" in it.text("#sandboxes-note")
        await it.press("x")
        assert it.screen.sidebar.sandbox_list.row_count() > before
        assert "gone (x hides)" in it.text("#sandboxes-note")


async def test_help_names_every_key() -> None:
    async with explore() as it:
        await it.press("question_mark")
        assert [type(screen) for screen in it.app.screen_stack] == [MainScreen, HelpScreen]
        text = help_text(UNICODE).plain
        for key in (*MOVE_KEYS, *SCREEN_KEYS):
            assert key.help in text
            assert key.shown in text
        await it.pilot.press("q")
        await it.pilot.pause()
        assert [type(screen) for screen in it.app.screen_stack] == [MainScreen]


async def test_no_two_keys_of_the_screen_are_the_same() -> None:
    keys = [name for key in (*MOVE_KEYS, *SCREEN_KEYS) for name in key.keys.split(",")]
    assert len(keys) == len(set(keys))
    ids = [key.id for key in (*MOVE_KEYS, *SCREEN_KEYS)]
    assert len(ids) == len(set(ids))


async def test_the_palette_opens_a_conversation_by_its_title() -> None:
    async with explore() as it:
        await it.pilot.press("ctrl+p")
        await it.type("rename store")
        await it.until(lambda: len(it.app.screen.query("CommandList")) > 0)
        await it.pilot.pause(0.5)
        await it.pilot.press("enter")
        await it.until(lambda: it.app.screen is it.screen)
        await it.settle()
        assert it.screen.current and it.screen.current.title == "Rename Store to Ledger"


async def test_the_palette_survives_titles_that_look_like_markup() -> None:
    async with explore() as it:
        await it.pilot.press("ctrl+p")
        await it.type("markup")
        await it.pilot.pause(0.5)
        found = it.app.screen.query_one(OptionList)
        prompts = [str(found.get_option_at_index(n).prompt) for n in range(found.option_count)]
        assert any("[/b] and [red]markup[/red]" in prompt for prompt in prompts)
        await it.pilot.press("escape")
        await it.until(lambda: it.app.screen is it.screen)


async def test_narrow_screens_have_two_views_and_esc_leads_back() -> None:
    async with explore(size=(80, 24)) as it:
        assert it.screen.sidebar.display
        assert not it.screen.run_view.display
        await it.press("j", "enter")
        assert not it.screen.sidebar.display
        assert it.screen.run_view.display
        await it.press("enter")
        assert it.screen.arrangement.zoom == "detail"
        await it.press("escape")
        assert it.screen.arrangement.zoom == ""
        assert it.screen.pane == "timeline"
        await it.press("escape")
        assert it.screen.sidebar.display
        assert it.screen.sidebar.list.cursor == 1


async def test_a_screen_too_small_says_so_and_recovers() -> None:
    async with explore(size=(100, 30)) as it:
        await it.pilot.resize_terminal(50, 12)
        await it.pilot.pause()
        assert it.screen.query_one("#too-small").display
        assert not it.screen.query_one("#panes").display
        await it.pilot.resize_terminal(1, 1)
        await it.pilot.pause()
        await it.pilot.resize_terminal(120, 36)
        await it.pilot.pause()
        assert it.screen.query_one("#panes").display
        assert it.screen.arrangement == replace(it.screen.arrangement, width=120, height=36)


async def test_q_closes_the_run_of_a_narrow_screen_though_something_is_told_there() -> None:
    async with explore(size=(80, 24)) as it:
        await it.press("enter", "t")
        assert it.screen.footer.news
        it.screen.run_view.is_reading = True
        await it.press("q")
        assert it.screen.sidebar.display
        assert not it.screen.run_view.display


async def test_keys_typed_in_one_burst_go_to_the_pane_they_name() -> None:
    async with explore() as it:
        await it.open("Parse ISO week dates")
        await it.press("1")
        last, listed = it.screen.timeline.cursor, it.screen.sidebar.list.cursor
        it.screen.action_do("pane", "timeline")
        assert it.screen.focused is it.screen.timeline
        await it.press("k")
        assert it.screen.timeline.cursor == last - 1
        assert it.screen.sidebar.list.cursor == listed


async def test_a_run_opened_with_every_event_shown_lands_on_its_step() -> None:
    async with explore() as it:
        await it.open("Parse ISO week dates")
        await it.press("x")
        await it.open("Add OAuth login")
        current = it.screen.timeline.current
        assert current and current[0]
        assert it.screen.timeline.trajectory
        assert it.screen.timeline.trajectory.outcome(current[0]) == "waiting"
