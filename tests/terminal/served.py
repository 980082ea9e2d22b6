"""An app on a loopback port, for programs in a terminal, and what they do there."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.api.servers import listening


@dataclass
class Act:
    """A call that is no reading, named "POST /api/conversations"."""

    call: str
    body: bytearray = field(default_factory=bytearray)

    def __str__(self) -> str:
        return f"{self.call} {self.body.decode('utf-8', 'replace')}".strip()


def keeping(app: ASGIApp, acts: list[Act]) -> ASGIApp:
    """The app; what is done there is kept in the order in which it comes."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] == "GET":
            await app(scope, receive, send)
            return
        acts.append(act := Act(f"{scope['method']} {scope['path']}"))

        async def kept() -> Message:
            message = await receive()
            act.body += message.get("body", b"")
            return message

        await app(scope, kept, send)

    return serve


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """Its address."""
    ready, address = threading.Event(), [""]
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()

    async def serve() -> None:
        async with listening(app) as address[0]:
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(60)
        yield address[0]
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(60)
        loop.close()
