"""Marks, and `d` and `p` on all marked conversations."""

from __future__ import annotations

import asyncio
import zipfile
from pathlib import Path
from unittest.mock import AsyncMock

import pytest
from msgspec.structs import replace

from oh_tui.demo.catalog import ENTRIES
from oh_tui.settings.startup import Settings
from oh_tui.tui.controllers.sandbox.sandboxes import SandboxActions
from oh_tui.tui.session import Session
from oh_tui.tui.state.work import Batch
from tests.tui.explorer import Between, Explorer, explore
from tests.tui.fake_ui import FakeUi

CACHE, FOLLOWUPS = "Cache the docker layers", "Docker follow-ups"
"""In one sandbox."""
LEDGER, SPLIT, FLAKY = "Rename Store to Ledger", "Split the settings module", "Flaky CI on main"
ADD, ESLINT = "Fix the add function", "Bump eslint to 10"
COVERAGE, CLICK = "Raise the coverage of billing", "Port the CLI to click"

IDS = {entry.title: entry.id for entry in ENTRIES}
SANDBOXES = {entry.title: entry.sandbox_id for entry in ENTRIES}
PAUSE, RESUME = "POST /api/v1/sandboxes/*/pause", "POST /api/v1/sandboxes/*/resume"
DOWNLOAD = "GET /api/v1/app-conversations/*/download"


async def mark(it: Explorer, *titles: str) -> None:
    it.screen.focus_pane("conversations")
    for title in titles:
        it.screen.sidebar.highlight(IDS[title])
        await it.send("space")
    await it.settle()


def marked(it: Explorer) -> list[str | None]:
    return [c.title for c in it.screen.session.marked]


def status(it: Explorer, title: str) -> str:
    world = it.demo.world
    return world.status(world.sandbox(SANDBOXES[title]))


def told(it: Explorer) -> str:
    return "\n".join(text for text, _ in it.screen.footer.history)


async def test_space_marks_and_goes_on_and_esc_takes_all_marks_away() -> None:
    async with explore() as it:
        listed = it.screen.sidebar.list
        await it.press("space", "space")
        assert listed.cursor == 2
        assert marked(it) == ["Add OAuth login", "Parse ISO week dates"]
        assert "◆+Add OAuth login" in it.text("#conversations")
        assert "2 marked · 42" in it.text("#conversations-rule")
        assert "download 2" in it.footer
        await it.press("k", "space")
        assert marked(it) == ["Add OAuth login"]
        assert "esc unmark" in it.footer
        await it.press("escape")
        assert marked(it) == []
        assert "esc" not in it.footer
        assert "marked" not in it.text("#conversations-rule")
        assert "d download  " in it.footer


async def test_marks_stay_with_their_conversations_in_a_new_order() -> None:
    async with explore() as it:
        await mark(it, LEDGER, ADD)
        await it.press("r")
        assert marked(it) == [LEDGER, ADD]
        await it.press("3")
        assert "download 2" not in it.footer, "in the run keys mean the run"


async def test_all_marked_are_downloaded_after_one_question(tmp_path: Path) -> None:
    between = Between()
    settings = replace(Settings(), download_folder=tmp_path)
    async with explore(wrap=between, settings=settings) as it:
        await mark(it, ADD, ESLINT, LEDGER)
        await it.press("d")
        assert "Download 3 trajectories" in it.text("#question")
        assert between.count(DOWNLOAD) == 0
        await it.press("enter")
        await it.until(lambda: "3 of 3 trajectories saved" in it.footer)
        assert len(list(tmp_path.iterdir())) == 3
        assert all(zipfile.is_zipfile(path) for path in tmp_path.iterdir())
        assert marked(it) == []


