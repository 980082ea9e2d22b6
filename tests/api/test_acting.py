"""Calls that change something: the requests sent, nothing sent twice, and the errors of
failures."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request

from oh_tui.api import AppServer, Conversation, Secret, StartRequest, errors
from oh_tui.api.http.http_errors import MAYBE_DONE

from .servers import AT_ONCE, Script, closed_port, json, over, raw
from .test_agent_server import ID, agent_of

TASK = {"id": "7" * 32, "status": "WORKING"}
SENT = {"success": True, "sandbox_status": "RUNNING", "message": None}


async def test_a_start_sends_what_was_given_and_nothing_else() -> None:
    app = Bodies(json(TASK))
    async with over(app) as server:
        await server.start_tasks.begin(StartRequest())
        task = await server.start_tasks.begin(
            StartRequest(
                message="Fix it\n  and test it",
                selected_repository="acme/dates",
                selected_branch="main",
                llm_model="openai/gpt-4o",
                title="",
                parent_conversation_id=ID,
            )
        )
    assert task.status == "WORKING"
    text = {"type": "text", "text": "Fix it\n  and test it"}
    assert app.bodies == [
        {},
        {
            "initial_message": {"role": "user", "content": [text], "run": True},
            "selected_repository": "acme/dates",
            "selected_branch": "main",
            "llm_model": "openai/gpt-4o",
            "parent_conversation_id": ID,
        },
    ]


async def test_each_call_asks_its_endpoint() -> None:
    app = Bodies(json(TASK), json(SENT), json({"id": ID, "title": "New"}))
    async with over(app) as server:
        await server.start_tasks.begin(StartRequest())
        sent = await server.send_message(ID, "Go on", run=False)
        renamed = await server.rename_conversation(ID, "New")
    assert sent.sandbox_status == "RUNNING"
    assert renamed.title == "New"
    talks = "/api/v1/app-conversations"
    assert [(r.method, r.url.path) for r in app.asked] == [
        ("POST", talks),
        ("POST", f"{talks}/{ID}/send-message"),
        ("PATCH", f"{talks}/{ID}"),
    ]
    assert app.bodies[1:] == [
        {"role": "user", "content": [{"type": "text", "text": "Go on"}], "run": False},
        {"title": "New"},
    ]
    assert {r.headers["content-type"] for r in app.asked if r.method != "GET"} == {
        "application/json"
    }


async def test_the_agent_is_answered_run_stopped_and_told() -> None:
    app = Bodies(json({"success": True}))
    async with over(app) as server:
        agent = agent_of(server)
        await agent.respond_to_confirmation(True, "not sent with a yes")
        await agent.respond_to_confirmation(False, "not that file")
        await agent.respond_to_confirmation(False)
        await agent.run()
        await agent.interrupt()
        await agent.pause()
        await agent.send_message("Hello")
        await agent.set_tags({"bug": "", "kind": "flaky"})
    path = f"/api/conversations/{ID}"
    assert app.paths == [
        *[f"{path}/events/respond_to_confirmation"] * 3,
        f"{path}/run",
        f"{path}/interrupt",
        f"{path}/pause",
        f"{path}/events",
        path,
    ]
    assert app.asked[-1].method == "PATCH"
    hello = {"role": "user", "content": [{"type": "text", "text": "Hello"}], "run": True}
    assert app.bodies == [
        {"accept": True},
        {"accept": False, "reason": "not that file"},
        {"accept": False},
        None,
        None,
        None,
        hello,
        {"tags": {"bug": "", "kind": "flaky"}},
    ]


@pytest.mark.parametrize("text", ["", " \n\t"])
async def test_nothing_is_sent_without_words(text: str) -> None:
    app = Script(json({}))
    async with over(app) as server:
        for call in (
            server.send_message(ID, text),
            server.rename_conversation(ID, text),
            agent_of(server).send_message(text),
            agent_of(server).sandbox.start_bash_command(text),
        ):
            with pytest.raises(errors.InvalidRequest):
                await call
    assert app.asked == []


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_what_may_have_acted_is_not_sent_twice(status: int) -> None:
    app = Script(json({"detail": "no"}, status))
    async with over(app) as server:
        for call in (
            server.start_tasks.begin(StartRequest(message="x")),
            server.send_message(ID, "x"),
            server.rename_conversation(ID, "x"),
            agent_of(server).set_tags({"bug": ""}),
            agent_of(server).respond_to_confirmation(True),
            agent_of(server).run(),
            agent_of(server).interrupt(),
            agent_of(server).send_message("x"),
            agent_of(server).sandbox.start_bash_command("x"),
        ):
            app.asked.clear()
            with pytest.raises(errors.ApiError) as caught:
                await call
            assert len(app.asked) == 1
            assert (caught.value.hint == MAYBE_DONE) == (status in (502, 504))


async def test_a_call_whose_answer_broke_off_is_not_sent_twice_and_says_so() -> None:
    seen = []

    async def hang_up(_reader: Any, writer: Any) -> None:
        seen.append(writer)

    async with raw(hang_up) as base, AppServer(base) as server:
        with pytest.raises(errors.Unreachable) as caught:
            await server.send_message(ID, "x")
    assert len(seen) == 1
    assert caught.value.hint == MAYBE_DONE


async def test_where_nothing_listens_nothing_was_done() -> None:
    async with AppServer(f"http://127.0.0.1:{closed_port()}") as server:
        with pytest.raises(errors.Unreachable, match="nothing listens") as caught:
            await server.send_message(ID, "x")
    assert "done" not in caught.value.hint


@pytest.mark.parametrize(
    ("status", "kind", "hint"),
    [
        (404, errors.NotFound, "history"),
        (409, errors.Conflict, "Resume"),
        (410, errors.NotFound, "history"),
        (503, errors.ServerError, "sandbox"),
    ],
)
async def test_a_message_that_cannot_arrive_says_what_to_do(
    status: int, kind: type[errors.ApiError], hint: str
) -> None:
    app = Script(json({"detail": "Sandbox is in no state for it"}, status))
    async with over(app) as server:
        with pytest.raises(kind, match="in no state for it") as caught:
            await server.send_message(ID, "x")
    assert hint in caught.value.hint
    assert caught.value.status == status


async def test_a_200_that_says_no_is_an_error() -> None:
    app = Script(json({"success": False}))
    async with over(app) as server:
        for call in (
            server.send_message(ID, "x"),
            agent_of(server).respond_to_confirmation(True),
            agent_of(server).interrupt(),
        ):
            with pytest.raises(errors.Conflict):
                await call


async def test_the_agent_server_tells_why_it_failed_in_another_field() -> None:
    why = {"detail": "Internal Server Error", "exception": "500: Failed: no space left"}
    async with over(Script(json(why, 500))) as server:
        with pytest.raises(errors.ServerError, match="no space left"):
            await agent_of(server).run()


async def test_a_body_survives_the_search_for_the_header_of_the_key() -> None:
    app = Bodies(json({"detail": "Unauthorized"}, 401), json(SENT))
    async with over(app, key="k") as server:
        await server.send_message(ID, "x")
    assert len(app.bodies) == 2
    assert app.bodies[0] == app.bodies[1] is not None


class Bodies(Script):
    """A script that keeps the JSON of each call; None for a call without a body."""

    def __init__(self, *answers: Any) -> None:
        super().__init__(*answers)
        self.bodies: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        body = await request.body()
        self.bodies.append(await request.json() if body else None)
        await super().__call__(scope, receive, send)


RUNNING = json({"detail": "Conversation already running."}, 409)


async def test_an_approval_is_sent_once_whatever_comes() -> None:
    """A retry would need another look at the pending calls first."""
    app = Script(RUNNING)
    async with over(app) as server:
        with pytest.raises(errors.Conflict):
            await agent_of(server).approve()
    assert app.paths == [f"/api/conversations/{ID}/run"]


async def test_what_lets_calls_run_is_not_sent_later_when_no_connection_came_about() -> None:
    tries: list[str] = []

    def watch(method: str, url: str, status: int | None, took: float) -> None:
        tries.append(url.rpartition("/")[2])

    base = f"http://127.0.0.1:{closed_port()}"
    async with AppServer(base, watch=watch, retries=AT_ONCE) as server:
        url = f"{base}/api/conversations/{ID}"
        agent = server.agent_server(
            Conversation(ID, conversation_url=url, session_api_key=Secret("agent-key"))
        )
        assert agent is not None
        for call in (agent.approve(), agent.run(), agent.respond_to_confirmation(True)):
            with pytest.raises(errors.Unreachable):
                await call
        assert tries == ["run", "run", "respond_to_confirmation"]
        with pytest.raises(errors.Unreachable):
            await agent.pause()  # harmless: it is tried again
    assert tries[3:] == ["pause"] * 3
