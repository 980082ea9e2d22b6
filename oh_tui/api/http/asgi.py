"""A transport that streams from an ASGI app in this process.

httpx's own ASGITransport collects the whole body first and ignores timeouts (measured). This one
passes on each piece as the app sends it, applies the read timeout, and stops the app when the
caller goes away. It does not run the app's lifespan.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

import anyio
import httpx

Message = MutableMapping[str, Any]
ASGIApp = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]


class AppTransport(httpx.AsyncBaseTransport):
    """Sends every request to `app`, whatever its host.

    Raises httpx.ReadTimeout when the app stays silent for the read timeout, and
    httpx.RemoteProtocolError when it fails or ends before its response is complete.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        exchange = _Exchange(self._app, request, await request.aread())
        try:
            start = await exchange.next()
        except BaseException:
            await exchange.aclose()
            raise
        return httpx.Response(start["status"], headers=start.get("headers", []), stream=exchange)


class _Exchange(httpx.AsyncByteStream):
    """One request and its response. The app runs in a task of its own until `aclose`."""

    def __init__(self, app: ASGIApp, request: httpx.Request, body: bytes) -> None:
        self._body: bytes | None = body
        self._timeout: float | None = request.extensions.get("timeout", {}).get("read")
        # one message at a time, so that the app does not run ahead of a slow reader
        self._sent: asyncio.Queue[Message | None] = asyncio.Queue(maxsize=1)
        self._gone = asyncio.Event()
        self._failure: Exception | None = None
        self._task = asyncio.create_task(self._run(app, _scope(request)))

    async def _run(self, app: ASGIApp, scope: Message) -> None:
        try:
            await app(scope, self._receive, self._send)
        except Exception as error:
            self._failure = error
        if not self._gone.is_set():
            await self._sent.put(None)

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if self._gone.is_set():
            raise OSError("the caller is gone")
        await self._sent.put(message)

    async def next(self) -> Message:
        """The app's next message. Raises httpx.RemoteProtocolError when the app has ended."""
        try:
            # wait_for loses a cancellation that coincides with a message (Python 3.11)
            async with asyncio.timeout(self._timeout):
                message = await self._sent.get()
        except TimeoutError:
            raise httpx.ReadTimeout("the app was silent") from None
        if message is None:
            raise httpx.RemoteProtocolError("the answer is not complete") from self._failure
        return message

    async def __aiter__(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self.next()
            more = message.get("more_body", False)
            if body := message.get("body", b""):
                yield body

    async def aclose(self) -> None:
        self._gone.set()
        with anyio.CancelScope(shield=True):
            try:
                # releases a send that waits for a reader
                with contextlib.suppress(asyncio.QueueEmpty):
                    self._sent.get_nowait()
                await asyncio.wait({self._task}, timeout=0.1)  # to end by itself
            finally:
                self._task.cancel()
                await asyncio.wait({self._task})


def _scope(request: httpx.Request) -> Message:
    url = request.url
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.split(b"?")[0],
        "query_string": url.query,
        "server": (url.host, url.port),
        "client": ("127.0.0.1", 0),
        "root_path": "",
    }