@pytest.mark.parametrize(
    ("key", "title", "place"),
    [
        ("number_sign", LEDGER, "#asked-rule"),
        ("semicolon", LEDGER, "Editor Rule"),
        ("m", FLAKY, "Editor Rule"),
        ("P", FLAKY, "#question"),
        ("P", SPLIT, "#question"),
    ],
)
async def test_what_acts_on_one_of_the_marked_names_it_before(
    key: str, title: str, place: str
) -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await mark(it, ADD, ESLINT)
        it.screen.sidebar.highlight(IDS[title])
        await it.press(key)
        await it.until(lambda: title in it.text(place))
        assert between.count("POST *") == 0
        await it.press("escape")
        await it.until(lambda: not it.screen.asking.is_asking and not it.screen.asking.editor)
        assert between.count("POST *") == 0 and marked(it) == [ADD, ESLINT]


def delete(it: Explorer, *titles: str) -> None:
    """Delete conversations with their sandboxes on the server."""
    world = it.demo.world
    for title in titles:
        box = world.conversations.pop(IDS[title]).sandbox
        world.sandboxes = {name: one for name, one in world.sandboxes.items() if one is not box}


async def test_what_was_deleted_fails_alone_and_leaves_the_list(tmp_path: Path) -> None:
    settings = replace(Settings(), download_folder=tmp_path)
    async with explore(settings=settings) as it:
        await mark(it, ADD, ESLINT, CLICK)
        delete(it, ESLINT)
        await it.press("d", "enter")
        await it.until(lambda: "2 of 3 trajectories saved" in told(it))
        assert "1 failed" in told(it) and marked(it) == [ESLINT]
        await it.press("r")
        await it.until(lambda: ESLINT not in it.text("#conversations"))
        await it.until(lambda: "41 conversations" in it.text("#header"))
        assert not it.screen.session.means_marked and marked(it) == []


async def test_a_sandbox_that_goes_while_the_question_stands_fails_alone() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await mark(it, LEDGER, FLAKY, CACHE)
        await it.press("p")
        await it.until(lambda: "Pause 3 sandboxes" in it.text("#question"))
        delete(it, FLAKY)
        await it.press("f", "enter")
        await it.until(lambda: "2 of 3 sandboxes paused, 1 failed" in told(it))
        await it.until(lambda: FLAKY not in it.text("#conversations"))
        assert marked(it) == []


@pytest.mark.parametrize("key", ["m", "number_sign", "P"])
async def test_what_acts_on_a_deleted_run_says_that_it_is_gone(key: str) -> None:
    async with explore() as it:
        it.screen.sidebar.highlight(IDS[FLAKY])
        await it.press(key)
        if key != "P":
            await it.type("bug")
        delete(it, FLAKY)
        await it.send("ctrl+s" if key == "m" else "enter")
        if key == "number_sign":
            await it.until(lambda: "write it to the server too" in it.text("#question"))
            await it.send("y")
        await it.until(lambda: "not on the server any more" in told(it))


async def test_no_is_no_and_keeps_the_marks(tmp_path: Path) -> None:
    between = Between()
    settings = replace(Settings(), download_folder=tmp_path)
    async with explore(wrap=between, settings=settings) as it:
        await mark(it, ADD, ESLINT)
        await it.press("d", "escape")
        assert between.count(DOWNLOAD) == 0
        assert len(marked(it)) == 2


async def test_esc_stops_the_downloads_and_says_how_far_they_came(tmp_path: Path) -> None:
    between = Between()
    held = between.hold(f"GET /api/v1/app-conversations/{IDS[ESLINT]}/download")
    settings = replace(Settings(), download_folder=tmp_path)
    async with explore(wrap=between, settings=settings) as it:
        await mark(it, ADD, ESLINT, CLICK)
        await it.press("d")
        await it.send("enter")
        await it.until(lambda: "downloading 2 of 3" in it.footer)
        await it.send("escape")
        await it.until(lambda: "stopped: 1 of 3 trajectories saved" in it.footer)
        assert len(list(tmp_path.iterdir())) == 1
        assert marked(it) == [ESLINT, CLICK], "what is left to do stays marked"
        held.set()


