"""Cancelling a call at any moment loses no connection."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from oh_tui.api.http.cancelling import in_own_task
from oh_tui.api.http.transport import HttpClient
from tests.listener import Listener

from .servers import over_network

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n"

MOMENTS = 60
"""Turns of the loop, more than a call takes here."""


class Wrong(Exception):
    """Unlike those of Python it can be seen to go."""


class Counted:
    """A server that answers `null` in two pieces and knows how many connections are open."""

    def __init__(self) -> None:
        self.open = 0
        self.talks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.talks.add(asyncio.current_task())  # type: ignore[arg-type]
        self.open += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                for piece in (HEAD, b"nu", b"ll"):
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
        self.open -= 1
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def counted() -> AsyncIterator[tuple[Counted, HttpClient]]:
    counts = Counted()
    listener = Listener()
    async with await asyncio.start_server(counts.serve, sock=listener):
        async with over_network(f"http://{listener.address}") as server:
            yield counts, server
        await listener.end()
        await asyncio.gather(*counts.talks)


async def whole(server: HttpClient) -> bytes:
    return (await server.get("/", "read nothing")).data


async def streamed(server: HttpClient) -> bytes:
    async with server.stream("/", "read nothing") as pieces:
        return b"".join([piece async for piece in pieces])


@pytest.mark.parametrize("read", [whole, streamed])
@pytest.mark.parametrize("times", [1, 3])
async def test_no_connection_is_lost_at_whatever_moment_it_is_cancelled(
    read: Callable[[HttpClient], Awaitable[bytes]], times: int
) -> None:
    async with counted() as (counts, server):
        cancelled = 0
        for moment in range(MOMENTS):
            for fresh in (True, False):
                if not fresh:  # on a connection that was used before
                    assert await read(server) == b"null"
                call = asyncio.ensure_future(read(server))
                for _ in range(moment):
                    await asyncio.sleep(0)
                for _ in range(times):  # a second cancel may meet the tidying up
                    call.cancel()
                    await asyncio.sleep(0)
                await asyncio.wait({call}, timeout=60)
                assert call.done()
                cancelled += call.cancelled()
        assert cancelled > 20  # the others were over before
        assert await read(server) == b"null"
        await asyncio.sleep(0.05)
        assert counts.open == 1


async def test_the_end_of_what_was_begun_is_waited_for() -> None:
    ended = False

    async def work() -> None:
        nonlocal ended
        try:
            await asyncio.sleep(60)
        finally:
            ended = True

    call = asyncio.ensure_future(in_own_task(work))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert ended


async def test_what_goes_wrong_is_told_as_ever() -> None:
    async def work() -> None:
        raise ValueError("as ever")

    with pytest.raises(ValueError, match="as ever"):
        await in_own_task(work)


async def test_what_went_wrong_is_not_kept() -> None:
    """An exception references the response, and so the connection; it must go without garbage
    collection."""
    wrong: list[weakref.ref[Exception]] = []

    def failure() -> Exception:
        made = Wrong()
        wrong.append(weakref.ref(made))
        return made

    async def work() -> None:
        raise failure()

    gc.disable()
    try:
        with contextlib.suppress(Wrong):
            await in_own_task(work)
        await asyncio.sleep(0)
        assert wrong and wrong[0]() is None
    finally:
        gc.enable()
