"""Sits between our client and the real servers, and lets another client act in the middle."""

from __future__ import annotations

import fnmatch
from collections.abc import Awaitable, Callable

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

DROPPED = ("host", "content-length", "accept-encoding", "connection")


class Proxy:
    """An app that passes each call on to the host it is for; calls are named as "POST /api/x"."""

    def __init__(self) -> None:
        self._client = httpx.AsyncClient(trust_env=False, verify=False, timeout=60)
        self.asked: list[tuple[str, int]] = []
        """The calls that change something, each with the status it got."""
        self._before: list[tuple[str, Callable[[], Awaitable[object]]]] = []
        self._after: list[tuple[str, Callable[[], Awaitable[object]]]] = []

    def before(self, pattern: str, do: Callable[[], Awaitable[object]]) -> None:
        """Do this before the next such call is passed on."""
        self._before.append((pattern, do))

    def after(self, pattern: str, do: Callable[[], Awaitable[object]]) -> None:
        """Do this when the next such call has its answer, before that is handed back."""
        self._after.append((pattern, do))

    async def aclose(self) -> None:
        await self._client.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        call = f"{request.method} {request.url.path}"
        body = await request.body()
        await _happens(self._before, call)
        headers = [(k, v) for k, v in request.headers.items() if k.lower() not in DROPPED]
        answer = await self._client.request(
            request.method, str(request.url), headers=headers, content=body
        )
        if request.method != "GET":
            self.asked.append((call.rpartition("/")[2], answer.status_code))
        await _happens(self._after, call)
        kind = answer.headers.get("content-type", "")
        await Response(answer.content, answer.status_code, media_type=kind)(scope, receive, send)


async def _happens(hooks: list[tuple[str, Callable[[], Awaitable[object]]]], call: str) -> None:
    for hook in [hook for hook in hooks if fnmatch.fnmatch(call, hook[0])]:
        hooks.remove(hook)
        await hook[1]()