async def test_d_again_while_the_marked_are_downloaded_starts_none_twice(tmp_path: Path) -> None:
    between = Between()
    held = between.hold(DOWNLOAD)
    settings = replace(Settings(), download_folder=tmp_path)
    async with explore(wrap=between, settings=settings) as it:
        await mark(it, ADD, ESLINT)
        await it.press("d")
        await it.send("enter")
        await it.until(lambda: between.count(DOWNLOAD) == 1)
        await it.send("d")
        await it.until(lambda: "one of the marked runs is still being downloaded" in it.footer)
        it.screen.sidebar.highlight(IDS[ESLINT])
        await it.send("enter", "d")
        await it.until(lambda: "it is still being downloaded · esc stops" in it.footer)
        held.set()
        await it.until(lambda: "2 of 2 trajectories saved" in told(it))
        assert len(list(tmp_path.iterdir())) == 2


async def test_one_download_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    between = Between()
    between.answer(f"GET /api/v1/app-conversations/{IDS[ADD]}/download", 404, "{}")
    settings = replace(Settings(), download_folder=tmp_path)
    async with explore(wrap=between, settings=settings) as it:
        await mark(it, ADD, ESLINT)
        await it.press("d", "enter")
        await it.until(lambda: "1 of 2 trajectories saved" in told(it))
        assert "1 failed" in told(it)
        assert marked(it) == [ADD]


async def test_the_sandboxes_of_all_marked_are_paused_after_one_question() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await mark(it, LEDGER, FLAKY, CACHE, FOLLOWUPS, COVERAGE)
        assert "p pause 3 sandboxes" in it.footer
        await it.press("p")
        question = it.text("#question")
        assert "Pause 3 sandboxes" in question
        assert "Stops 1 run: ● Flaky CI on main" in question
        assert "Skips 1 that cannot be paused" in question
        assert between.count("POST *") == 0
        await it.press("f", "enter")
        await it.until(lambda: "3 of 3 sandboxes paused" in it.footer)
        assert between.count(PAUSE) == 3
        assert {status(it, title) for title in (LEDGER, FLAKY, CACHE)} == {"PAUSED"}
        await it.settle()
        assert marked(it) == [COVERAGE]


async def test_esc_lets_the_sandbox_of_now_be_paused_and_no_other() -> None:
    between = Between()
    held = between.hold(PAUSE)
    async with explore(wrap=between) as it:
        await mark(it, LEDGER, SPLIT)
        await it.press("p")
        await it.send("enter")
        await it.until(lambda: between.count(PAUSE) == 1)
        await it.send("escape")
        assert "stops after this one" in it.footer
        held.set()
        await it.until(lambda: "stopped: 1 of 2 sandboxes paused" in it.footer)
        await asyncio.sleep(0.1)
        assert between.count(PAUSE) == 1
        assert len(marked(it)) == 1


async def test_those_that_are_all_paused_are_resumed_and_the_risk_is_named() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await mark(it, COVERAGE, CLICK)
        assert "p resume 2 sandboxes" in it.footer
        await it.press("p")
        question = it.text("#question")
        assert "Resume 2 sandboxes" in question
        assert "the server pauses the oldest without asking" in question
        await it.press("enter")
        await it.until(lambda: "2 of 2 sandboxes up" in it.footer)
        assert between.count(RESUME) == 2
        assert "the server paused 2 sandboxes to make room" in it.footer


async def test_gone_sandboxes_are_neither_paused_nor_resumed() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await mark(it, ADD, ESLINT)
        assert "sandbox" not in it.footer
        await it.press("p")
        await it.until(lambda: "No pause or resume" in it.footer)
        assert between.count("POST *") == 0


async def test_read_only_changes_nothing_of_all_marked() -> None:
    between = Between()
    async with explore(wrap=between, settings=Settings(read_only=True)) as it:
        await mark(it, LEDGER, CACHE)
        await it.press("p")
        assert "read-only" in it.footer
        assert between.count("POST *") == 0


