"""A server that does not answer: nothing ticks, nothing is asked of it, and all goes on with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace
from starlette.responses import Response

from oh_tui.api import AppServer, BareAgentServer
from oh_tui.demo import Demo
from oh_tui.demo.servers.alone import make_alone
from oh_tui.sources.agent_server import AgentServerSource
from oh_tui.sources.server import ServerSource
from oh_tui.sources.source import Source
from oh_tui.tui.controllers.lists import conversations
from oh_tui.tui.state import loaded_conversations
from oh_tui.tui.state.hearing import Hearing
from tests.tui.explorer import AT_ONCE, NOW, Between, Explorer, case, explore

FLAKY = "Flaky CI on main"
"""Its agent works."""

OAUTH = "Add OAuth login"
"""Its agent waits for an answer."""

TOLD = ("P", "a", "m", "A", "F", "exclamation_mark")
"""Keys that tell the agent something."""

ACTS = ("P", "a", "m", "p", "A", "F", "ctrl+n", "exclamation_mark", "d")


@dataclass
class Server:
    """A server of the demo, which can be stopped; its clock stands still until it is moved."""

    kind: str
    demo: Demo = field(default_factory=lambda: Demo(NOW, "everything"))
    between: Between = field(default_factory=Between)

    def source(self) -> Source:
        self.demo.rate_limited = False
        if self.kind == "app":
            api = AppServer(
                self.demo.base_url, app=self.between(self.demo.app), retries=AT_ONCE, patience=0.1
            )
            return ServerSource(api, "demo", last_known=self.demo.last_known)
        app = self.between(make_alone(self.demo.world))
        return AgentServerSource(
            BareAgentServer("http://demo.invalid", app=app, retries=AT_ONCE), "demo"
        )

    def stop(self) -> None:
        def broken() -> Response:
            raise ConnectionResetError("stopped")

        self.between.answers["*"] = broken

    def revoke(self) -> None:
        self.between.answer("*", 401, '{"detail": "Unauthorized"}', "application/json")

    def start(self) -> None:
        self.between.answers.clear()
        for held in self.between.held.values():
            held.set()
        self.between.held.clear()

    def freeze(self) -> None:
        """The agent servers accept calls, and answer none; the app server goes on."""
        self.between.hold("* /runtime/*")

    @property
    def acts(self) -> list[str]:
        return [call for call in self.between.asked if not call.startswith("GET ")]


@asynccontextmanager
async def watching(
    kind: str, monkeypatch: pytest.MonkeyPatch, title: str = FLAKY
) -> AsyncIterator[tuple[Explorer, Server]]:
    """A run that works is open, and followed at a hundred times the pace."""
    monkeypatch.setattr("oh_tui.sources.server_runs.following.PACE", (0.02, 0.02, 0.02))
    server = Server(kind)
    async with explore(source=server.source, size=(160, 40)) as it:
        it.screen.session.clock = server.demo.world.clock.now
        await it.open(title)
        await look(it)
        yield it, server


async def look(it: Explorer) -> None:
    """What timers do: the lists are read again, and all that counts up counts."""
    it.screen.controllers.conversations.schedule._want()
    await it.settle()
    it.screen.tick()
    it.screen._tick_lists()
    await it.settle()


def shown(it: Explorer) -> list[str]:
    return [it.text(f"#{name}") for name in ("header", "conversations", "summary", "sandboxes")]


def hues(it: Explorer) -> set[str]:
    return {hue for _, hue in it.screen.totals}


@pytest.mark.parametrize("kind", ["app", "agent"])
async def test_nothing_ticks_while_a_server_does_not_answer(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watching(kind, monkeypatch) as (it, server):
        before = shown(it)
        server.demo.advance(7)
        await look(it)
        assert all("as of" not in text for text in shown(it)) and shown(it) != before
        server.stop()
        await look(it)
        await it.until(
            lambda: "no updates: the server does not answer" in it.text("#timeline-rule")
        )
        await it.press("escape")
        stopped = shown(it)
        for text in stopped[:3]:
            assert "as of 16:00" in text
        assert "● running as of 16:00" in it.text("#summary")
        assert hues(it) <= {"dim", "warn"}, "the counts are no news"
        server.demo.advance(600)
        await look(it)
        assert shown(it) == stopped
        server.start()
        await look(it)
        await it.until(lambda: "no updates" not in it.text("#timeline-rule"))
        await look(it)
        assert all("as of" not in text for text in shown(it))


@pytest.mark.parametrize("kind", ["app", "agent"])
async def test_a_key_that_was_revoked_is_said_as_such(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watching(kind, monkeypatch) as (it, server):
        server.revoke()
        await look(it)
        await it.until(lambda: "no updates" in it.text("#timeline-rule"))
        assert "does not answer" not in it.text("#timeline-rule") + it.footer
        assert "(401)" in it.text("#timeline-rule") and "(401)" in it.footer
        assert "as of 16:00" in it.text("#header")
        await it.press("escape", "P")
        assert "(401)" in it.footer and "nothing was done" in it.footer


@pytest.mark.parametrize("kind", ["app", "agent"])
@pytest.mark.parametrize("title", [FLAKY, OAUTH])
async def test_no_act_is_kept_for_later(
    kind: str, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watching(kind, monkeypatch, title) as (it, server):
        server.stop()
        await look(it)
        asked = len(server.between.asked)
        for key in ACTS:
            with case(key):
                told = len(it.screen.footer.history)
                await it.press(key)
                news = [text for text, _ in it.screen.footer.history[told:]]
                assert any("does not answer: nothing was done" in text for text in news)
                assert not it.screen.asking.is_asking and it.screen.asking.editor is None
        server.start()
        await look(it)
        assert not it.screen.asking.is_asking and it.screen.asking.editor is None
        assert not server.acts and len(server.between.asked) > asked


async def test_a_list_that_does_not_come_counts_as_not_answered_until_it_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(conversations, "LATE", 0.01)
    async with watching("app", monkeypatch) as (it, server):
        held = server.between.hold("GET /api/v1/app-conversations/search")
        it.screen.controllers.conversations.schedule._want()
        await it.until(lambda: "as of 16:00" in it.text("#header"))
        assert "as of 16:00" in it.text("#conversations")
        held.set()
        await it.until(lambda: "as of" not in it.text("#header"))


async def test_a_refusal_of_one_thing_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async with watching("app", monkeypatch) as (it, server):
        server.between.answer("GET /api/v1/app-conversations/search", 500)
        await look(it)
        assert "Could not list" in it.footer and "as of" not in it.text("#header")


def of_row(it: Explorer, title: str) -> tuple[str, str]:
    """The two lines of a row."""
    lines = it.text("#conversations").splitlines()
    at = next(number for number, line in enumerate(lines) if title in line)
    return lines[at].strip("▌ "), lines[at + 1].strip("▌ ")


def sign_of(it: Explorer, title: str) -> str:
    """The hue of the sign before a row."""
    shown = it.screen.sidebar.list
    at = next(n for n, row in enumerate(shown.rows) if row.conversation.title == title)
    return shown.pieces(at, 60)[0][1]


async def test_a_run_whose_agent_server_is_frozen_stands_still_beside_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with watching("app", monkeypatch) as (it, server):
        server.demo.advance(7)
        await look(it)
        other, head = of_row(it, OAUTH), it.text("#header")
        assert "as of" not in it.text("#conversations") and "not answering" not in head
        server.freeze()
        await it.until(lambda: "as of 16:00" in it.text("#summary"))
        await look(it)
        held = of_row(it, FLAKY)
        assert held[1].startswith("as of 16:00 ·")
        assert (sign_of(it, FLAKY), sign_of(it, OAUTH)) == ("dim", "warn")
        assert "1 of them not answering" in it.text("#header")
        assert "as of" not in it.text("#header") and of_row(it, OAUTH) == other
        summary = it.text("#summary")
        server.demo.advance(20)
        await look(it)
        assert of_row(it, FLAKY) == held and it.text("#summary") == summary
        loaded = it.screen.session.loaded  # as an app server that asks it in vain
        (row,) = (one for one in loaded.rows if one.conversation.title == FLAKY)
        loaded.settled(replace(row.conversation, execution_status=None), 0.0)
        it.screen.show_lists()
        await it.settle()
        assert of_row(it, FLAKY)[0].lstrip("○") == held[0].lstrip("●")
        assert "as of 16:00" in of_row(it, FLAKY)[1]
        server.start()
        await it.until(lambda: "no updates" not in it.text("#timeline-rule"))
        await look(it)
        assert "as of" not in it.text("#conversations") + it.text("#summary")
        assert "not answering" not in it.text("#header")


async def test_a_frozen_agent_server_is_found_out_by_whoever_asks_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its run is not open, or is read from the app server's copy from the start."""
    monkeypatch.setattr(loaded_conversations, "LOOK_AGAIN", 0.0)
    async with watching("app", monkeypatch, OAUTH) as (it, server):
        server.freeze()
        await look(it)
        await it.until(lambda: "as of 16:00" in of_row(it, FLAKY)[1])
        it.screen.session.hearing = Hearing(it.screen.session.clock)
        await it.open(FLAKY)
        await it.until(lambda: "as of 16:00" in it.text("#summary"))
        before = it.text("#summary")
        server.demo.advance(2)  # before the next event, which the app server would have
        await look(it)
        assert it.text("#summary") == before
        server.start()
        await it.press("r")
        await look(it)
        await it.until(lambda: "as of" not in it.text("#summary") + it.text("#conversations"))


@pytest.mark.parametrize("title", [FLAKY, OAUTH])
async def test_nothing_is_kept_for_an_agent_that_is_frozen(
    title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watching("app", monkeypatch, title) as (it, server):
        server.freeze()
        await it.until(lambda: "as of 16:00" in it.text("#summary"))
        for key in TOLD:
            with case(key):
                await it.press("escape")
                told = len(it.screen.footer.history)
                await it.press(key)
                news = [text for text, _ in it.screen.footer.history[told:]]
                assert any("does not answer: nothing was done" in text for text in news)
                assert not it.screen.asking.is_asking and it.screen.asking.editor is None
        server.start()
        await it.until(lambda: "no updates" not in it.text("#timeline-rule"))
        await look(it)
        assert not it.screen.asking.is_asking and it.screen.asking.editor is None
        assert not server.acts
        await it.press("m")
        assert it.screen.asking.editor is not None, "it can be told something again"
