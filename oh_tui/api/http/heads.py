"""Bounds the heads of responses.

httpx reads interim responses such as 103 without end, and 64 KiB of them keep the event loop for a
tenth of a second (measured).
"""

from __future__ import annotations

from typing import Any

import httpcore
import httpx

from oh_tui.text.patterns import pattern

MAX_HEAD = 1 << 18
"""Bytes of a head, including all interim responses before it."""

PIECE = 1 << 13
"""Bytes of a head that are read at a time."""

_BEFORE = b"\r\n\r\n"
_FINAL = pattern(rb"\r?\n\r?\nHTTP/1\.[01] [2-9]")
"""The begin of a final response."""


def bound_heads(client: httpx.AsyncClient) -> None:
    """Give the client connections with bounded heads. httpx has no public name for the network
    backend, so this reaches into its pools, also those of proxies."""
    for transport in (client._transport, *client._mounts.values()):
        pool = getattr(transport, "_pool", None)
        if pool is not None:
            pool._network_backend = _Backend(pool._network_backend)


class _Backend(httpcore.AsyncNetworkBackend):
    def __init__(self, backend: httpcore.AsyncNetworkBackend) -> None:
        self._backend = backend

    async def connect_tcp(self, *args: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        return _Stream(await self._backend.connect_tcp(*args, **options))

    async def connect_unix_socket(self, *args: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        return _Stream(await self._backend.connect_unix_socket(*args, **options))

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)


class _Stream(httpcore.AsyncNetworkStream):
    """After each write a head begins; it ends with that of the first final response."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._in_head, self._size, self._end = True, 0, _BEFORE

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if not self._in_head:
            return await self._stream.read(max_bytes, timeout)
        data = await self._stream.read(min(max_bytes, PIECE), timeout)
        self._size += len(data)
        seen = self._end + data
        self._end = seen[-len(_BEFORE + b"HTTP/1.1 ") :]
        self._in_head = not _FINAL.search(seen)
        if self._in_head and self._size > MAX_HEAD:
            raise httpcore.RemoteProtocolError("its head has no end")
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._in_head, self._size, self._end = True, 0, _BEFORE
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(self, *args: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        return _Stream(await self._stream.start_tls(*args, **options))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
