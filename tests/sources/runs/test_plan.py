"""The calls made to a server: loading, older pages, following, acting, and the screen."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from oh_tui.conversation import Conversation
from oh_tui.sources.results import Loaded, Older, joined
from oh_tui.text.problem import Problem
from oh_tui.trajectory.model.trajectory import Trajectory, build
from tests.sources.here import Here, demo_read
from tests.tui.explorer import Between, explore

COUNT = "GET /api/v1/conversation/*/events/count"
PAGE = "GET /api/v1/conversation/*/events/search"
DOWNLOAD = "GET /api/v1/app-conversations/*/download"
AGENT_COUNT = "GET /runtime/*/events/count"
AGENT_PAGE = "GET /runtime/*/events/search"
RECORD = "GET /runtime/*/api/conversations/" + "[0-9a-f]" * 32


class Plans(Here):
    async def conversation(self, slug: str) -> Conversation:
        found = await super().conversation(slug)
        self.between.asked.clear()
        return found

    async def load(self, slug: str) -> list[Loaded]:
        conversation = await self.conversation(slug)
        return [state async for state in self.source.runs.load(conversation)]

    async def older(self, conversation: Conversation, held: Trajectory) -> Older:
        """The page before the events held."""
        async with contextlib.aclosing(
            self.source.runs.older(conversation, held, "app server")
        ) as pages:
            return await anext(pages)

    def calls(self) -> dict[str, int]:
        """How often each kind of call was made."""
        kinds = (COUNT, PAGE, DOWNLOAD, AGENT_COUNT, AGENT_PAGE, RECORD)
        made = {kind: self.between.count(kind) for kind in kinds}
        assert sum(made.values()) == len(self.between.asked), self.between.asked
        return {kind: count for kind, count in made.items() if count}


@pytest.fixture
async def here() -> AsyncIterator[Plans]:
    async with demo_read() as it:
        yield Plans(it.demo, it.source, it.between)


def whole(states: list[Loaded]) -> Trajectory:
    trajectory = states[-1].trajectory
    assert trajectory is not None
    assert trajectory.complete
    return trajectory


# Loading


async def test_a_running_sandbox_is_read_from_its_agent_server_alone(here: Plans) -> None:
    states = await here.load("week-dates")
    assert here.calls() == {AGENT_COUNT: 1, AGENT_PAGE: 3, RECORD: 1}
    assert {state.via for state in states} == {"agent server"}
    assert states[0].trajectory is not None
    assert not states[0].trajectory.complete
    assert len(states[0].trajectory.events) == 100, "the newest page comes first"
    assert len(whole(states).events) == states[-1].total


async def test_a_short_run_costs_two_calls(here: Plans) -> None:
    states = await here.load("fix-add")
    assert here.calls() == {COUNT: 1, PAGE: 1}
    assert len(states) == 1
    assert len(whole(states)) > 3


async def test_a_long_run_without_a_sandbox_costs_one_page_and_one_download(here: Plans) -> None:
    states = await here.load("coverage")
    assert here.calls() == {COUNT: 1, PAGE: 1, DOWNLOAD: 1}
    assert states[0].trajectory is not None
    assert not states[0].trajectory.complete
    assert (states[0].loaded, states[0].total) == (100, 3000)
    assert len(whole(states).events) == 3000


async def test_the_page_and_the_download_give_the_same_order(here: Plans) -> None:
    states = await here.load("coverage")
    assert states[0].trajectory is not None
    newest = [event.id for event in states[0].trajectory.events]
    assert [event.id for event in whole(states).events][-100:] == newest


async def test_above_10000_events_pages_come_when_asked_for(here: Plans) -> None:
    (state,) = await here.load("fuzzing")
    assert here.calls() == {COUNT: 1, PAGE: 1}
    assert state.trajectory is not None
    assert not state.trajectory.complete
    conversation = await here.conversation("fuzzing")
    older = await here.older(conversation, state.trajectory)
    assert here.calls() == {COUNT: 1, PAGE: 1}
    assert (len(older.events), older.total, older.complete) == (80, 12000, False)
    assert older.events[-1].timestamp <= state.trajectory.events[0].timestamp


async def test_a_server_with_a_lower_limit_gives_pages_when_asked_for(here: Plans) -> None:
    here.between.answer(DOWNLOAD, 413, '{"detail": "exceeding the limit"}', "application/json")
    conversation = await here.conversation("coverage")
    states = [state async for state in here.source.runs.load(conversation)]
    assert states[-1].trajectory and not states[-1].trajectory.complete
    older = await here.older(conversation, states[-1].trajectory)
    assert (len(older.events), older.total) == (80, 3000)
    cost = await here.source.runs.cost(conversation, states[-1].trajectory)
    assert (cost.events, cost.calls) == (2900, 30)
    await here.load("coverage")
    assert here.between.count(DOWNLOAD) == 0, "it is not asked for in vain again"


async def test_only_one_run_is_downloaded_at_a_time(here: Plans) -> None:
    going_on = here.between.hold(DOWNLOAD)
    loads = [asyncio.create_task(here.load(slug)) for slug in ("coverage", "coverage")]
    for _ in range(1_000):
        await asyncio.sleep(0.005)
        if here.between.count(PAGE) == 2 and here.between.count(DOWNLOAD):
            break
    await asyncio.sleep(0.02)
    assert here.between.count(DOWNLOAD) == 1
    going_on.set()
    first, second = await asyncio.gather(*loads)
    assert len(whole(first)) == len(whole(second)) == 843


async def test_a_reading_that_is_given_up_lets_the_next_one_in(here: Plans) -> None:
    conversation = await here.conversation("coverage")
    async with contextlib.aclosing(here.source.runs.load(conversation)) as states:
        async for state in states:
            if state.trajectory is None:
                break
    assert len(whole(await here.load("coverage"))) == 843


async def test_a_refused_download_is_told_after_the_newest_page(here: Plans) -> None:
    here.between.answer(DOWNLOAD, 503, '{"detail": "busy"}', "application/json")
    conversation = await here.conversation("coverage")
    seen = 0
    with pytest.raises(Problem, match="busy"):
        async for _ in here.source.runs.load(conversation):
            seen += 1
    assert seen == 1


async def test_events_are_counted_by_the_server_that_has_them(here: Plans) -> None:
    conversation = await here.conversation("fix-add")
    total, who = await here.source.runs.count_events(conversation)
    assert (total > 0, who) == (True, "app server")
    here.between.answer(COUNT, 200, "0", "application/json")
    running = await here.conversation("week-dates")
    total, who = await here.source.runs.count_events(running)
    assert (total > 100, who) == (True, "agent server")
    assert await here.source.runs.count_events(conversation) == (0, "app server")
    here.between.answer(COUNT, 500)
    assert (await here.source.runs.count_events(running))[1] == "agent server"
    with pytest.raises(Problem):
        await here.source.runs.count_events(conversation)


# Following


async def test_following_starts_over_when_the_agent_server_does_not_know_the_last_event(
    here: Plans,
) -> None:
    last = whole(await here.load("fix-add"))
    running = await here.conversation("week-dates")
    async for news in here.source.runs.follow(running, last, "agent server"):
        assert news is None
        break


async def test_following_brings_what_is_new_and_nothing_twice(here: Plans) -> None:
    trajectory = whole(await here.load("flaky-ci"))
    conversation = await here.conversation("flaky-ci")
    before = len(trajectory.events)
    here.demo.advance(120)
    async for news in here.source.runs.follow(conversation, trajectory, "agent server"):
        assert news
        trajectory.extend(news)
        break
    assert len(trajectory.events) == before + len(news or ())
    again = whole(await here.load("flaky-ci"))
    assert [e.id for e in again.events] == [e.id for e in trajectory.events]


async def test_of_a_live_run_that_is_held_whole_only_what_is_new_is_read(here: Plans) -> None:
    states = await here.load("pydantic")
    held, via = whole(states), states[-1].via
    conversation = await here.conversation("pydantic")
    here.between.asked.clear()
    assert [state async for state in here.source.runs.load(conversation, held, via)] == []
    assert here.calls() == {AGENT_PAGE: 1}
    here.demo.advance(120)
    before, stats = len(held.events), held.stats
    async for state in here.source.runs.load(conversation, held, via):
        assert state.trajectory is None
        held.extend(state.news or ())
    assert here.calls() == {AGENT_PAGE: 2, RECORD: 1}
    assert len(held.events) > before
    assert held.stats != stats
    again = whole(await here.load("pydantic"))
    assert [e.id for e in held.events] == [e.id for e in again.events]


async def test_what_the_agent_server_does_not_know_any_more_is_read_anew(here: Plans) -> None:
    held = whole(await here.load("coverage"))
    conversation = await here.conversation("flaky-ci")
    other = whole([one async for one in here.source.runs.load(conversation, held, "agent server")])
    assert [e.id for e in other.events] == [e.id for e in whole(await here.load("flaky-ci")).events]


async def test_an_empty_run_is_followed_from_its_first_event(here: Plans) -> None:
    here.demo.advance(120)
    conversation = await here.conversation("dark-mode")
    async for news in here.source.runs.follow(conversation, build([], live=True), "agent server"):
        assert news
        break


# Acting


async def test_what_p_would_do_takes_three_calls_at_most(here: Plans) -> None:
    for slug, action, asked in (
        ("pydantic", "pause", 2),
        ("coverage", "resume", 3),
        ("crashed", "", 2),
    ):
        conversation = await here.conversation(slug)
        plan = await here.source.sandboxes.plan(conversation.sandbox_id or "")
        assert plan.action == action
        assert len(here.between.asked) == asked
        assert not any(call.startswith("POST") for call in here.between.asked)
    gone = await here.conversation("fix-add")
    plan = await here.source.sandboxes.plan(gone.sandbox_id or "")
    assert (plan.action, len(here.between.asked)) == ("", 1)
    assert "gone" in plan.reason


async def test_a_plan_names_all_it_touches(here: Plans) -> None:
    conversation = await here.conversation("pydantic")
    plan = await here.source.sandboxes.plan(conversation.sandbox_id or "")
    assert {c.title for c in plan.conversations} == {"Migrate to pydantic 2", "Pydantic notes"}
    assert [c.title for c in plan.running] == ["Migrate to pydantic 2"]
    assert plan.at_stake
    paused = await here.conversation("click")
    plan = await here.source.sandboxes.plan(paused.sandbox_id or "")
    assert len(plan.conversations) == 2, "the sub-conversation too"
    assert plan.others[0].id == (await here.conversation("ledger")).sandbox_id
    alone = await here.conversation("settings-split")
    assert not (await here.source.sandboxes.plan(alone.sandbox_id or "")).at_stake


# The screen


async def test_opening_a_run_costs_no_more_calls_than_its_loading() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        between.asked.clear()
        await it.open("Fix the add function")
        assert len(between.asked) <= 3, between.asked
        between.asked.clear()
        await it.open("Backfill invoice numbers")
        await it.open("Fix the add function")
        assert len(between.asked) <= 3, "coming back costs nothing"


@pytest.mark.slow
async def test_reading_changes_nothing_on_the_server() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        for conversation in it.screen.sidebar.conversations[:12]:
            it.screen.controllers.run.open(conversation)
            await it.settle()
            await it.press("1", "r", "3", "g", "G")
        assert len(between.asked) > 20
        assert [call for call in between.asked if not call.startswith("GET ")] == []


async def test_ten_idle_refreshes_cost_thirty_calls_at_most_and_read_no_events() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await it.open("Fix the add function")
        between.asked.clear()
        for _ in range(10):
            it.screen.controllers.conversations.schedule.ask()
            await it.settle()
        assert 0 < len(between.asked) <= 30
        assert between.count("GET /api/v1/conversation/*events*") == 0
        assert between.count("*events*") <= 1, "of one that needs somebody, in its sandbox"
        assert between.count("*download*") == 0


async def test_older_events_of_a_running_sandbox_come_from_its_agent_server(here: Plans) -> None:
    here.between.answer(COUNT, 200, "0", "application/json")
    here.between.answer(PAGE, 200, '{"items": [], "next_page_id": null}', "application/json")
    states = await here.load("week-dates")
    newest, all_of_it = states[0].trajectory, whole(states)
    assert newest is not None
    conversation = await here.conversation("week-dates")
    pages = [page async for page in here.source.runs.older(conversation, newest, states[0].via)]
    assert {page.via for page in pages} == {"agent server"}
    older = joined(newest, pages)
    assert older.complete
    assert [e.id for e in older.events] == [e.id for e in all_of_it.events]
