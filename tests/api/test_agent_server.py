"""The agent server's calls."""

from __future__ import annotations

import pytest
from starlette.responses import Response

from oh_tui.api import AgentServer, AppServer, Conversation, Secret, errors

from .servers import Script, json, over, page

ID = "01234567-89ab-cdef-0123-456789abcdef"


def agent_of(server: AppServer) -> AgentServer:
    agent = server.agent_server(
        Conversation(
            ID,
            conversation_url=f"http://sandbox.test:8002/api/conversations/{ID}",
            session_api_key=Secret("agent-key"),
        )
    )
    assert agent is not None
    return agent


async def test_each_call_asks_its_endpoint_with_the_sandbox_key() -> None:
    app = Script(page(), json(0), json({"id": ID}), json({"success": True}))
    async with over(app) as server:
        agent = agent_of(server)
        await agent.search_events()
        await agent.count_events()
        await agent.conversation()
        await agent.pause()
    asked = [(request.method, request.url.path) for request in app.asked]
    path = f"/api/conversations/{ID}"
    assert asked == [
        ("GET", f"{path}/events/search"),
        ("GET", f"{path}/events/count"),
        ("GET", path),
        ("POST", f"{path}/pause"),
    ]
    assert app.keys() == [(None, "agent-key")] * 4
    assert {request.headers["host"] for request in app.asked} == {"sandbox.test:8002"}


async def test_a_page_is_asked_for_by_order_cursor_and_size() -> None:
    app = Script(page())
    async with over(app) as server:
        await agent_of(server).search_events(
            sort_order="TIMESTAMP_DESC",
            page_id="e1",
            limit=5,
        )
    assert dict(app.asked[0].query_params) == {
        "sort_order": "TIMESTAMP_DESC",
        "page_id": "e1",
        "limit": "5",
    }


async def test_the_pages_of_events_follow_the_cursor() -> None:
    app = Script(page({"id": "e2"}, {"id": "e3"}, next_page_id="e4"), page({"id": "e4"}))
    async with over(app) as server:
        found = [
            [event.id for event in page.items] async for page in agent_of(server).events().pages()
        ]
    assert found == [["e2", "e3"], ["e4"]]
    assert [request.query_params.get("page_id") for request in app.asked] == [None, "e4"]


async def test_the_agents_own_record_has_status_and_stats() -> None:
    record = {"id": ID, "execution_status": "paused", "stats": {"usage_to_metrics": {}}}
    async with over(Script(json(record))) as server:
        conversation = await agent_of(server).conversation()
    assert conversation.execution_status == "paused"
    assert conversation.stats == {"usage_to_metrics": {}}


async def test_a_lone_surrogate_in_the_stats_is_no_price() -> None:
    uses = r'{"usage_to_metrics": {"agent": {"accumulated_cost": "\ud800"}}}'
    record = Response(f'{{"id": "{ID}", "stats": {uses}}}', media_type="application/json")
    async with over(Script(record)) as server:
        assert (await agent_of(server).conversation()).cost is None


async def test_a_401_says_that_the_key_may_have_changed() -> None:
    app = Script(json({"detail": "Unauthorized"}, 401))
    async with over(app) as server:
        with pytest.raises(errors.AuthError) as caught:
            await agent_of(server).count_events()
    assert "new key" in caught.value.hint
    assert len(app.asked) == 1


async def test_a_sleeping_runtime_says_what_to_do() -> None:
    async with over(Script(json({}, 503))) as server:
        with pytest.raises(errors.ServerError) as caught:
            await agent_of(server).count_events()
    assert "resume" in caught.value.hint


async def test_an_unknown_conversation_is_not_found_in_the_servers_words() -> None:
    detail = f"Conversation not found: {ID}"
    async with over(Script(json({"detail": detail}, 404))) as server:
        with pytest.raises(errors.NotFound, match="Conversation not found"):
            await agent_of(server).conversation()


async def test_a_server_without_tags_is_not_said_to_lack_the_conversation() -> None:
    """As agent server 1.8.2 answers, which changes titles alone."""
    detail = [{"loc": ["body", "title"], "msg": "Field required"}]
    async with over(Script(json({"detail": detail}, 422))) as server:
        with pytest.raises(errors.InvalidRequest) as caught:
            await agent_of(server).set_tags({"bug": ""})
    assert "take no tags" in caught.value.hint
