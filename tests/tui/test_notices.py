"""An error lives as long as its cause: a later success of the same kind takes it away, no other."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import pytest

from oh_tui.text.problem import Problem
from oh_tui.tui.controllers.agent import agents
from tests.tui.acting.test_answering import FLAKY, OAUTH
from tests.tui.explorer import Between, Explorer, case, explore

SEARCH = "GET /api/v1/app-conversations/search"
BROKEN = "Backfill invoice numbers"

Do = Callable[[Explorer], Coroutine[Any, Any, None]]


@dataclass
class Kind:
    """A kind of call that fails while `pattern` is answered with 500, and what does it again."""

    pattern: str
    do: Do
    told: str
    """A part of the error."""


async def refresh(it: Explorer) -> None:
    it.screen.controllers.conversations.schedule.ask()
    await it.settle()


async def read(it: Explorer) -> None:
    await it.open(BROKEN)
    await it.press("r")


async def message(it: Explorer) -> None:
    await it.open(FLAKY)
    await it.press("m", "ctrl+u")
    await it.type("Look at the last test too.")
    await it.press("ctrl+s")
    if it.screen.asking.editor is not None:  # it was not sent: the text is offered again
        await it.press("escape")


async def download(it: Explorer) -> None:
    await it.open(BROKEN)
    await it.press("d")


KINDS = {
    "lists": Kind(SEARCH, refresh, "Could not list conversations"),
    "sandboxes": Kind("GET /api/v1/sandboxes/search", refresh, "sandboxes"),
    "run": Kind("GET /api/v1/conversation/*/events/*", read, "events"),
    "agent": Kind("POST /runtime/*", message, "Could not send"),
    "download": Kind("GET /api/v1/app-conversations/*/download", download, "download"),
}


def errors(it: Explorer) -> str:
    return " ".join(error.text for error in it.screen.footer.errors.values())


@pytest.mark.parametrize("name", KINDS)
async def test_an_error_ends_when_the_same_works(
    name: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    between, kind = Between(), KINDS[name]
    async with explore(wrap=between, size=(200, 40)) as it:
        between.answer(kind.pattern, 500, '{"detail": "disk on fire"}', "application/json")
        await kind.do(it)
        assert "disk on fire" in errors(it) and kind.told in errors(it)
        for other, one in KINDS.items():
            if other != name and one.do is not kind.do and other != "lists":
                with case(f"{other} works"):
                    await one.do(it)
                    assert kind.told in errors(it), "another kind has nothing to do with it"
        between.answers.clear()
        await kind.do(it)
        assert "disk on fire" not in it.footer and not errors(it)


async def test_a_message_that_arrived_after_all_is_told_as_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server was stopped, and continued: nobody pressed esc."""
    between = Between()
    async with explore(wrap=between, size=(200, 40)) as it:
        between.answer("GET /api/v1/app-conversations*", 503)
        await message(it)
        assert "Could not" in errors(it)
        between.answers.clear()
        await message(it)
        assert "sent · " in it.footer and not errors(it)


async def test_what_was_covered_shows_again_and_esc_takes_all() -> None:
    async with explore(size=(200, 40)) as it:
        footer = it.screen.footer
        footer.tell("the list failed", error=True, about="lists")
        footer.tell("the message failed", error=True, about="agent")
        assert "the message failed" in it.footer
        footer.settle("agent")
        assert "the list failed" in it.footer
        footer.tell("long lines wrap")
        assert "long lines wrap" in it.footer, "what answers a key covers an error"
        footer.drop_remark()
        footer._uncover()
        assert "the list failed" in it.footer, "and it shows again"
        footer.tell("3 of 5 read", log=False)
        assert "the list failed" in it.footer, "progress covers nothing"
        footer.tell("the message failed", error=True, about="agent")
        await it.press("escape")
        assert "failed" not in it.footer and not footer.errors


async def test_an_error_of_a_fork_ends_when_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    async with explore(size=(200, 40)) as it:
        await it.open(FLAKY)
        current = it.screen.session.current
        assert current
        row = it.screen.session.loaded.row(current.id)
        assert row
        idle = type(row.conversation)(
            **{n: getattr(row.conversation, n) for n in row.conversation.__struct_fields__}
            | {"execution_status": "idle"}
        )
        it.screen.session.loaded.settled(idle, 0.0)
        it.screen.controllers.forks._tell_of(idle, "left the key out", error=True)
        await refresh_without_reading(it)
        assert "left the key out" in it.footer
        it.screen.session.loaded.settled(row.conversation, 0.0)
        await refresh_without_reading(it)
        assert "left the key out" not in it.footer


async def refresh_without_reading(it: Explorer) -> None:
    from oh_tui.tui.messages import ListsChanged

    it.screen.post_message(ListsChanged())
    await it.settle()


async def test_news_of_an_act_end_when_they_are_no_longer_true() -> None:
    async with explore(size=(200, 40)) as it:
        it.screen.session.clock = it.demo.world.clock.now
        await it.open(OAUTH)
        await it.press("a", "y", "enter")
        await it.until(lambda: "approved · " in it.footer)
        it.demo.advance(600)
        await refresh(it)
        await it.until(lambda: "✓ finished" in it.text("#summary"))
        assert "the agent works" not in it.footer


async def test_without_a_success_an_error_stays() -> None:
    async with explore(size=(200, 40)) as it:
        ui = it.screen.ui
        with ui.reporting(about=agents.AGENT):
            raise Problem("The server did not tell")
        with pytest.raises(ZeroDivisionError), ui.reporting(about=agents.AGENT):
            raise ZeroDivisionError
        assert "did not tell" in it.footer
        with ui.reporting(about=agents.AGENT):
            ui.tell("it failed anew", error=True, about=agents.AGENT)
        assert "it failed anew" in it.footer, "what is told within is no older error"
