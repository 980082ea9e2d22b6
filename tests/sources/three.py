"""Three embedded servers with ids of their own, for lists of several servers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from oh_tui.api import AppServer, BareAgentServer
from oh_tui.demo import Demo
from oh_tui.sources.agent_server import AgentServerSource
from oh_tui.sources.server import ServerSource
from oh_tui.sources.several import Several
from tests.tui.explorer import AT_ONCE, NOW, Between

_ID = re.compile(
    rb"\b[0-9a-f](?=[0-9a-f]{7}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\b)"
)
DIGITS = b"0123456789abcdef"


def shifted(text: bytes, by: int) -> bytes:
    """With the first digit of each id moved by so many."""
    return _ID.sub(lambda one: DIGITS[(int(one[0], 16) + by) % 16 :][:1], text)


def with_own_ids(app: ASGIApp, by: int) -> ASGIApp:
    """`app` with other ids than all other embedded servers, which have the same."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        asked = {
            **scope,
            "path": shifted(scope["path"].encode(), -by).decode(),
            "raw_path": shifted(scope.get("raw_path") or b"", -by),
            "query_string": shifted(scope["query_string"], -by),
        }
        is_read = False

        async def given() -> Message:
            nonlocal is_read
            if is_read:
                return await receive()
            is_read = True
            return {"type": "http.request", "body": shifted(body, -by), "more_body": False}

        async def sent(message: Message) -> None:
            if "body" in message:
                message = {**message, "body": shifted(message["body"], by)}
            await send(message)

        return await app(asked, given, sent)

    return serve


@dataclass
class Served:
    """One of them, which can be slow or dead."""

    name: str
    demo: Demo
    app: ASGIApp
    between: Between = field(default_factory=Between)
    delay: float = 0.0
    is_dead: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(self.delay)
        if self.is_dead:
            return await Response("down", 502)(scope, receive, send)
        return await self.between(self.app)(scope, receive, send)


def made(name: str, kind: str = "plain", by: int = 0, demo: Demo | None = None) -> Served:
    demo = demo or Demo(NOW, "everything")
    demo.rate_limited = False
    return Served(name, demo, with_own_ids(demo.app_like(kind), by))


def source(one: Served, kind: str = "plain") -> ServerSource | AgentServerSource:
    base = f"http://{one.name}.test"
    alone = BareAgentServer(base, app=one, retries=AT_ONCE)
    if kind == "agent":
        return AgentServerSource(alone, one.name, address=base)
    api = AppServer(base, app=one, retries=AT_ONCE)
    return ServerSource(api, one.name, address=base, alone=lambda: alone)


@dataclass
class Three:
    servers: dict[str, Served]
    several: Several

    def __getitem__(self, name: str) -> Served:
        return self.servers[name]

    def asked(self) -> Iterable[str]:
        return [call for one in self.servers.values() for call in one.between.asked]


@asynccontextmanager
async def three(grace: float | None = None) -> AsyncIterator[Three]:
    """`cloud`, an app server; `canvas`, an agent server that has to be found out; and `lab`."""
    servers = {
        one.name: one
        for one in (made("cloud"), made("canvas", "agent", 3), made("lab", "agent", 7))
    }
    kinds = {"cloud": "plain", "canvas": "plain", "lab": "agent"}
    opened = {name: source(one, kinds[name]) for name, one in servers.items()}
    several = Several(opened, grace)
    try:
        yield Three(servers, several)
    finally:
        await several.close()
