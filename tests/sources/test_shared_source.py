"""What others share as a source: read whole by pages, growing, and never more than is bounded."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from oh_tui.api import SharedServer
from oh_tui.api.errors import NotFound, ServerError, TooLarge
from oh_tui.catalog import silence
from oh_tui.catalog.links import SharedLink
from oh_tui.conversation import Conversation
from oh_tui.demo import Demo
from oh_tui.sources import shared_source
from oh_tui.sources.results import Loaded
from oh_tui.sources.shared_source import NOTE, SharedSource
from oh_tui.text.problem import Refused
from oh_tui.trajectory.model.trajectory import Trajectory
from tests.commands.conftest import IDS
from tests.demo.wire import at_rest
from tests.tui.explorer import AT_ONCE, Between

HOST = "https://app.all-hands.dev"


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> Demo:
    made = at_rest()
    monkeypatch.setattr(silence, "clock", made.world.clock.now)
    return made


@pytest.fixture
def between() -> Between:
    return Between()


def opened(demo: Demo, between: Between, *slugs: str) -> SharedSource:
    api = SharedServer(HOST, app=between(demo.app), retries=AT_ONCE)
    return SharedSource(api, [SharedLink(HOST, IDS[slug]) for slug in slugs])


@pytest.fixture
async def source(demo: Demo, between: Between) -> AsyncIterator[SharedSource]:
    source = opened(demo, between, "week-dates")
    yield source
    await source.close()


def share(demo: Demo, slug: str) -> None:
    demo.world.conversations[IDS[slug]].is_public = True


async def row(source: SharedSource) -> Conversation:
    (found,) = (await source.newest()).items
    return found


async def load(source: SharedSource, held: Trajectory | None = None) -> list[Loaded]:
    return [one async for one in source.runs.load(await row(source), held, "app server")]


async def test_the_rest_of_a_run_that_no_zip_can_hold_costs_no_more_than_its_events(
    demo: Demo, source: SharedSource, between: Between
) -> None:
    share(demo, "week-dates")
    first, *_ = await load(source)
    assert first.trajectory is not None
    between.answer("GET /api/shared-events/count", 200, "90000", "application/json")
    cost = await source.runs.cost(await row(source), first.trajectory)
    assert (cost.events, cost.seconds) == (90000 - len(first.trajectory.events), 0)


async def test_a_long_run_comes_by_pages_and_shows_its_end_first(
    demo: Demo, source: SharedSource, between: Between
) -> None:
    share(demo, "week-dates")
    states = await load(source)
    newest, *_, last = states
    assert newest.trajectory and not newest.trajectory.complete and newest.more
    assert len(newest.trajectory.events) == 100
    assert last.trajectory and last.trajectory.complete and last.note == NOTE
    assert last.trajectory.events[-100:] == newest.trajectory.events
    own = demo.world.app_events(demo.world.conversations[IDS["week-dates"]])
    shared = [event.id for event in own if event.kind != "ConversationStateUpdateEvent"]
    assert [event.id for event in last.trajectory.events] == shared
    assert between.count("GET /api/shared-events/search") == -(-len(shared) // 100)
    assert all("/api/shared-" in call for call in between.asked)
    assert last.trajectory.stats  # those of the record


async def test_a_run_that_is_not_shared_is_not_there(source: SharedSource) -> None:
    with pytest.raises(NotFound) as caught:
        await source.newest()
    assert "not shared any more" in caught.value.hint


async def test_of_several_links_those_that_lead_nowhere_are_told(
    demo: Demo, between: Between
) -> None:
    source = opened(demo, between, "team", "click")
    assert [one.id for one in (await source.newest()).items] == [IDS["team"]]
    assert len(source.problems) == 1 and IDS["click"] in source.problems[0]
    await source.close()


async def test_a_run_that_goes_on_grows(demo: Demo, between: Between) -> None:
    source = opened(demo, between, "pydantic")
    (*_, first) = await load(source)
    assert first.trajectory and first.trajectory.live and source.changes
    assert await load(source, first.trajectory) == []
    before = len(first.trajectory.events)
    demo.advance(240)
    (grown,) = await load(source, first.trajectory)
    assert grown.trajectory and len(grown.trajectory.events) > before
    assert grown.trajectory.events[:before] == first.trajectory.events
    demo.advance(100_000)
    await row(source)
    assert not source.changes
    await source.close()


async def test_a_page_that_fails_ends_the_reading_with_what_came(
    demo: Demo, source: SharedSource, between: Between
) -> None:
    share(demo, "week-dates")
    between.after(
        "GET /api/shared-events/search",
        lambda: between.answer("GET /api/shared-events/search", 500),
    )
    loading = source.runs.load(await row(source))
    assert (await anext(loading)).trajectory
    with pytest.raises(ServerError):
        await anext(loading)


async def test_a_run_without_an_end_is_not_read_without_end(
    demo: Demo, source: SharedSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    share(demo, "week-dates")
    monkeypatch.setattr(shared_source, "MAX_ROWS", 150)
    with pytest.raises(TooLarge):
        await load(source)


async def test_what_stays_in_the_sandbox_is_said(demo: Demo, source: SharedSource) -> None:
    share(demo, "week-dates")
    shown = await row(source)
    with pytest.raises(Refused, match="not shared"):
        await source.remote.sub_agents(shown)
    with pytest.raises(Refused, match="zip"):
        source.api.download(shown.id)
    assert source.agents is source.sandboxes is source.workspaces is source.records is None
    assert source.web == f"{HOST}/shared/conversations"
