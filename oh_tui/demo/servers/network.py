"""A slow, unreliable network between the client and the embedded servers."""

from __future__ import annotations

import asyncio
import random
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from oh_tui.demo.servers.http import answer

_LISTS = re.compile(r"/api/v1/(?:app-conversations|sandboxes)/search")


@dataclass(frozen=True)
class Network:
    """The properties of a network; `over` puts it before an app.

    `waits` are the least and the most seconds of a call, `fails` the share of calls that fail,
    `rows` the most rows of a page of conversations or sandboxes. A call fails before the server
    hears of it, in the middle of its answer, or when the answer is lost.
    """

    waits: tuple[float, float] = (0.2, 1.5)
    fails: float = 0.03
    rows: int | None = 10

    def over(self, app: ASGIApp, seed: int | None = None) -> ASGIApp:
        """The app behind this network; what happens to the n-th call depends on `seed` alone."""
        return _Between(app, self, random.Random(seed))


class _Between:
    def __init__(self, app: ASGIApp, network: Network, chance: random.Random) -> None:
        self._app = app
        self._network = network
        self._chance = chance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        took = self._chance.uniform(*self._network.waits)
        there = took * self._chance.random()
        fails = self._chance.random() < self._network.fails
        how = self._chance.choice(("refused", "asleep", "cut", "lost"))
        await asyncio.sleep(there)
        if not fails:
            await self._app(self._paged(scope), receive, _late(send, took - there))
        elif how == "refused":
            await answer({"detail": "Internal Server Error"}, 500)(scope, receive, send)
        elif how == "asleep":
            await answer({"detail": "Service Unavailable"}, 503)(scope, receive, send)
        else:
            await self._app(self._paged(scope), receive, _broken(send, keeps_head=how == "cut"))

    def _paged(self, scope: Scope) -> Scope:
        rows = self._network.rows
        if rows is None or not _LISTS.fullmatch(scope["path"]):
            return scope
        asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        limits = [value for name, value in asked if name == "limit"]
        if any(not value.isdecimal() or int(value) < rows for value in limits):
            return scope  # refused, or few enough
        query = [(name, value) for name, value in asked if name != "limit"]
        return {**scope, "query_string": urlencode([*query, ("limit", rows)]).encode("latin-1")}


def _late(send: Send, seconds: float) -> Send:
    """The way back takes its time too."""

    async def later(message: Message) -> None:
        if message["type"] == "http.response.start":
            await asyncio.sleep(seconds)
        await send(message)

    return later


def _broken(send: Send, *, keeps_head: bool) -> Send:
    """An answer that is lost, or of which only the head comes."""

    async def until(message: Message) -> None:
        if keeps_head and message["type"] == "http.response.start":
            await send(message)
            return
        raise ConnectionResetError("the connection broke off")

    return until
