"""The palette's "agent setup": what an agent works with, and changes of it."""

from __future__ import annotations

import pytest

from oh_tui.demo.catalog import ENTRIES
from oh_tui.demo.world import AgentVersion
from oh_tui.settings.startup import Settings
from oh_tui.tui.controllers.agent import setup
from oh_tui.tui.widgets.question_bar import letters, underlined
from tests.tui.explorer import Between, Explorer, explore

WEEKS, OAUTH, WORKS = "Parse ISO week dates", "Add OAuth login", "Flaky CI on main"
IDS = {entry.title: entry.id for entry in ENTRIES}


async def open_dialog(it: Explorer, title: str = WEEKS) -> str:
    """The dialog on a conversation, as it is drawn."""
    it.screen.focus_pane("conversations")
    it.screen.sidebar.highlight(IDS[title])
    await it.pilot.pause(0)
    it.screen.controllers.agent_setups.action_open()
    await it.until(lambda: it.text("#question"))
    return it.text("#question")


def changes(between: Between) -> list[str]:
    return [call for call in between.asked if not call.startswith("GET ")]


async def test_it_shows_what_is_set_and_esc_leaves_it() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        shown = await open_dialog(it)
        assert "model      anthropic/claude-sonnet-4-5" in shown and "asks you   never" in shown
        assert "none; the server has careful" in shown and "condenser  a model summarizes" in shown
        assert "p  switch profile   c  change when it asks   k  condense now" in shown
        await it.press("escape")
        assert changes(between) == []


async def test_a_profile_is_chosen_from_a_list_by_one_key_and_read_back() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await it.open(WEEKS)
        await it.press("ctrl+p")
        await it.find_command("model", "switch profile")
        await it.send("enter")
        await it.until(lambda: "Switch to a profile" in it.text("#question"))
        shown = it.text("#question")
        assert "c  careful" in shown and "f  fast" in shown and "l  local (no key)" in shown
        assert changes(between) == []
        await it.send("f")
        await it.until(lambda: "switched to fast: anthropic/claude-haiku-4-5" in it.footer)
        assert it.demo.world.conversations[IDS[WEEKS]].profile == "fast"


async def test_esc_and_keys_typed_ahead_switch_no_profile() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        held = between.hold("GET *server_info")
        await it.open(WEEKS)
        it.screen.controllers.agent_setups.action_switch()
        await it.until(lambda: between.count("GET *server_info"))
        it.key("f")
        held.set()
        await it.until(lambda: it.text("#question"))
        await it.send("escape")
        await it.settle()
        assert changes(between) == []


async def test_a_profile_of_many_is_typed_completed_and_read_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(setup, "MOST_LISTED", 2)
    async with explore() as it:
        await open_dialog(it)
        await it.press("p")
        await it.type("nope")
        await it.press("enter")
        await it.until(lambda: "no profile nope" in it.screen.asking.asked.plain_text())
        await it.press("ctrl+u")
        await it.type("fast")
        await it.press("enter")
        await it.until(lambda: "switched to fast: anthropic/claude-haiku-4-5" in it.footer)
        assert it.demo.world.conversations[IDS[WEEKS]].profile == "fast"


async def test_when_the_agent_asks_is_set() -> None:
    async with explore() as it:
        await open_dialog(it)
        await it.press("c", "a", "enter")
        await it.until(lambda: "the agent asks before every call" in it.footer)
        assert it.demo.world.conversations[IDS[WEEKS]].policy == {"kind": "AlwaysConfirm"}


async def test_condensing_asks_and_never_runs_a_call_that_waits() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await open_dialog(it)
        await it.press("k")
        assert "costs money" in it.text("#question")
        await it.press("enter")
        await it.until(lambda: "events forgotten" in it.footer)
        before = changes(between)
        await open_dialog(it, OAUTH)
        await it.press("k", "enter")
        await it.until(lambda: "condensing would run it" in it.footer)
        assert changes(between) == before


async def test_what_somebody_else_did_meanwhile_is_not_overwritten() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await open_dialog(it)
        it.demo.world.conversations[IDS[WEEKS]].profile = "local"
        await it.press("c", "a", "enter")
        await it.until(lambda: "Somebody else changed it meanwhile" in it.footer)
        assert changes(between) == []


async def test_keys_typed_ahead_change_nothing() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        held = between.hold("GET *server_info")
        it.screen.focus_pane("conversations")
        it.screen.sidebar.highlight(IDS[WEEKS])
        await it.pilot.pause(0)
        it.screen.controllers.agent_setups.action_open()
        await it.until(lambda: between.count("GET *server_info"))
        for key in ("k", "enter"):
            it.key(key)
        await it.pilot.pause(0)
        held.set()
        await it.until(lambda: it.text("#question"))
        await it.settle()
        assert changes(between) == []


async def test_an_old_server_and_read_only_offer_what_they_can() -> None:
    async with explore() as it:
        it.demo.world.agent_version = AgentVersion.OLD
        shown = await open_dialog(it)
        assert "servers since 1.18 can" in shown and "p  switch profile" not in shown
    async with explore(settings=Settings(read_only=True)) as it:
        shown = await open_dialog(it)
        assert "anthropic/claude-sonnet-4-5" in shown and "switch profile" not in shown


async def test_a_key_that_was_rejected_leads_to_another_profile() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await it.open("Nightly dependency bump")
        await it.until(lambda: "P switch profile" in it.text("#footer"))
        await it.press("P")
        shown = it.text("#question")
        assert "The model's key was rejected" in shown and "careful, fast, local (no key)" in shown
        assert "s  switch profile" in shown and "enter  go on with what it has" in shown
        await it.press("s", "f")
        await it.until(lambda: "switched to fast" in it.footer)
        assert "P lets it go on" in it.footer
        assert [call.rpartition("/")[2] for call in changes(between)] == ["switch_profile"]
        await it.press("P")
        assert "it uses the profile fast now" in it.text("#question")
        await it.press("enter")
        await it.until(lambda: changes(between)[-1].endswith("/run"))


def test_each_of_a_list_has_a_letter_of_its_own_that_is_underlined_in_it() -> None:
    names = ["nano", "nano", "n", "fast", "Fable", "f", "a", "4"]
    found = letters(names)
    assert found == ["a", "o", "1", "f", "b", "2", "3", "4"]
    assert "n" not in letters(["n"] * 12), "n says no"
    assert underlined("most tokens", "k") == [("most tokens", "")]
    assert underlined("needs you", "y") == [("needs ", ""), ("y", "letter"), ("ou", "")]
    assert underlined("by title", "t")[1] == ("t", "letter")
    assert underlined("go", "enter") == [("go", "")]