async def test_p_on_one_of_the_marked_waits_for_its_turn_among_them() -> None:
    between = Between()
    held = between.hold(PAUSE)
    async with explore(wrap=between) as it:
        await mark(it, LEDGER, SPLIT)
        await it.press("p")
        await it.send("enter")
        await it.until(lambda: between.count(PAUSE) == 1)
        await it.send("2")  # there p means one sandbox
        rows = [row.id for row in it.screen.sidebar.sandbox_list.rows]
        said = set()
        for title in (LEDGER, SPLIT):
            it.screen.sidebar.sandbox_list.cursor = rows.index(SANDBOXES[title])
            await it.send("p")
            await it.until(lambda: "it is still" in it.footer)
            said.add(it.footer.split("it is still ")[1].split("  ")[0])
            it.screen.footer.clear()
        assert len(said) == 2
        assert any(words.startswith("being paused") for words in said)
        assert any(words.startswith("waiting to be paused") for words in said)
        held.set()
        await it.until(lambda: "2 of 2 sandboxes paused" in told(it))
        assert between.count("POST *") == 2
        assert not it.screen.session.changing


async def test_p_on_all_marked_leaves_alone_what_p_pauses_already() -> None:
    between = Between()
    held = between.hold(PAUSE)
    async with explore(wrap=between) as it:
        it.screen.focus_pane("conversations")
        it.screen.sidebar.highlight(IDS[LEDGER])
        await it.press("p")
        await it.send("enter")
        await it.until(lambda: between.count(PAUSE) == 1)
        it.screen.sidebar.highlight(IDS[LEDGER])
        await it.send("space", "p")
        await it.until(lambda: "1 sandbox still being paused" in it.footer)
        it.screen.sidebar.highlight(IDS[SPLIT])
        await it.send("space", "p")
        await it.until(lambda: "Pause 1 sandbox" in it.text("#question"))
        assert LEDGER not in it.text("#question")
        await it.send("enter")
        await it.until(lambda: between.count(PAUSE) == 2)
        held.set()
        await it.until(lambda: "1 of 1 sandbox paused" in told(it))
        await it.settle()
        assert between.count("POST *") == 2


async def test_p_on_all_marked_waits_for_those_marked_before() -> None:
    between = Between()
    held = between.hold(PAUSE)
    async with explore(wrap=between) as it:
        await mark(it, LEDGER)
        await it.press("p")
        await it.send("enter")
        await it.until(lambda: between.count(PAUSE) == 1)
        await it.send("escape", "escape", "escape")
        await it.until(lambda: not marked(it))
        it.screen.sidebar.highlight(IDS[SPLIT])
        await it.send("space", "p")
        await it.until(lambda: "sandboxes marked earlier are still being changed" in it.footer)
        held.set()
        await it.until(lambda: "1 of 1 sandbox paused" in told(it))
        assert between.count("POST *") == 1


def test_a_batch_is_stopped_once() -> None:
    ui, session = FakeUi(), Session(Settings())
    controller = SandboxActions(session, ui, AsyncMock(), AsyncMock())
    assert not controller.stop_batch()
    session.batch = Batch()
    assert controller.stop_batch() and session.batch.stopped
    assert not controller.stop_batch()
    assert ui.told == ["stops after this one"]


def test_a_sandbox_is_claimed_until_it_is_released() -> None:
    session = Session(Settings())
    with session.claiming(["a", "b"]) as claimed:
        session.release("a", claimed)
        with session.claiming(["a"]):
            assert session.changing.keys() == {"a", "b"}
        assert session.changing.keys() == {"b"}
    assert not session.changing


async def test_read_only_a_sandbox_is_not_even_looked_at() -> None:
    ui = FakeUi()
    SandboxActions(Session(Settings(read_only=True)), ui, AsyncMock(), AsyncMock()).action_pause()
    await ui.work()
    assert ui.told == ["read-only: nothing is changed from here"]
    assert not ui.posted
