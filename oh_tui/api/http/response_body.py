"""Response bodies: read whole up to a limit, or handed on piece by piece."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

import httpx

from oh_tui.api.errors import Unreachable
from oh_tui.api.http.cancelling import in_own_task
from oh_tui.api.http.decompression import steady, unpacked
from oh_tui.api.http.http_errors import ApiCall, FailedAttempt, translated


class Pieces:
    """The pieces of a body as they arrive. `size` is the sum of their bytes, None when the server
    does not say. Raises Unreachable at the end when fewer bytes came."""

    def __init__(self, pieces: AsyncGenerator[bytes, None], size: int | None) -> None:
        self._pieces = pieces
        self.size = size

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        piece = await in_own_task(lambda: anext(self._pieces, None))
        if piece is None:
            raise StopAsyncIteration
        return piece


async def whole_body(
    call: ApiCall, response: httpx.Response, limit: int, *, cut: bool = False
) -> bytes | None:
    """The body. Of a body longer than `limit`, the beginning with `cut`, and otherwise None."""
    timeout = response.request.extensions["timeout"]["read"]
    body = bytearray()
    with translated(call):
        async for piece in steady(unpacked(response), timeout):
            body += piece
            if len(body) > limit:
                return bytes(body[:limit]) if cut else None
    return bytes(body)


async def body_pieces(
    call: ApiCall, response: httpx.Response, size: int | None
) -> AsyncGenerator[bytes, None]:
    """The pieces as they arrive. Raises ApiError on failure, also for fewer bytes than `size`."""
    received = 0
    try:
        with translated(call):
            async for piece in unpacked(response):
                received += len(piece)
                yield piece
    except FailedAttempt as failure:
        raise failure.error from None
    if size is not None and received != size:
        raise Unreachable(
            f"Could not {call.doing}: it broke off after {received:,} of {size:,} bytes",
            "Try again",
            address=call.address,
        )


def body_size(response: httpx.Response) -> int | None:
    """The length of the body in bytes, None when it is unknown, as that of a compressed body is."""
    length = response.headers.get("Content-Length", "")
    packed = response.headers.get("Content-Encoding", "identity") != "identity"
    return int(length) if length.isdecimal() and not packed else None


def content_type(response: httpx.Response) -> str:
    """The content type in lower case, "" when there is none."""
    return str(response.headers.get("Content-Type", "")).lower()
