"""What lies between a client and the embedded servers: a slow, unreliable network, and the app
server's rate limit."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from oh_tui.demo.servers.http import answer, detail

_LISTS = re.compile(r"/api/v1/(?:app-conversations|sandboxes)/search")


@dataclass(frozen=True)
class Network:
    """The properties of a network; `over` puts it before an app. `waits` are the least and the most
    seconds of a call, `fails` the share of calls that fail, `rows` the most rows of a page of
    conversations or sandboxes. A call fails before the server hears of it, in the middle of its
    answer, or when the answer is lost."""

    waits: tuple[float, float] = (0.2, 1.5)
    fails: float = 0.03
    rows: int | None = 10

    def over(self, app: ASGIApp, seed: int | None = None) -> ASGIApp:
        """The app behind this network; what happens to the n-th call depends on `seed` alone."""
        chance = random.Random(seed)

        async def behind(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            took = chance.uniform(*self.waits)
            there = took * chance.random()
            fails = chance.random() < self.fails
            how = chance.choice(("refused", "asleep", "cut", "lost"))
            await asyncio.sleep(there)
            if not fails:
                await app(self._paged(scope), receive, _late(send, took - there))
            elif how == "refused":
                await detail(500, "Internal Server Error")(scope, receive, send)
            elif how == "asleep":
                await detail(503, "Service Unavailable")(scope, receive, send)
            else:
                await app(self._paged(scope), receive, _broken(send, keeps_head=how == "cut"))

        return behind

    def _paged(self, scope: Scope) -> Scope:
        if self.rows is None or not _LISTS.fullmatch(scope["path"]):
            return scope
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        limits = [value for name, value in query if name == "limit"]
        if any(not value.isdecimal() or int(value) < self.rows for value in limits):
            return scope  # refused, or few enough
        query = [(name, value) for name, value in query if name != "limit"]
        limited = urlencode([*query, ("limit", self.rows)])
        return {**scope, "query_string": limited.encode("latin-1")}


def _late(send: Send, seconds: float) -> Send:
    async def later(message: Message) -> None:
        if message["type"] == "http.response.start":
            await asyncio.sleep(seconds)
        await send(message)

    return later


def _broken(send: Send, *, keeps_head: bool) -> Send:
    """Loses the answer, or all of it but its head."""

    async def until(message: Message) -> None:
        if keeps_head and message["type"] == "http.response.start":
            await send(message)
            return
        raise ConnectionResetError("the connection broke off")

    return until


FAST, SLOW = 10, 20
"""In one second the first 10 calls pass, the next 10 wait a second, the rest get a 429."""


class RateLimit:
    """ASGI middleware, in force while `limits()`. Refused calls count too; resuming a sandbox is
    exempt, and so are the agent servers (measured; openhands/app_server/middleware.py)."""

    def __init__(self, app: ASGIApp, limits: Callable[[], bool]) -> None:
        self.app = app
        self.limits = limits
        self._calls: dict[str, deque[float]] = defaultdict(deque)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self.limits() and not _exempt(scope):
            client = scope.get("client")
            calls = self._calls[client[0] if client else ""]
            now = time.monotonic()
            while calls and calls[0] <= now - 1:
                calls.popleft()
            calls.append(now)
            if len(calls) > SLOW:
                refused = answer({"message": "Too many requests"}, 429, {"Retry-After": "1"})
                await refused(scope, receive, send)
                return
            if len(calls) > FAST:
                await asyncio.sleep(1)
        await self.app(scope, receive, send)


def _exempt(scope: Scope) -> bool:
    path: str = scope["path"]
    resumes = path.startswith("/api/v1/sandboxes/") and path.endswith("/resume")
    return path.startswith("/runtime/") or (scope["method"] == "POST" and resumes)
