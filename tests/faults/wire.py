"""The embedded server behind a socket on loopback, in a thread of its own, and what can befall it.

A fault is told for calls by name, such as "GET /api/v1/sandboxes/*"; it has the open connection and
may answer, answer wrongly, break off, or say nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import socket
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import httpx
from starlette.types import ASGIApp

from oh_tui.api.http.asgi import AppTransport
from tests.listener import Listener

PIECE = 1 << 16


@dataclass
class Exchange:
    """One call on its connection, before anything was answered."""

    method: str
    target: str
    """Path and query."""
    headers: dict[str, str]
    body: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    answer: Callable[[], Awaitable[httpx.Response]]
    """What the embedded server answers."""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def call(self) -> str:
        return f"{self.method} {self.path}"

    async def head(self, status: int, **headers: str) -> None:
        """The beginning of an answer."""
        lines = [f"HTTP/1.1 {status} {_phrase(status)}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.raw("\r\n".join([*lines, "", ""]).encode())

    async def send(self, status: int, body: bytes | str = b"", **headers: str) -> None:
        """A whole answer."""
        data = body.encode() if isinstance(body, str) else body
        await self.head(status, Content_Length=str(len(data)), **headers)
        await self.raw(data)

    async def raw(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def pass_on(self, response: httpx.Response | None = None) -> None:
        """The answer of the embedded server, or `response` in its place, piece by piece."""
        response = response or await self.answer()
        async with contextlib.aclosing(response):
            given = {
                name.replace("-", "_"): value
                for name, value in response.headers.items()
                if name not in ("content-length", "connection", "transfer-encoding")
            }
            await self.head(response.status_code, Transfer_Encoding="chunked", **given)
            async for piece in response.aiter_raw():
                await self.chunk(piece)
            await self.raw(b"0\r\n\r\n")

    async def chunk(self, piece: bytes) -> None:
        await self.raw(b"%x\r\n%b\r\n" % (len(piece), piece))

    def reset(self) -> None:
        """Drop the connection with a RST, as a machine does that has died meanwhile."""
        connection = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Fault = Callable[[Exchange], Awaitable[None]]


@dataclass
class Armed:
    """A fault for the calls that match, after the first `after` of them, for `times` of them."""

    pattern: str
    fault: Fault
    after: int = 0
    times: int = 1 << 30
    met: int = 0

    def takes(self, call: str) -> bool:
        if not fnmatch.fnmatchcase(call, self.pattern):
            return False
        self.met += 1
        return self.after < self.met <= self.after + self.times


@dataclass
class Wire:
    """What stands behind `url`. `asked` are the calls that came, with the key each brought."""

    app: ASGIApp
    url: str = ""
    asked: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    armed: list[Armed] = field(default_factory=list)

    def arm(self, pattern: str, fault: Fault, *, after: int = 0, times: int = 1 << 30) -> None:
        self.armed.append(Armed(pattern, fault, after, times))

    def disarm(self) -> None:
        self.armed.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError, asyncio.IncompleteReadError):
            exchange = await self._read(reader, writer)
            self.asked.append(exchange.call)
            named = exchange.headers
            self.keys.append(named.get("authorization") or named.get("x-session-api-key") or "")
            for one in list(self.armed):
                if one.takes(exchange.call):
                    await one.fault(exchange)
                    break
            else:
                await exchange.pass_on()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Exchange:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip("\r\n").split("\r\n")
        method, target, _ = first.split(" ")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length", "0")))

        async def answer() -> httpx.Response:
            # a proxy is asked for whole addresses
            url = target if "://" in target else self.url + target
            request = httpx.Request(method, url, headers=headers, content=body)
            return await AppTransport(self.app).handle_async_request(request)

        return Exchange(method, target, headers, body, reader, writer, answer)


@contextlib.contextmanager
def served(app: ASGIApp, **listening: Any) -> Iterator[Wire]:
    """`app` on a port of its own; `listening` goes to asyncio's `start_server`."""
    wire, ready, loop = Wire(app), threading.Event(), asyncio.new_event_loop()
    end = asyncio.Event()

    async def run() -> None:
        listener = Listener()
        server = await asyncio.start_server(wire.serve, sock=listener, **listening)
        scheme = "https" if listening.get("ssl") else "http"
        wire.url = f"{scheme}://{listener.address}"
        ready.set()
        await end.wait()
        await listener.end()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def main() -> None:
        with contextlib.closing(loop):
            loop.run_until_complete(run())

    thread = threading.Thread(target=main, daemon=True)
    thread.start()
    assert ready.wait(60)
    try:
        yield wire
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(60)


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), PIECE):
        yield data[start : start + PIECE]


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Odd"
