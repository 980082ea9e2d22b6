"""An agent server as the server: finding out that it is one, and what is not an agent server."""

from __future__ import annotations

import asyncio

import pytest
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from oh_tui.api import BareAgentServer, NotFound, NotTheApi, OtherKind, Secret, TimedOut
from oh_tui.text.problem import Remedy
from tests.api.servers import AT_ONCE, KEY, Answer, Script, json, over, page

INFO = {"title": "OpenHands Agent Server", "version": "1.34.0"}


def missing() -> Response:
    return json({"detail": "Not Found"}, 404)


def alone(app: Script, key: str | None = None) -> BareAgentServer:
    return BareAgentServer(
        "http://app.test", key=Secret(key) if key else None, app=app, retries=AT_ONCE
    )


async def test_an_app_server_that_answers_is_not_asked_what_it_is() -> None:
    app = Script(page())
    async with over(app) as server:
        await server.search_conversations()
    assert app.paths == ["/api/v1/app-conversations/search"]


async def test_an_agent_server_asked_as_an_app_server_is_told_by_its_title() -> None:
    app = Script(missing(), json(INFO), missing())
    async with over(app) as server:
        for _ in range(2):
            with pytest.raises(OtherKind) as caught:
                await server.search_conversations()
    assert caught.value.sentence == "app.test is an agent server, not an app server"
    assert caught.value.status == 404
    assert app.paths[1] == "/server_info" and app.paths.count("/server_info") == 1


@pytest.mark.parametrize(
    "info", [missing(), HTMLResponse("<html>"), json({"title": "Another"}), json([])]
)
async def test_another_server_without_the_address_is_asked_once(info: Response) -> None:
    app = Script(missing(), info, missing())
    async with over(app) as server:
        for _ in range(2):
            with pytest.raises(NotFound) as caught:
                await server.search_conversations()
    assert not isinstance(caught.value, OtherKind)
    assert app.paths.count("/server_info") == 1


async def test_a_missing_thing_asks_nothing() -> None:
    app = Script(json({"detail": "Conversation not found: 5f3a"}, 404))
    async with over(app) as server:
        with pytest.raises(NotFound):
            await server.count_events("5f3a")
    assert len(app.asked) == 1


async def test_its_key_goes_into_the_header_that_agent_servers_take() -> None:
    app = Script(page())
    async with alone(app, KEY) as server:
        await server.search_conversations()
    assert app.keys() == [(None, KEY)]


async def test_a_proxy_before_it_may_want_the_other_header() -> None:
    app = Script(json({"detail": "Unauthorized"}, 401), page())
    async with alone(app, KEY) as server:
        await server.search_conversations()
        await server.search_conversations()
    assert app.keys() == [(None, KEY), (f"Bearer {KEY}", None), (f"Bearer {KEY}", None)]


async def test_the_list_is_asked_by_last_change() -> None:
    app = Script(page())
    async with alone(app) as server:
        await server.search_conversations(limit=20)
    assert dict(app.asked[0].query_params) == {"sort_order": "UPDATED_AT_DESC", "limit": "20"}


@pytest.mark.parametrize("answer", [missing(), HTMLResponse("<html>")])
async def test_what_is_no_agent_server_is_said_so(answer: Answer) -> None:
    app = Script(answer)
    async with alone(app) as server:
        with pytest.raises(NotFound) as caught:
            await server.search_conversations()
    assert caught.value.sentence == "app.test is not an agent server"
    assert 'kind = "agent"' in caught.value.hint


async def test_an_agent_server_with_a_page_before_its_list_keeps_that_error() -> None:
    app = Script(HTMLResponse("<html>"), json(INFO))
    async with alone(app) as server:
        with pytest.raises(NotTheApi):
            await server.search_conversations()


async def test_cost_and_tokens_are_those_of_all_uses() -> None:
    uses = {
        "default": {
            "accumulated_cost": 0.5,
            "accumulated_token_usage": {"prompt_tokens": 100, "completion_tokens": 5},
        },
        "condenser": {
            "accumulated_cost": 0.25,
            "accumulated_token_usage": {"prompt_tokens": 20, "completion_tokens": 1},
        },
    }
    dashed = "5f3a0000-0000-4000-8000-000000000000"
    row = {"id": dashed, "metrics": None, "stats": {"usage_to_metrics": uses}}
    app = Script(page(row, {"id": "b" * 32, "stats": None, "agent": {"llm": None}}))
    async with alone(app) as server:
        first, second = (await server.search_conversations()).items
    assert (first.cost, first.tokens) == (0.75, 126)
    assert first.id == dashed.replace("-", "")
    assert first.conversation_url == f"http://app.test/api/conversations/{first.id}"
    assert (second.cost, second.tokens, second.llm_model) == (None, 0, None)


async def test_one_that_tells_no_events_may_be_in_the_middle_of_a_step() -> None:
    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    async with BareAgentServer("http://app.test", app=silent, patience=0.01) as server:
        for call in (server.count_events("5f3a"), server.search_events("5f3a")):
            with pytest.raises(TimedOut) as caught:
                await call
            assert caught.value.hint == Remedy.STEP_OVER


async def test_a_list_names_what_a_fork_was_made_of() -> None:
    origin = "5f3a91c0-0000-4000-8000-000000000001"
    fork = {"id": "f" * 32, "forked_from_conversation_id": origin, "forked_from_event_id": "e"}
    async with alone(Script(json({"items": [fork, {"id": "0" * 32}]}))) as server:
        first, second = (await server.search_conversations()).items
    assert (first.origin, first.forked_from_event_id) == (origin.replace("-", ""), "e")
    assert second.origin == ""
