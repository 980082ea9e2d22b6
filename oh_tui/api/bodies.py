"""Bodies of answers: read whole up to a limit, or handed on piece by piece."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

import httpx

from oh_tui.api.cancelling import apart
from oh_tui.api.failures import Call, Failure, broken_off, named
from oh_tui.api.unpacking import steady, unpacked


class Pieces:
    """The pieces of a body as they come; `size` is their sum in bytes, where the server told it.
    Fewer than that raise Unreachable at the end."""

    def __init__(self, pieces: AsyncGenerator[bytes, None], size: int | None) -> None:
        self._pieces = pieces
        self.size = size

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        piece = await apart(lambda: anext(self._pieces, None))
        if piece is None:
            raise StopAsyncIteration
        return piece


async def whole_body(
    call: Call, response: httpx.Response, limit: int, *, cut: bool = False
) -> bytes | None:
    """The body; of one longer than `limit` its beginning with `cut`, else None."""
    wait = response.request.extensions["timeout"]["read"]
    body = bytearray()
    with named(call):
        async for piece in steady(unpacked(response), wait):
            body += piece
            if len(body) > limit:
                return bytes(body[:limit]) if cut else None
    return bytes(body)


async def body_pieces(
    call: Call, response: httpx.Response, size: int | None
) -> AsyncGenerator[bytes, None]:
    """The pieces as they come; raises ApiError for what goes wrong, and for less than `size`."""
    received = 0
    try:
        with named(call):
            async for piece in unpacked(response):
                received += len(piece)
                yield piece
    except Failure as failure:
        raise failure.error from None
    if size is not None and received != size:
        raise broken_off(call, received, size)


def body_size(response: httpx.Response) -> int | None:
    """How long the body will be, if it is told; what is packed gets longer."""
    length = response.headers.get("Content-Length", "")
    packed = response.headers.get("Content-Encoding", "identity") != "identity"
    return int(length) if length.isdecimal() and not packed else None


def content_type(response: httpx.Response) -> str:
    return str(response.headers.get("Content-Type", "")).lower()
