"""Servers for the tests of the service layer: scripted apps, and sockets on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Literal

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from oh_tui.api import AppServer, Secret
from oh_tui.api.http.connections import Connections
from oh_tui.api.http.transport import HttpClient, RetryPolicy
from tests.listener import Listener, at_once

KEY = "sk-oh-7Qz1vX9mKp4RtL2w"
"""A made-up key that no other text of the tests holds."""

AT_ONCE = RetryPolicy(first=0, longest=0, jitter=0)

Answer = Response | Callable[[Request], Response]


class Script:
    """An app that gives `answers` in turn, the last one for ever, and keeps what was asked."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.asked: list[Request] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.asked.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        response = answer if isinstance(answer, Response) else answer(request)
        await response(scope, receive, send)

    @property
    def paths(self) -> list[str]:
        return [request.url.path for request in self.asked]

    def keys(self) -> list[tuple[str | None, str | None]]:
        """The two headers a key may come in, call by call."""
        return [
            (request.headers.get("authorization"), request.headers.get("x-session-api-key"))
            for request in self.asked
        ]


def json(value: Any, status: int = 200, **headers: str) -> Response:
    return JSONResponse(
        value, status, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )


def page(*items: Any, next_page_id: str | None = None) -> Response:
    return json({"items": list(items), "next_page_id": next_page_id})


def over(
    app: ASGIApp,
    *,
    key: str | None = None,
    auth: Literal["bearer", "session"] | None = None,
    retries: RetryPolicy = AT_ONCE,
    base: str = "http://app.test",
) -> AppServer:
    return AppServer(base, key=Secret(key) if key else None, auth=auth, app=app, retries=retries)


@contextlib.asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[str]:
    """`app` on a loopback port; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        at_once(listener)
        config = uvicorn.Config(app, lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve([listener]))
        while not server.started:  # noqa: ASYNC110, uvicorn has no event for it
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


@contextlib.asynccontextmanager
async def raw(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """A port where each connection is given to `talk` after its request was read."""

    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.current_task())  # type: ignore[arg-type]
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            await talk(reader, writer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    listener = Listener()
    async with await asyncio.start_server(serve, sock=listener):
        yield f"http://{listener.address}"
        await listener.end()
        await asyncio.gather(*talks)


@contextlib.asynccontextmanager
async def over_network(base: str) -> AsyncIterator[HttpClient]:
    """The transport alone, over real sockets."""
    connections = Connections()
    try:
        yield HttpClient(base, connections, key=None, auth=None, limiter=None, retries=AT_ONCE)
    finally:
        await connections.aclose()


def closed_port() -> int:
    """A port where nothing listens, and where no other test can: it is taken for good."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    port = int(taken.getsockname()[1])
    taken.detach()
    return port
