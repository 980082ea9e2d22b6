"""Late responses: the lists are still read, and keys lose, duplicate or break nothing."""

from __future__ import annotations

from functools import partial

import pytest

from oh_tui.demo.servers.network import Network
from tests.tui.explorer import Between, explore

SLOW = Network(waits=(0.01, 0.04), fails=0.0, rows=6)
ALL = 42


@pytest.mark.slow
async def test_moving_at_the_end_of_the_list_while_its_next_page_comes() -> None:
    between = Between()
    async with explore(wrap=lambda app: between(SLOW.over(app, seed=1))) as it:
        listed = it.screen.sidebar
        assert len(listed.conversations) == 6
        held = between.hold("GET /api/v1/app-conversations/search")
        asked = between.count("GET /api/v1/app-conversations/search")
        for _ in range(8):
            await it.send("G", "k", "j")
        assert between.count("GET /api/v1/app-conversations/search") == asked + 1, "one call"
        between.held.clear()
        held.set()
        await it.settle()
        for _ in range(40):
            await it.press("G")
        assert not it.app.crashed
        found = [c.id for c in listed.conversations]
        assert len(found) == len(set(found)) == ALL


async def test_a_page_that_failed_is_asked_for_by_the_next_key_at_the_end() -> None:
    between = Between()
    async with explore(wrap=lambda app: between(SLOW.over(app, seed=2))) as it:
        between.answer("GET /api/v1/app-conversations/search", 500)
        await it.press("G")
        assert "Could not list conversations" in it.footer
        assert len(it.screen.sidebar.conversations) == 6
        between.answers.clear()
        await it.press("escape", "G")
        assert len(it.screen.sidebar.conversations) == 12


async def test_a_page_of_the_server_that_was_left_does_not_come_into_the_next_list() -> None:
    between = Between()
    async with explore(wrap=lambda app: between(SLOW.over(app, seed=3))) as it:
        held = between.hold("GET /api/v1/app-conversations/search")
        await it.send("G")
        before = it.screen.session.pager
        between.held.clear()
        demo = it.screen.controllers.servers.demo
        assert demo is not None
        it.screen.controllers.conversations.open(partial(demo))
        await it.until(lambda: it.screen.session.pager not in (None, before))
        held.set()
        await it.settle()
        assert len(it.screen.sidebar.conversations) == 6
