"""Silent runs in the explorer: list, header, filter and verdict line say the same."""

from __future__ import annotations

import json

from oh_tui.api import AppServer
from oh_tui.demo import Demo
from oh_tui.demo.catalog import SETS
from oh_tui.settings.config import Config
from oh_tui.settings.startup import Settings
from oh_tui.sources.server import ServerSource
from oh_tui.sources.source import Source
from oh_tui.trajectory.model.events import parse_event
from oh_tui.tui.screens.board import BoardScreen
from tests.tui.explorer import AT_ONCE, NOW, explore

SILENT, WEEKS = "Load test the search", "Backfill invoice numbers"
ID = next(entry.id for entry in SETS["odd"] if entry.slug == "silent")


def odd() -> Source:
    demo = Demo(NOW, "odd")
    demo.rate_limited = False
    return ServerSource(AppServer(demo.base_url, app=demo.app, retries=AT_ONCE), "odd")


async def test_list_header_filter_and_verdict_agree() -> None:
    async with explore(source=odd) as it:
        await it.until(lambda: "1 running · 1 of them silent" in it.text("#header"))
        assert "no event since" in it.text("#conversations")
        await it.open(SILENT)
        line = it.text("#summary").splitlines()[0]
        assert "● silent" in line and "58 min ago, in step 3: $ time python bench" in line
        await it.open(WEEKS)
        await it.press("1", "ampersand", *"is:silent", "enter")
        assert [row.conversation.title for row in it.screen.session.listed] == [SILENT]
        await it.press("ampersand", "ctrl+u", *"is:running", "enter")
        assert [row.conversation.title for row in it.screen.session.listed] == [SILENT]


async def test_the_limit_is_a_setting_and_the_next_event_ends_it() -> None:
    settings = Settings(config=Config(silent_after=120))
    async with explore(source=odd, settings=settings) as it:
        await it.open(SILENT)
        assert "● running" in it.text("#summary") and "1 running" in it.text("#header")
        clock = it.screen.session.clock
        it.screen.session.clock = lambda: clock() + 7200
        it.screen._tick_lists()
        await it.until(lambda: "● silent" in it.text("#summary"))
        assert "1 of them silent" in it.text("#header")
        run = it.screen.session.run
        assert run
        last = run.trajectory.events[-1]
        when = NOW.replace(hour=17, minute=59).isoformat()
        event = {"id": "new", "kind": "PingEvent", "source": "agent", "timestamp": when}
        it.screen.controllers.run._take_news(run, [parse_event(json.dumps(event).encode())])
        await it.until(lambda: "● silent" not in it.text("#summary"))
        assert last is not run.trajectory.events[-1] and "1 running" in it.text("#header")


async def test_it_is_not_silent_while_only_this_machine_s_clock_is_ahead() -> None:
    async with explore(source=odd) as it:
        source, clock = it.screen.session.source, it.screen.session.clock
        assert isinstance(source, ServerSource)
        source.api._http.ahead = 86_400.0
        it.screen.session.clock = lambda: clock() + 86_400
        await it.open(WEEKS)
        await it.open(SILENT)
        it.screen._tick_lists()
        assert "58 min ago" in it.text("#summary")
        source.api._http.ahead = 86_400.0 + 3000
        it.screen._tick_lists()
        await it.until(lambda: "● running" in it.text("#summary"))


async def test_the_board_counts_it_by_how_it_ended() -> None:
    async with explore(source=odd) as it:
        await it.until(lambda: "1 of them silent" in it.text("#header"))
        await it.press("ampersand", *"is:silent", "enter", "B")
        view = it.app.screen
        assert isinstance(view, BoardScreen)
        await it.until(lambda: view.groups.row_count() and not view.found.is_running)
        view.found.by = "cause"
        await view.renew()
        assert [group.names for group in view.groups.rows] == [("silent",)]


async def test_read_only_no_key_is_named() -> None:
    async with explore(source=odd, settings=Settings(read_only=True)) as it:
        await it.open(SILENT)
        assert "● silent" in it.text("#summary") and "P stops it" not in it.text("#summary")
