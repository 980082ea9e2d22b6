"""The transport into an app of this process: it streams, times out and leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from oh_tui.api.http.asgi import AppTransport

from .servers import Script

START = {"type": "http.response.start", "status": 200, "headers": []}


def client(app: object, read: float = 5) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=AppTransport(app),  # type: ignore[arg-type]
        base_url="http://app.test",
        timeout=httpx.Timeout(read),
    )


@pytest.fixture(autouse=True)
async def _no_task_is_left_behind() -> AsyncIterator[None]:
    yield
    assert not [task for task in asyncio.all_tasks() if "_Exchange" in repr(task.get_coro())]


async def test_the_first_piece_arrives_before_the_body_ends() -> None:
    go_on = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"first"
        await go_on.wait()
        yield b"second"

    app = Script(StreamingResponse(body()))
    async with client(app) as http, http.stream("GET", "/x") as response:
        assert response.status_code == 200
        pieces = response.aiter_raw()
        assert await anext(pieces) == b"first"
        go_on.set()
        assert [piece async for piece in pieces] == [b"second"]


async def test_the_app_sees_method_path_query_headers_and_body() -> None:
    seen: dict[str, object] = {}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.update(scope, body=await receive())
        await PlainTextResponse("ok")(scope, receive, send)

    async with client(app) as http:
        answer = await http.post("/a%2Fb?x=1&x=2", content=b"data", headers={"X-One": "1"})
    assert answer.text == "ok"
    assert (seen["method"], seen["path"], seen["raw_path"]) == ("POST", "/a/b", b"/a%2Fb")
    assert seen["query_string"] == b"x=1&x=2"
    assert (b"x-one", b"1") in seen["headers"]  # type: ignore[operator]
    assert seen["body"] == {"type": "http.request", "body": b"data", "more_body": False}


async def test_a_silent_app_runs_into_the_read_timeout() -> None:
    stopped = asyncio.Event()

    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async with client(silent, read=0.05) as http:
        with pytest.raises(httpx.ReadTimeout):
            await http.get("/x")
    assert stopped.is_set()


async def test_a_body_that_falls_silent_runs_into_the_read_timeout() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"first"
        await asyncio.Event().wait()

    async with client(Script(StreamingResponse(body())), read=0.05) as http:
        with pytest.raises(httpx.ReadTimeout):
            await http.get("/x")


async def test_a_slow_body_is_no_timeout_as_long_as_it_moves() -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(6):
            await asyncio.sleep(0.5)
            yield b"x"

    async with client(Script(StreamingResponse(body())), read=2.5) as http:
        assert (await http.get("/x")).content == b"xxxxxx"


@pytest.mark.parametrize("started", [False, True])
async def test_cancelling_the_caller_cancels_the_app(started: bool) -> None:
    running, stopped = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if started:
                await send(START)
                await send({"type": "http.response.body", "body": b"x", "more_body": True})
            running.set()
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async with client(app) as http:
        call = asyncio.create_task(http.get("/x"))
        await running.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert stopped.is_set()


async def test_an_app_that_listens_hears_of_the_disconnect() -> None:
    heard = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(START)
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        heard.append(await receive())
        with pytest.raises(OSError, match="gone"):
            await send({"type": "http.response.body", "body": b"y", "more_body": True})
        heard.append({"type": "end"})

    async with client(app) as http, http.stream("GET", "/x"):
        pass
    assert heard == [{"type": "http.disconnect"}, {"type": "end"}]


async def test_an_app_cannot_run_ahead_of_its_reader() -> None:
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b"x"

    app = Script(StreamingResponse(body()))
    async with client(app) as http, http.stream("GET", "/x") as response:
        await anext(response.aiter_raw())
        await asyncio.sleep(0.01)
        assert sent <= 4


@pytest.mark.parametrize("started", [False, True])
async def test_an_app_that_fails_is_a_broken_answer(started: bool) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if started:
            await send(START)
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
        raise ValueError("a bug in the app")

    async with client(app) as http:
        with pytest.raises(httpx.RemoteProtocolError) as caught:
            await http.get("/x")
    assert isinstance(caught.value.__cause__, ValueError)


async def test_an_app_that_ends_early_is_a_broken_answer() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)

    async with client(app) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get("/x")


async def test_work_after_a_whole_answer_is_not_cut_off_at_once() -> None:
    done = []

    async def later() -> None:
        await asyncio.sleep(0.01)
        done.append(True)

    async with client(Script(PlainTextResponse("ok", background=BackgroundTask(later)))) as http:
        assert (await http.get("/x")).text == "ok"
    assert done == [True]
