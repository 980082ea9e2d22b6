"""The contract: events of a run on the app server, and what the agent server holds of them."""

from __future__ import annotations

import pytest

from oh_tui.api import AgentServer, AppServer, Conversation, ServerError
from oh_tui.trajectory.model.trajectory import Trajectory

from .fixtures import UNKNOWN, ids, joined

ONLY_ON_THE_APP_SERVER = {"StreamingDeltaEvent", "ConversationStateUpdateEvent"}


async def test_events_come_in_the_order_of_their_timestamps(
    api: AppServer, run: Conversation
) -> None:
    times = [event.timestamp for event in (await api.search_events(run.id)).items]
    assert len(times) > 20
    assert times == sorted(times)
    newest = (await api.search_events(run.id, sort_order="TIMESTAMP_DESC")).items
    assert [event.timestamp for event in newest] == sorted(times, reverse=True)


async def test_pages_of_events_join_to_the_whole_run(api: AppServer, run: Conversation) -> None:
    whole = (await api.search_events(run.id)).items
    assert ids(await joined(api.events(run.id, limit=7))) == ids(whole)


async def test_the_cursor_of_events_is_an_offset(api: AppServer, run: Conversation) -> None:
    whole = (await api.search_events(run.id)).items
    page = await api.search_events(run.id, page_id="3", limit=2)
    assert ids(page.items) == ids(whole)[3:5]
    assert page.next_page_id == "5"
    beyond = await api.search_events(run.id, page_id="99999")
    assert (beyond.items, beyond.next_page_id) == ([], None)


async def test_a_cursor_of_events_that_is_no_number_fails(
    api: AppServer, run: Conversation
) -> None:
    with pytest.raises(ServerError) as caught:
        await api.search_events(run.id, page_id="zzz")
    assert caught.value.status == 500


async def test_events_are_counted_as_they_are_listed(api: AppServer, run: Conversation) -> None:
    whole = (await api.search_events(run.id)).items
    assert await api.count_events(run.id) == len(whole)


async def test_an_unknown_conversation_has_no_events(api: AppServer) -> None:
    page = await api.search_events(UNKNOWN)
    assert (page.items, page.next_page_id) == ([], None)
    assert await api.count_events(UNKNOWN) == 0


async def test_a_malformed_conversation_id_makes_the_server_fail(api: AppServer) -> None:
    with pytest.raises(ServerError) as caught:
        await api.search_events("no-such-id")
    assert caught.value.status == 500


async def test_events_have_ids_with_dashes_and_times_without_a_zone(
    api: AppServer, run: Conversation
) -> None:
    for event in (await api.search_events(run.id)).items:
        assert event.id.count("-") == 4
        assert not event.timestamp.endswith("Z")
        assert "+" not in event.timestamp
        assert event.seconds() is not None


# both servers


async def test_the_app_server_has_every_event_of_the_agent_server(
    api: AppServer, agent: AgentServer, run: Conversation
) -> None:
    app = {event.id: event for event in (await api.search_events(run.id)).items}
    there = await joined(agent.events())
    assert set(ids(there)) <= set(app)
    more = [event for event in app.values() if event.id not in set(ids(there))]
    assert {event.kind for event in more} <= ONLY_ON_THE_APP_SERVER
    assert any(event.kind == "StreamingDeltaEvent" for event in more)


async def test_the_agent_server_leaves_out_nulls_and_parents(
    api: AppServer, agent: AgentServer, run: Conversation
) -> None:
    there = next(e for e in (await agent.search_events()).items if e.kind == "ActionEvent")
    here = next(e for e in (await api.search_events(run.id)).items if e.id == there.id)
    assert None not in there.body().values()
    assert "parent_id" not in there.body()
    assert None in here.body().values()
    assert "parent_id" in here.body()


async def test_both_stores_tell_of_the_same_steps(
    api: AppServer, agent: AgentServer, run: Conversation
) -> None:
    app, there = Trajectory(), Trajectory()
    app.extend(await joined(api.events(run.id)))
    there.extend(await joined(agent.events()))
    assert len(app.steps) > 2
    assert [(step.event.id, ids(list(step.results))) for step in app.steps] == [
        (step.event.id, ids(list(step.results))) for step in there.steps
    ]
    assert [app.outcome(step) for step in app.steps] == [
        there.outcome(step) for step in there.steps
    ]
    for counts in (app.counts, there.counts):
        counts.events = counts.hidden = 0
    assert app.counts == there.counts
    assert app.status == there.status == "finished"
