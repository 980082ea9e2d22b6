"""The contract: what anybody can read, without a key, of a conversation that is public.

It is that of the demo alone: the real endpoints are those of OpenHands Cloud, which no test calls.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from oh_tui.api import AppServer, Conversation, SharedServer
from oh_tui.demo import Demo
from oh_tui.demo.runs.recorder import fixed_uuid
from tests.contract.fixtures import UNKNOWN, ServerUnderTest, api, ids, wire
from tests.demo.wire import at_rest

__all__ = ["api", "wire"]

TEAM, HELPER, PRIVATE = (
    fixed_uuid("conversation", slug).hex for slug in ("team", "export-guard", "click")
)


@pytest.fixture
def demo() -> Demo:
    return at_rest()


@pytest.fixture
def server(demo: Demo) -> ServerUnderTest:
    return ServerUnderTest(demo.base_url, demo.app)


@pytest.fixture
async def shared(demo: Demo) -> AsyncIterator[SharedServer]:
    async with SharedServer("https://demo.invalid", app=demo.app) as shared:
        yield shared


async def record(shared: SharedServer, identifier: str) -> Conversation | None:
    (found,) = await shared.get_conversations([identifier])
    return found


async def test_a_shared_record_has_no_states(shared: SharedServer, api: AppServer) -> None:
    (own,) = await api.get_conversations([TEAM])
    found = await record(shared, TEAM)
    assert own and found
    assert (found.id, found.title, found.metrics) == (own.id, own.title, own.metrics)
    assert (found.updated_at, found.sub_conversation_ids) == (own.updated_at, (HELPER,))
    assert found.sandbox_status is found.execution_status is None
    assert found.conversation_url is None
    assert found.session_api_key is None


async def test_what_is_not_public_is_not_there(shared: SharedServer) -> None:
    assert await shared.get_conversations([PRIVATE, UNKNOWN]) == [None, None]
    for identifier in (PRIVATE, UNKNOWN):
        assert (await shared.search_events(identifier)).items == []
        assert await shared.count_events(identifier) == 0


async def test_shared_events_are_those_of_the_server_without_changes_of_state(
    shared: SharedServer, api: AppServer
) -> None:
    whole = [event async for event in api.events(TEAM)]
    kept = [event.id for event in whole if event.kind != "ConversationStateUpdateEvent"]
    assert 0 < len(kept) < len(whole)
    assert ids((await shared.search_events(TEAM)).items) == kept
    newest = await shared.search_events(TEAM, sort_order="TIMESTAMP_DESC", limit=3)
    assert ids(newest.items) == kept[:-4:-1]
    assert newest.next_page_id == "3"
    assert await shared.count_events(TEAM) == len(kept)


async def test_the_owner_makes_a_conversation_public_and_private(
    shared: SharedServer, wire: httpx.AsyncClient
) -> None:
    path = f"/api/v1/app-conversations/{PRIVATE}"
    assert (await wire.patch(path, json={"public": True})).json()["public"] is True
    assert await record(shared, PRIVATE)
    assert (await wire.patch(path, json={"public": False})).json()["public"] is False
    assert await record(shared, PRIVATE) is None


async def test_an_id_that_is_none_is_refused(wire: httpx.AsyncClient) -> None:
    answer = await wire.get("/api/shared-conversations", params={"ids": "nonsense"})
    assert answer.status_code == 400
