"""Responses in very many pieces: the event loop gets its turns meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from oh_tui.api import AppServer
from oh_tui.api.errors import ApiError
from tests.api.servers import AT_ONCE

Serve = Callable[[asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def sending(serve: Serve) -> AsyncIterator[AppServer]:
    """A server whose answer is what `serve` writes."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            await serve(writer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with AppServer(address, retries=AT_ONCE) as api:
        yield api
    server.close()


class Turns:
    """Watches how long the event loop is kept, by the time on the processor."""

    longest = 0.0

    async def __aenter__(self) -> Turns:
        self._task = asyncio.create_task(self._watch())
        return self

    async def _watch(self) -> None:
        before = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            self.longest, before = max(self.longest, now - before), now

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()


CHUNKS = 200_000


async def in_single_bytes(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
    writer.write(b"Transfer-Encoding: chunked\r\n\r\n")
    writer.write(b"1\r\n \r\n" * CHUNKS)
    writer.write(b"1\r\n5\r\n0\r\n\r\n")


@pytest.mark.slow
async def test_a_body_in_single_bytes_keeps_no_key_waiting() -> None:
    async with sending(in_single_bytes) as api, Turns() as turns:
        assert await api.count_conversations() == 5
        assert turns.longest < 0.5


@pytest.mark.slow
async def test_a_download_in_single_bytes_comes_in_few_pieces() -> None:
    async with sending(in_single_bytes) as api, Turns() as turns:
        async with api.download("5f3a") as pieces:
            sizes = [len(piece) async for piece in pieces]
        assert sum(sizes) == CHUNKS + 1
        assert len(sizes) < CHUNKS / 10
        assert turns.longest < 0.5


async def hints_without_end(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000)
        await writer.drain()


async def test_early_hints_without_end_are_given_up() -> None:
    async with sending(hints_without_end) as api, Turns() as turns:
        began = time.thread_time()
        with pytest.raises(ApiError, match=r"the connection to .* broke off"):
            await api.users_me()
        assert time.thread_time() - began < 20
        assert turns.longest < 0.5


async def hints_and_then_an_answer(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 20)
    await writer.drain()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
    writer.write(b"X-Long: " + b"x" * 50_000 + b"\r\nContent-Length: 1\r\n\r\n7")


async def test_a_few_early_hints_and_a_long_head_are_read() -> None:
    async with sending(hints_and_then_an_answer) as api:
        assert await api.count_conversations() == 7
