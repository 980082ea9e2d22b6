"""Several servers in one list: which answers, whose a row is, and where an act goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from oh_tui.api import BareAgentServer
from oh_tui.api.models import CLOUD
from oh_tui.catalog.names import short_servers
from oh_tui.conversation import Conversation
from oh_tui.settings.startup import Settings
from oh_tui.sources import members
from oh_tui.sources.agent_server import AgentServerSource
from oh_tui.sources.several import Several
from oh_tui.tui.state.hearing import Hearing
from tests.sources.three import Three, made, three
from tests.tui.explorer import AT_ONCE, Explorer, explore


@dataclass
class Listed:
    it: Explorer
    here: Three

    def rows(self, server: str) -> list[Conversation]:
        return [one for one in self.it.screen.session.conversations if one.server == server]

    async def go_to(self, server: str, status: str) -> Conversation:
        found = next(one for one in self.rows(server) if one.execution_status == status)
        self.it.screen.sidebar.highlight(found.id)
        self.it.screen.focus_pane("conversations")
        await self.it.settle()
        return found


@asynccontextmanager
async def listed(size: tuple[int, int] = (160, 48)) -> AsyncIterator[Listed]:
    """`lab` is read only in the settings."""
    lab = Settings(server="lab", read_only=True)
    named = (("cloud", Settings(server="cloud")), ("canvas", Settings()), ("lab", lab))
    settings = Settings(base_url="", several=named)
    async with (
        three(grace=0.05) as here,
        explore(size=size, source=lambda: here.several, settings=settings) as it,
    ):
        yield Listed(it, here)


@pytest.mark.parametrize("size", [(160, 48), (120, 36), (80, 24)])
async def test_rows_of_all_are_listed_with_their_servers(size: tuple[int, int]) -> None:
    async with listed(size) as at:
        for name in at.here.servers:
            assert at.rows(name)
        assert "cloud, canvas, lab" in at.it.text("#header")
        if size[0] != 120:  # the list is too narrow there
            await at.go_to("lab", "waiting_for_confirmation")
            assert " lab " in at.it.text("#conversations")


async def test_one_that_hangs_and_one_that_died_keep_no_key_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(members, "LATE", 0.3)
    async with listed() as at:
        it, before = at.it, len(at.it.screen.session.conversations)
        await at.go_to("cloud", "running")
        at.here["lab"].delay, at.here["canvas"].is_dead = 20, True
        await it.send("r")
        began = asyncio.get_running_loop().time()
        await it.send("down", "up", "down")
        assert asyncio.get_running_loop().time() - began < 2
        session = it.screen.session
        await it.until(lambda: {*session.hearing.away} == {"lab", "canvas"})
        assert len(session.conversations) == before, "their last known rows stay"
        await it.until(lambda: "lab away since" in it.text("#header"))
        await it.until(lambda: "canvas away since" in it.text("#header"))
        assert session.no_answer == "", "others can still be asked"
        row = session.loaded.row(at.rows("lab")[0].id)
        assert row and session.hearing.lost(row.conversation)
        at.here["lab"].delay, at.here["canvas"].is_dead = 0, False
        await it.press("r")
        await it.until(lambda: "canvas" not in session.hearing.away)


async def test_rows_that_come_late_come_by_themselves() -> None:
    async with three(grace=0.05) as here:
        here["lab"].delay = 0.5
        async with explore(source=lambda: here.several) as it:
            at = Listed(it, here)
            await it.until(lambda: at.rows("cloud"))
            await it.until(lambda: at.rows("lab"), 20)
            assert not it.screen.session.hearing.away


async def test_an_act_goes_to_the_server_of_its_row_and_names_it() -> None:
    async with listed() as at:
        await at.go_to("canvas", "running")
        await at.it.press("P")
        assert "on canvas" in at.it.text("#question")
        await at.it.press("f", "enter")
        stopped = [name for name, one in at.here.servers.items() if one.between.count("POST *")]
        assert stopped == ["canvas"]


async def test_what_is_read_only_stays_so_in_the_list() -> None:
    async with listed() as at:
        await at.go_to("lab", "running")
        await at.it.press("P")
        assert "lab is read-only: nothing is changed there" in at.it.footer
        await at.it.press("E")
        assert not at.here["lab"].between.count("P[AO]* *")


async def test_a_start_asks_on_which_server() -> None:
    async with listed() as at:
        await at.it.press("ctrl+n")
        asked = at.it.text("#question")
        assert "Start a conversation on" in asked and "lab" not in asked, "lab is read only"
        await at.it.press("2")
        await at.it.until(lambda: type(at.it.app.screen).__name__ == "StartScreen")


async def test_the_filter_word_narrows_to_a_server() -> None:
    async with listed() as at:
        await at.it.press("ampersand")
        await at.it.type("server:canvas")
        await at.it.press("enter")
        shown = {row.conversation.server for row in at.it.screen.session.listed}
        assert shown == {"canvas"}


def test_since_when_each_was_heard() -> None:
    now = 100.0
    hearing = Hearing(lambda: now)
    names = {"a", "b"}
    assert hearing.hear(names, {}) == []
    now = 200.0
    hearing.hear(names, {"b": None})
    assert hearing.away["b"].heard == 100.0 and hearing.lost(Conversation("1", server="b"))
    assert not hearing.lost(Conversation("1", server="a")) and not hearing.lost()
    losses = hearing.losses
    now = 300.0
    hearing.hear(names, {"b": None})
    assert hearing.losses is losses, "the same loss is no news"
    assert hearing.hear(names, {}) == ["b"] and not hearing.losses


@pytest.mark.parametrize("size", [(160, 48), (80, 24)])
async def test_addresses_on_this_machine_are_told_apart(size: tuple[int, int]) -> None:
    names = ["127.0.0.1:41801", "127.0.0.1:41802"]
    opened = {
        name: AgentServerSource(
            BareAgentServer(f"http://{name}", app=made(name, "agent", by), retries=AT_ONCE), name
        )
        for by, name in enumerate(names)
    }
    several = Several(opened)
    async with explore(size=size, source=lambda: several) as it:
        assert {one.server for one in it.screen.session.conversations} == {*names}
        assert ":41801, :41802" in it.text("#header")
        shown = it.text("#conversations")
        assert " :41801 " in shown and " :41802 " in shown and "127.0.0.1" not in shown


def test_short_names_of_servers() -> None:
    names = "work, localhost:3000, [::1]:3001/x, lab.example:3000, http://localhost:3000, localhost"
    short = "work, :3000, :3001/x, lab.example:3000, http://localhost:3000, localhost"
    assert short_servers(names) == short


def test_settings_of_each_and_of_all() -> None:
    lab = Settings(server="lab", read_only=True, budget=1.0)
    both = Settings(several=(("cloud", Settings()), ("lab", lab)))
    assert both.of("lab") is lab and both.of("cloud").base_url == CLOUD
    assert both.of("nowhere") is both and both.label == "cloud, lab"
