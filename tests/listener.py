"""A listening socket for servers of tests that leaves no connection half accepted at its end."""

from __future__ import annotations

import asyncio
import socket
from typing import Any


def at_once(listener: socket.socket) -> None:
    """Its connections send what they have. asyncio sees to that only for sockets that were made
    for TCP by name; with others the body of an answer waited 40 ms behind its head."""
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Listener(socket.socket):
    """Listens on a port of loopback; for asyncio's `start_server(sock=...)`."""

    def __init__(self) -> None:
        super().__init__()
        self._has_ended = False
        self.bind(("127.0.0.1", 0))
        at_once(self)

    @property
    def address(self) -> str:
        """Host and port."""
        return "127.0.0.1:{1}".format(*self.getsockname())

    def accept(self) -> tuple[socket.socket, Any]:
        if self._has_ended:
            raise BlockingIOError
        return super().accept()

    async def end(self) -> None:
        """Accept nothing more. asyncio accepts a connection in a task and calls back in another:
        those begin here, because one cancelled before it begins leaves its socket open."""
        self._has_ended = True
        for _ in range(5):
            await asyncio.sleep(0)
