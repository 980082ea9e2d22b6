"""When the lists are refreshed, and that no refresh cancels another."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from textual import events

from oh_tui.catalog.run_status import Counts
from oh_tui.conversation import Conversation
from oh_tui.settings.startup import Settings
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage import cost_sum
from oh_tui.tui.controllers.lists import refresh_schedule, row_details
from oh_tui.tui.state.loaded_conversations import ListSums, LoadedConversations
from tests.tui.explorer import Between, Explorer, explore
from tests.tui.lists.test_lists import LEDGER, LEDGER_ID, Changing, Looks

SEARCH = "GET /api/v1/app-conversations/search"


async def by_itself(it: Explorer) -> float:
    """What the timer does; the seconds until it does so again."""
    it.screen.controllers.conversations.schedule._want()
    await it.settle()
    return it.screen.controllers.conversations.schedule.wait


async def send(it: Explorer, event: events.Event) -> None:
    it.app.post_message(event)
    await it.pilot.pause(0)
    await it.settle()


async def test_a_focus_during_the_first_reading_cuts_nothing() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        held, asked = between.hold(SEARCH), between.count(SEARCH)
        demo = it.app.main.controllers.servers.demo
        assert demo
        it.screen.controllers.conversations.open(demo)
        it.screen.sidebar.total = None
        await it.until(lambda: it.screen.session.source is not None and it.screen.session.unopened)
        for event in (events.AppBlur(), events.AppFocus()):
            it.app.post_message(event)
        await it.pilot.pause(0.05)
        held.set()
        await it.settle()
        assert between.count(SEARCH) == asked + 1
        assert it.screen.sidebar.total == 42
        assert it.screen.session.unopened is None
        assert it.screen.controllers.conversations.schedule._timer is not None


async def test_a_slow_reading_is_not_cut_and_what_was_asked_meanwhile_comes_once() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        held, asked = between.hold(SEARCH), between.count(SEARCH)
        for _ in range(5):
            it.screen.controllers.conversations.schedule._want()
            it.screen.controllers.conversations.schedule.ask(sort=True)
            await it.pilot.pause(0.02)
        await it.until(lambda: between.count(SEARCH) > asked)
        assert between.count(SEARCH) == asked + 1
        held.set()
        await it.settle()
        assert between.count(SEARCH) == asked + 2


async def test_a_reading_tells_whether_anything_has_changed() -> None:
    source = Changing()
    async with explore(source=lambda: source) as it:
        assert not await it.screen.controllers.conversations.refresh(False)
        source.statuses = {LEDGER: "error"}
        assert await it.screen.controllers.conversations.refresh(False)
        assert not await it.screen.controllers.conversations.refresh(True)


async def test_the_pause_doubles_while_nothing_changes_and_nothing_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = Changing()
    async with explore(source=lambda: source) as it:
        assert [await by_itself(it) for _ in range(2)] == [15.0, 15.0], "some run"
        nothing = ListSums((), Counts(), cost_sum(()), Counter())
        monkeypatch.setattr(LoadedConversations, "sums", lambda loaded: nothing)
        assert [await by_itself(it) for _ in range(4)] == [30.0, 60.0, 60.0, 60.0]
        source.statuses = {LEDGER: "error"}
        assert [await by_itself(it) for _ in range(3)] == [15.0, 30.0, 60.0]
        await it.press("r")
        assert it.screen.controllers.conversations.schedule.wait == 15.0


async def test_a_reading_that_failed_is_tried_again_soon_and_then_less_often() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        between.answer(SEARCH, 500)
        assert [await by_itself(it) for _ in range(5)] == [5.0, 10.0, 20.0, 40.0, 60.0]
        between.answers.clear()
        await by_itself(it)
        assert [await by_itself(it) for _ in range(2)] == [15.0, 15.0]


async def test_a_server_that_is_gone_for_days_does_not_end_the_explorer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fails(sort: bool) -> None:
        return None

    async with explore() as it:
        refreshing = it.screen.controllers.conversations.schedule
        monkeypatch.setattr(refreshing, "_refresh", fails)
        for _ in range(1100):
            refreshing._wanted = True
            await refreshing.read()
        assert refreshing.every == 60.0


async def test_what_one_call_brought_is_taken_though_another_failed() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        between.answer("GET /api/v1/sandboxes/search", 500)
        conversation = it.demo.world.conversations[LEDGER_ID]
        conversation.title = "Told anew"
        await by_itself(it)
        assert "Told anew" in [c.title for c in it.screen.sidebar.conversations]


@pytest.mark.parametrize(("notice", "wait"), [((), 60.0), (("bell",), 15.0)])
async def test_out_of_sight_it_is_read_seldom_unless_a_notice_is_wanted(
    notice: tuple[str, ...], wait: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    between = Between()
    async with explore(wrap=between, settings=replace(Settings(), notice=notice)) as it:
        asked = between.count(SEARCH)
        await send(it, events.AppBlur())
        assert it.screen.controllers.conversations.schedule.wait == wait
        await send(it, events.AppFocus())
        assert it.screen.controllers.conversations.schedule.wait == 15.0
        assert between.count(SEARCH) == asked, "it was read a moment ago"
        monkeypatch.setattr(refresh_schedule, "FRESH", 0.0)
        await send(it, events.AppFocus())
        assert between.count(SEARCH) == asked + 1


class Hanging(Looks):
    """The runs of a server of which one agent server takes connections and never answers."""

    hangs = "Add OAuth login"

    def __init__(self, source: Changing) -> None:
        super().__init__(source)
        self.peeked: list[str | None] = []

    async def peek(self, conversation: Conversation) -> Trajectory | None:
        self.peeked.append(conversation.title)
        if conversation.title == self.hangs:
            await asyncio.sleep(3600)
        return await super().peek(conversation)


async def test_one_agent_server_that_hangs_keeps_no_other_line_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(row_details, "ANSWER", 3.0)  # long enough for those that answer
    source = Changing()
    source.runs = source.remote = runs = Hanging(source)
    async with explore(source=lambda: source) as it:
        for _ in range(3):
            it.screen.controllers.conversations.schedule.ask()
            await it.pilot.pause(0.02)
        await it.settle()
        assert "pytest -q" in it.text("#conversations")
        assert runs.peeked.count(runs.hangs) == 1, "not again and again"
        assert len(runs.peeked) > 3


async def test_rows_further_down_are_asked_for_in_turn_those_in_sight_each_time() -> None:
    async with explore() as it:
        rows = [f"row-{n}" for n in range(400)]
        refreshing = it.screen.controllers.conversations.schedule
        assert refreshing.some(rows[:50], near="") == rows[:50]
        asked = [refreshing.some(rows, near="row-200") for _ in range(12)]
        assert all(len(some) == len(set(some)) == 99 for some in asked)
        assert all(set(rows[175:225]) <= set(some) for some in asked)
        assert {row for some in asked for row in some} == set(rows)


async def test_a_key_comes_between_taking_what_was_read_and_ordering_it() -> None:
    async with explore() as it:
        loaded, ticks = it.screen.session.loaded, list[None]()
        turns: dict[str, int] = {}

        def noting(do: Callable[..., Any]) -> Callable[..., Any]:
            def noted(*given: Any, **named: Any) -> Any:
                turns.setdefault(do.__name__, len(ticks))
                return do(*given, **named)

            return noted

        loaded.take = noting(loaded.take)  # type: ignore[method-assign]
        loaded.reorder = noting(loaded.reorder)  # type: ignore[method-assign]
        ticking = asyncio.create_task(tick(ticks))
        await it.press("r")
        ticking.cancel()
        assert turns["take"] < turns["reorder"]


async def tick(ticks: list[None]) -> None:
    """Count the turns of the event loop."""
    while True:
        ticks.append(None)
        await asyncio.sleep(0)
