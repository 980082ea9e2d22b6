"""Esc takes back one thing at a time: what lies on top, in the pane where one is."""

from __future__ import annotations

from oh_tui.catalog import conversation_query
from tests.tui.explorer import Between, explore
from tests.tui.run.test_run import COVERAGE, DOWNLOAD, WEEKS, start


async def test_the_lists_filter_and_find_go_before_what_is_read_beside_it() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        going_on = between.hold(DOWNLOAD)
        await start(it, COVERAGE)
        await it.until(it.screen.timeline.row_count)
        await it.send("1")
        session, controllers = it.screen.session, it.screen.controllers
        controllers.listing.set_filter(conversation_query.parse("repo:dates"))
        controllers.find.set_find("weeks")
        await it.until(lambda: session.find_text and session.listing.query)
        await it.until(lambda: not it.screen.ui.at_work("find"))
        await it.until(lambda: not it.screen.ui.at_work("sift"))
        await it.send("escape")
        assert not session.find_text and session.listing.query and session.is_reading
        await it.send("escape")
        assert session.listing.query is None and session.is_reading
        await it.send("escape")
        assert not session.is_reading and "stopped" in it.text("#timeline-rule")
        assert session.pane == "conversations"
        going_on.set()


async def test_in_the_run_the_reading_that_its_rule_tells_of_stops_first() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        going_on = between.hold(DOWNLOAD)
        await start(it, COVERAGE)
        await it.until(it.screen.timeline.row_count)
        it.screen.controllers.find.set_find("billing")
        await it.until(lambda: not it.screen.ui.at_work("find"))
        await it.send("4", "z", "escape")
        session = it.screen.session
        assert session.is_reading and session.find_text == "", "the rule is not on the screen"
        await it.send("escape")
        assert session.is_reading and not session.arrangement.zoom
        await it.send("escape")
        assert not session.is_reading
        going_on.set()


async def test_the_filter_of_the_steps_stays_while_one_is_in_the_list() -> None:
    async with explore() as it:
        await it.open(WEEKS)
        await it.press("ampersand")
        await it.type("is:failed")
        await it.press("enter")
        await it.press("1", "escape")
        assert it.screen.timeline.filtered is not None
        await it.press("3", "escape")
        assert it.screen.timeline.filtered is None
