"""Response bodies: unpacked in bounded steps, read whole up to a limit or handed on in pieces; and
the times in their headers.

httpx decompresses each piece from the network at once, and nested encodings too: 64 KB that are
compressed twice become 64 GB in memory.
"""

from __future__ import annotations

import asyncio
import email.utils
import math
import time
import zlib
from collections.abc import AsyncGenerator, AsyncIterator

import httpx

from oh_tui.api.errors import Unreachable
from oh_tui.api.http.cancelling import in_own_task
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
        what = f"it broke off after {received:,} of {size:,} bytes"
        raise call.failed(Unreachable, what, "Try again")


def body_size(response: httpx.Response) -> int | None:
    """The length of the body in bytes, None when it is unknown, as that of a compressed body is."""
    length = response.headers.get("Content-Length", "")
    packed = response.headers.get("Content-Encoding", "identity") != "identity"
    return int(length) if length.isdecimal() and not packed else None


def content_type(response: httpx.Response) -> str:
    """The content type in lower case, "" when there is none."""
    return str(response.headers.get("Content-Type", "")).lower()


PIECE = 1 << 18
"""Bytes that are decompressed at a time."""

GATHERED = 1 << 16
TURN = 0.005
"""Bytes or seconds after which the event loop gets its turn."""

MIN_RATE = 1024
"""Bytes a second, on average, of a body that takes longer than its read timeout. A server that
sends one byte now and then would never time out otherwise."""

MAX_BARREN = 1 << 20
"""Compressed bytes in a row that may yield nothing. No compressor needs as many, and they could go
on for ever without exceeding the limit of a body."""

_MAGIC = b"\x1f\x8b"

_GZIP = 31
"""zlib's `wbits` for gzip with header and checksum."""


async def unpacked(response: httpx.Response) -> AsyncIterator[bytes]:
    """The unpacked pieces of a body. Raises httpx.DecodingError unless whole, plain or gzip."""
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding in ("", "identity"):
        async for piece in gathered(response.aiter_raw()):
            yield piece
        return
    if encoding not in ("gzip", "x-gzip"):
        raise httpx.DecodingError("packed in another way")
    packed, came, barren = zlib.decompressobj(_GZIP), False, 0
    try:
        async for piece in gathered(response.aiter_raw()):
            came = came or bool(piece)
            barren += len(piece)
            while piece:
                if packed.eof:  # a body may have several members, and padding of zeros
                    piece = piece.lstrip(b"\0")
                    if not piece:
                        break
                    if not _MAGIC.startswith(piece[:2]):
                        return  # trailing data is not part of the body
                    packed = zlib.decompressobj(_GZIP)
                if out := packed.decompress(piece, PIECE):
                    barren = 0
                    yield out
                piece = packed.unconsumed_tail or packed.unused_data
            if barren > MAX_BARREN:
                raise httpx.DecodingError("holds nothing")
        if out := packed.flush():
            yield out
    except zlib.error as error:
        raise httpx.DecodingError("damaged") from error
    if came and not packed.eof:  # an empty body is not cut off
        raise httpx.DecodingError("not whole")


async def gathered(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in fewer pieces.

    A body in chunks of one byte arrives without a pause and would keep the event loop for seconds.
    The first piece after a wait is passed on at once. Those that arrive with it follow with the
    next one, at the end, or before the error that ends the body.
    """
    clock = asyncio.get_running_loop().time
    held, since = bytearray(), 0.0
    try:
        async for piece in pieces:
            held += piece
            if len(held) >= GATHERED or clock() - since > TURN:
                yield bytes(held)
                held.clear()
                await asyncio.sleep(0)
                since = clock()
    except Exception:
        if held:
            yield bytes(held)
        raise
    if held:
        yield bytes(held)


async def steady(pieces: AsyncIterator[bytes], timeout: float | None) -> AsyncIterator[bytes]:
    """The same pieces. Raises httpx.ReadTimeout behind MIN_RATE after `timeout` seconds, if any."""
    clock = asyncio.get_running_loop().time
    began, came = clock(), 0
    async for piece in pieces:
        came += len(piece)
        if timeout is not None and clock() - began > timeout + came / MIN_RATE:
            raise httpx.ReadTimeout("it drips")
        yield piece


def retry_after(value: str) -> float | None:
    """The seconds of a Retry-After header, a number or an HTTP date; None when it is neither."""
    try:
        seconds = float(value)
    except ValueError:
        told = timestamp(value)
        if told is None:
            return None
        seconds = told - time.time()
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def timestamp(value: str) -> float | None:
    """The seconds since 1970 of an HTTP date; None when it is none."""
    try:
        return email.utils.parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None
