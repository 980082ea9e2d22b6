"""A key acts on the conversation under the cursor when it is pressed, and waits for its run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from oh_tui.catalog.run_status import RunStatus
from oh_tui.demo.catalog import ENTRIES
from oh_tui.demo.servers.network import Network
from oh_tui.settings.startup import Settings
from oh_tui.tui.messages import MarksChanged
from oh_tui.tui.screens.changes.screen import ChangesScreen
from oh_tui.tui.screens.costs import CostsScreen
from tests.tui.acting.test_key_queue import burst
from tests.tui.explorer import Between, Explorer, Late, explore

IDS = {entry.title: entry.id for entry in ENTRIES}
SANDBOXES = {entry.title: entry.sandbox_id for entry in ENTRIES}
OAUTH, WEEKS, BUMP = "Add OAuth login", "Parse ISO week dates", "Nightly dependency bump"
LEDGER, FLAKY, COVERAGE = (
    "Rename Store to Ledger", "Flaky CI on main", "Raise the coverage of billing",
)  # fmt: skip
FUZZ = "Fuzz the parser over night"
"""12,000 events, which nothing reads by itself."""

EVENTS = "GET /runtime/*/events/search"


async def at(it: Explorer, title: str) -> None:
    """The cursor of the list has rested on a conversation."""
    it.screen.focus_pane("conversations")
    it.screen.sidebar.highlight(IDS[title])
    await it.until(lambda: it.screen.session.current and it.screen.session.current.title == title)
    await it.settle()


def step_under_cursor(it: Explorer) -> int:
    current = it.screen.timeline.current
    return current[0].number if current and current[0] else 0


async def test_a_view_opened_in_a_burst_is_of_the_row_under_the_cursor() -> None:
    async with explore() as it:
        await at(it, BUMP)
        burst(it, "k", "T")
        await it.until(lambda: isinstance(it.app.screen, CostsScreen))
        view = it.app.screen
        assert isinstance(view, CostsScreen)
        assert view.run_title == WEEKS
        await it.until(lambda: view.page.row_count())
        await it.settle()
        await it.press("escape")
        await at(it, OAUTH)
        burst(it, "j", "c")
        await it.until(lambda: isinstance(it.app.screen, ChangesScreen))
        changed = it.app.screen
        assert isinstance(changed, ChangesScreen)
        assert changed.run_title == WEEKS
        await it.until(lambda: changed.files.row_count())
        assert any("parse.py" in row.path for row in changed.files.rows)


async def test_a_view_says_reading_until_its_run_is_there() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await at(it, OAUTH)
        held = between.hold("GET /*/events/*")
        burst(it, "j", "T")
        await it.until(lambda: isinstance(it.app.screen, CostsScreen))
        view = it.app.screen
        assert isinstance(view, CostsScreen)
        assert view.run_title == WEEKS
        await it.pilot.pause(0.05)
        assert view.page.empty == ("reading the run …",)
        assert view.page.row_count() == 0
        held.set()
        await it.until(lambda: view.page.row_count())
        await it.press("enter")
        assert it.screen.session.current and it.screen.session.current.title == WEEKS


async def test_a_view_whose_run_does_not_come_says_why() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await at(it, OAUTH)
        between.answer("GET /*/events/*", 500)
        burst(it, "j", "c")
        await it.until(lambda: isinstance(it.app.screen, ChangesScreen))
        view = it.app.screen
        assert isinstance(view, ChangesScreen)
        await it.until(lambda: view.files.empty and view.files.empty != ("reading the run …",))
        assert "500" in view.files.empty[0] or "could not" in view.files.empty[0].lower()


async def test_a_view_reads_a_run_that_nothing_reads_by_itself() -> None:
    async with explore() as it:
        await at(it, FUZZ)
        assert it.screen.timeline.row_count() == 0
        await it.send("T")
        await it.until(lambda: isinstance(it.app.screen, CostsScreen))
        view = it.app.screen
        assert isinstance(view, CostsScreen)
        assert view.run_title == FUZZ
        await it.until(lambda: view.page.row_count())
        (left_out, _), *_ = view.rule.facts
        assert left_out, "older events are missing, and that is said"


async def test_over_a_slow_network_every_burst_opens_the_right_view() -> None:
    network = Network(waits=(0.02, 0.08), fails=0, rows=None)
    async with explore(wrap=lambda app: network.over(app, 3)) as it:
        await at(it, OAUTH)
        for keys, title in ((("j", "j", "T"), BUMP), (("k", "c"), WEEKS), (("k", "T"), OAUTH)):
            burst(it, *keys)
            await it.until(lambda: it.app.screen is not it.screen)
            assert getattr(it.app.screen, "run_title", "") == title
            await it.send("escape")
            await it.until(lambda: it.app.screen is it.screen)


async def test_keys_on_steps_wait_for_the_run_under_the_cursor() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await at(it, OAUTH)
        held = between.hold(EVENTS)
        burst(it, "j", "E")
        await it.until(lambda: f"reading {WEEKS}" in it.footer)
        assert it.screen.timeline.row_count() == 0, "the steps of the run before are gone"
        held.set()
        await it.until(lambda: it.screen.timeline.row_count())
        landed = 58
        await it.until(
            lambda: (
                it.screen.timeline.current
                and it.screen.timeline.current[0]
                and it.screen.timeline.current[0].number < landed
            )
        )
        assert it.screen.session.pane == "conversations"


async def test_a_key_that_waits_for_a_run_is_dropped_when_the_cursor_goes_on() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await at(it, OAUTH)
        held = between.hold(EVENTS)
        burst(it, "j", "v", "k")
        await it.until(
            lambda: it.screen.session.current and it.screen.session.current.title == OAUTH
        )
        held.set()
        await it.settle()
        assert it.screen.timeline.range_from is None
        assert it.screen.session.pane == "conversations"


async def test_the_timeline_entered_in_a_burst_is_that_of_the_cursor() -> None:
    for size in ((160, 32), (80, 24)):
        async with explore(size=size) as it:
            it.screen.sidebar.highlight(IDS[BUMP])
            await it.settle()
            burst(it, "k", "3")
            await it.until(lambda: it.screen.session.pane == "timeline")
            await it.settle()
            assert it.screen.session.current and it.screen.session.current.title == WEEKS


async def test_words_typed_ahead_for_a_run_that_is_not_there_are_no_commands() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await at(it, OAUTH)
        held = between.hold(EVENTS)
        burst(it, "j", "3", "&", *"is:failed", "enter")
        await it.until(lambda: f"reading {WEEKS}" in it.footer)
        assert between.count("POST *") == 0
        held.set()
        await it.until(lambda: it.screen.timeline.filtered)
        assert it.screen.session.current and it.screen.session.current.title == WEEKS
        burst(it, "1", "k", ":", *"3", "enter")
        await it.until(
            lambda: it.screen.session.current and it.screen.session.current.title == OAUTH
        )
        await it.until(lambda: step_under_cursor(it) == 3)


async def test_what_is_copied_is_of_the_conversation_under_the_cursor() -> None:
    async with explore() as it:
        await at(it, OAUTH)
        burst(it, "j", "y", "i")
        await it.until(lambda: it.app.clipboard == IDS[WEEKS])
        await it.settle()
        burst(it, "k", "y", "c")
        await it.until(lambda: "git push" in it.app.clipboard)


async def test_in_the_sandboxes_keys_mean_the_conversation_that_the_row_names(
    tmp_path: Path,
) -> None:
    async with explore(settings=Settings(download_folder=tmp_path)) as it:
        await at(it, OAUTH)
        pane = it.screen.sidebar.sandbox_list
        await it.press("2")
        place = next(
            n for n, row in enumerate(pane.rows) if any(c.title == WEEKS for c in row.conversations)
        )
        pane.move_to(place)
        assert pane.current
        named = pane.current.conversations[0]
        await it.press("d")
        assert it.screen.session.saved
        assert named.id[:8] in it.screen.session.saved.name
        await it.send("T")
        await it.until(lambda: isinstance(it.app.screen, CostsScreen))
        assert getattr(it.app.screen, "run_title", "") == named.title
        assert it.screen.session.pane == "sandboxes"


async def test_acts_leave_the_cursor_on_the_conversation_that_they_were_done_to() -> None:
    async with explore() as it:
        await at(it, OAUTH)
        for keys in (("a", "n", "n", "o"), ("m",)):
            await it.press(*keys)
            if it.screen.asking.editor is not None:
                await it.press("ctrl+s" if keys[0] == "a" else "escape")
            await it.settle()
            under = it.screen.sidebar.list.current
            assert under and under.title == OAUTH
        await it.press("r")
        under = it.screen.sidebar.list.current
        assert under and under.title == OAUTH


@pytest.mark.slow_but(1)
@pytest.mark.parametrize(
    ("marks", "keys", "told"),
    [
        ((), "P", "the agent is stopped"),
        ((), "d", "saved "),
        ((LEDGER, FLAKY), "p", "2 of 2 sandboxes paused"),
        ((LEDGER, FLAKY), "d", "2 of 2 trajectories saved"),
    ],
    ids=["stop", "download", "pause the marked", "download the marked"],
)
async def test_the_cursor_stays_where_it_was_through_acts_that_take_a_while(
    tmp_path: Path, marks: tuple[str, ...], keys: str, told: str
) -> None:
    async with explore(settings=Settings(download_folder=tmp_path)) as it:
        await at(it, FLAKY)
        listed = it.screen.sidebar.list
        it.screen.session.keep_marks(frozenset(IDS[title].replace("-", "") for title in marks))
        it.screen.post_message(MarksChanged())
        await it.send(keys)
        await it.until(lambda: it.screen.asking.question_bar.display or told in it.footer)
        if it.screen.asking.question_bar.display:
            await it.send(*(("f", "enter") if keys == "p" else ("enter",)))
        await it.until(lambda: told in it.footer)
        await it.settle()
        assert listed.current and listed.current.title == FLAKY
        await it.press("r")
        assert listed.current and listed.current.title == FLAKY
        await it.press("3", "1")
        assert listed.current and listed.current.title == FLAKY


async def test_header_list_and_run_say_the_same_after_a_rejection_and_a_pause() -> None:
    async with explore() as it:
        await at(it, OAUTH)
        assert "1 waits for you" in it.text("#header")
        await it.send("a")
        await it.until(lambda: it.screen.asking.question_bar.display)
        await it.send("n")
        await it.until(lambda: it.screen.asking.editor)
        await it.send("ctrl+s")
        await it.until(lambda: "rejected · " in it.footer)
        await it.settle()
        await it.press("p")
        if it.screen.asking.question_bar.display:
            await it.press("enter")
        await it.until(lambda: "sandbox paused" in it.footer)
        await it.settle()
        row = it.screen.session.loaded.row(IDS[OAUTH])
        assert row and row.status is RunStatus.IDLE
        assert "wait" not in it.text("#header")
        assert f"◆ {OAUTH}" not in it.text("#conversations")
        assert "idle" in it.text("#summary")


async def test_a_reading_asked_for_before_a_rejection_does_not_take_it_back() -> None:
    late = Late("/api/v1/app-conversations/search")
    async with explore(wrap=late) as it:
        await at(it, OAUTH)
        loaded = it.screen.session.loaded
        stands: list[RunStatus] = []
        late.arrives.clear()
        await it.send("r")
        await late.answered.wait()
        await it.send("a")
        await it.until(lambda: it.screen.asking.question_bar.display)
        await it.send("n")
        await it.until(lambda: it.screen.asking.editor)
        await it.send("ctrl+s")
        await it.until(lambda: "rejected · " in it.footer)
        take = loaded.take

        def watched(*words: Any, **named: Any) -> Any:
            changes = take(*words, **named)
            row = loaded.row(IDS[OAUTH])
            assert row
            stands.append(row.status)
            return changes

        loaded.take = watched  # type: ignore[method-assign]
        late.arrives.set()
        await it.settle()
        assert len(stands) >= 2, "the one that was late, and the one after it"
        assert RunStatus.WAITING not in stands


async def by_p(it: Explorer) -> str:
    await at(it, LEDGER)
    await it.send("p")
    await it.until(lambda: it.screen.asking.question_bar.display or "paused" in it.footer)
    if it.screen.asking.question_bar.display:
        await it.send("enter")
    await it.until(lambda: "sandbox paused" in it.footer)
    return LEDGER


async def by_p_for_all_marked(it: Explorer) -> str:
    await at(it, LEDGER)
    await it.send("space", "p")
    await it.until(lambda: it.screen.asking.question_bar.display)
    await it.send("enter")
    await it.until(lambda: "1 of 1 sandbox paused" in it.footer)
    return LEDGER


async def by_a_message(it: Explorer) -> str:
    await at(it, COVERAGE)
    await it.send("m")
    await it.until(lambda: it.screen.asking.editor)
    await it.type("more tests")
    await it.send("ctrl+s")
    await it.until(lambda: it.screen.asking.question_bar.display)
    await it.send("enter")
    await it.until(lambda: any("running again" in text for text, _ in it.screen.footer.history))
    return COVERAGE


ACTS = pytest.mark.parametrize(
    ("act", "then"),
    [(by_p, "PAUSED"), (by_p_for_all_marked, "PAUSED"), (by_a_message, "RUNNING")],
)


@pytest.mark.slow_but(1)
@ACTS
async def test_sandboxes_asked_for_before_an_act_do_not_take_it_back(
    act: Callable[[Explorer], Awaitable[str]], then: str
) -> None:
    late = Late("/api/v1/sandboxes/search")
    async with explore(wrap=late) as it:
        late.arrives.clear()
        reading = asyncio.ensure_future(it.screen.controllers.conversations.read_sandboxes())
        await late.answered.wait()
        title = await act(it)
        late.arrives.set()
        await reading
        states = {one.id: one.status for one in it.screen.sidebar.sandboxes}
        assert states[SANDBOXES[title]] == then


@pytest.mark.slow_but(1)
@ACTS
async def test_conversations_asked_for_before_an_act_do_not_take_back_how_their_sandbox_stands(
    act: Callable[[Explorer], Awaitable[str]], then: str
) -> None:
    late = Late("/api/v1/app-conversations/search")
    async with explore(wrap=late) as it:
        late.arrives.clear()
        loaded = it.screen.session.loaded
        asked = time.monotonic()
        assert it.screen.session.source
        reading = asyncio.ensure_future(it.screen.session.source.newest())
        await late.answered.wait()
        title = await act(it)
        late.arrives.set()
        loaded.take((await reading).items, asked=asked)
        row = loaded.row(IDS[title])
        assert row and row.conversation.sandbox_status == then
