"""The contract: events of a run on the agent server of its sandbox, and its record of the run."""

from __future__ import annotations

import io
import re
import zipfile

import httpx
import pytest
from msgspec.structs import replace

from oh_tui.api import AgentServer, AppServer, AuthError, Conversation, NotFound, Secret, same_id
from oh_tui.demo.world import AgentVersion
from oh_tui.trajectory.formats.zip.archive import open_archive
from oh_tui.trajectory.model.branches import LOOSE

from .fixtures import UNKNOWN, every_version, ids, joined

pytestmark = [every_version]


async def test_an_agent_server_has_a_version(agent: AgentServer) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", await agent.version())


async def test_an_agent_servers_zip_holds_the_events(agent: AgentServer) -> None:
    async with agent.download() as pieces:
        data = io.BytesIO(b"".join([piece async for piece in pieces]))
    assert zipfile.ZipFile(data).testzip() is None
    with open_archive(data) as archive:
        events = [archive.event(n) for n in range(len(archive))]
    there = (await agent.search_events()).items
    assert {event.id for event in there} <= {event.id for event in events}


async def test_the_agent_servers_cursor_is_the_next_event(
    agent: AgentServer, run: Conversation
) -> None:
    whole = ids(await joined(agent.events()))
    page = await agent.search_events(limit=3)
    assert ids(page.items) == whole[:3]
    assert page.next_page_id == whole[3]
    page = await agent.search_events(page_id=whole[3], limit=2)
    assert ids(page.items) == whole[3:5]
    assert ids(await joined(agent.events(limit=4))) == whole


async def test_events_name_their_parents_since_the_version_that_sends_them(
    agent: AgentServer, version: str
) -> None:
    events = (await agent.search_events()).items
    assert any(event.parent_id for event in events) is (version == AgentVersion.NEW)
    if version == AgentVersion.NEW:
        last = [e for e in await joined(agent.events()) if e.kind not in LOOSE][-1]
        assert (await agent.conversation()).leaf_event_id == last.id


async def test_an_agent_servers_unknown_cursor_is_page_one(agent: AgentServer) -> None:
    first = await agent.search_events(limit=2)
    assert ids((await agent.search_events(page_id=UNKNOWN, limit=2)).items) == ids(first.items)


async def test_the_last_page_of_the_agent_server_has_no_cursor(agent: AgentServer) -> None:
    whole = ids(await joined(agent.events()))
    page = await agent.search_events(page_id=whole[-1])
    assert (ids(page.items), page.next_page_id) == (whole[-1:], None)


async def test_the_agent_server_lists_backwards_too(agent: AgentServer) -> None:
    whole = ids(await joined(agent.events()))
    backwards = await joined(agent.events(sort_order="TIMESTAMP_DESC", limit=7))
    assert ids(backwards) == whole[::-1]


async def test_the_agent_server_counts_what_it_lists(agent: AgentServer) -> None:
    assert await agent.count_events() == len(await joined(agent.events()))


async def test_the_agent_servers_record_has_status_and_stats(
    agent: AgentServer, run: Conversation
) -> None:
    record = await agent.conversation()
    assert same_id(record.id, run.id)
    assert record.id.count("-") == 4
    assert record.execution_status == "finished"
    assert record.stats is not None
    usage = record.stats["usage_to_metrics"]["agent"]
    assert usage["accumulated_token_usage"]["prompt_tokens"] > 0
    assert len(usage["response_latencies"]) == len(usage["token_usages"]) > 0


async def test_a_wrong_sandbox_key_is_refused(api: AppServer, run: Conversation) -> None:
    agent = api.agent_server(replace(run, session_api_key=Secret("wrong")))
    assert agent is not None
    with pytest.raises(AuthError):
        await agent.count_events()


async def test_a_conversation_unknown_to_the_agent_server_is_not_found(
    api: AppServer, run: Conversation
) -> None:
    base, _, _ = (run.conversation_url or "").rpartition("/")
    agent = api.agent_server(replace(run, id=UNKNOWN, conversation_url=f"{base}/{UNKNOWN}"))
    assert agent is not None
    with pytest.raises(NotFound):
        await agent.search_events()


async def test_a_conversation_whose_sandbox_sleeps_has_no_agent_server(
    api: AppServer, run: Conversation
) -> None:
    assert api.agent_server(replace(run, conversation_url=None, session_api_key=None)) is None


async def test_the_agent_server_wants_its_own_key(
    wire: httpx.AsyncClient, run: Conversation
) -> None:
    assert run.conversation_url and run.session_api_key
    url = f"{run.conversation_url}/events/count"
    key = run.session_api_key.reveal()
    for headers, status in (
        ({}, 401),
        ({"X-Session-API-Key": "wrong"}, 401),
        ({"Authorization": f"Bearer {key}"}, 401),
        ({"X-Session-API-Key": key}, 200),
    ):
        answer = await wire.get(url, headers=headers)
        assert answer.status_code == status, headers
    wrong = await wire.get(
        f"{run.conversation_url}/events/search",
        params={"limit": "0"},
        headers={"X-Session-API-Key": key},
    )
    assert wrong.status_code == 422
