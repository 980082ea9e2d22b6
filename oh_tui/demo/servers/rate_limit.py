"""The app server's rate limit for each client: calls are first delayed, then refused."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from oh_tui.demo.servers.http import answer

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
    if path.startswith("/runtime/"):
        return True
    return (
        scope["method"] == "POST"
        and path.startswith("/api/v1/sandboxes/")
        and (path.endswith("/resume"))
    )
