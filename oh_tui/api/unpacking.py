"""The body of an answer as it comes, unpacked a little at a time, and never for ever.

httpx unpacks each piece of the network at once, and an encoding within an encoding as well: 64 KB
that are packed twice become 64 GB in memory. So it is done here, with an end to each step.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator

import httpx

PIECE = 1 << 18
"""Bytes that are unpacked at a time."""

GATHERED = 1 << 16
TURN = 0.005
"""Bytes, or seconds, after which the event loop gets its turn."""

SLOWEST = 1024
"""Bytes a second that a body must come with, on the average, when it takes longer than the wait
for any of them: else a server that sends one now and then is waited for without end."""

BARREN = 1 << 20
"""Bytes that come without anything in them: no packer needs so many, and they could go on for
ever without ever being too much of a body."""

_MAGIC = b"\x1f\x8b"

_GZIP = 31
"""What zlib calls a gzip body with its head and its check sum."""


async def unpacked(response: httpx.Response) -> AsyncIterator[bytes]:
    """The pieces of a body. Raises httpx.DecodingError for one that is packed otherwise than we
    asked for, is damaged or not whole."""
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
                if packed.eof:  # a body may be of several parts, and filled up with zeros
                    piece = piece.lstrip(b"\0")
                    if not piece:
                        break
                    if not _MAGIC.startswith(piece[:2]):
                        return  # what stands behind it is no part of it
                    packed = zlib.decompressobj(_GZIP)
                if out := packed.decompress(piece, PIECE):
                    barren = 0
                    yield out
                piece = packed.unconsumed_tail or packed.unused_data
            if barren > BARREN:
                raise httpx.DecodingError("holds nothing")
        if out := packed.flush():
            yield out
    except zlib.error as error:
        raise httpx.DecodingError("damaged") from error
    if came and not packed.eof:  # no body at all is none that was cut off
        raise httpx.DecodingError("not whole")


async def gathered(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in fewer pieces. A body in chunks of one byte comes without a pause for the
    event loop, and would keep it for seconds. The first piece after a wait is handed on at once;
    what comes with it follows with the next, with the end, or before the error that ends it."""
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


async def steady(pieces: AsyncIterator[bytes], wait: float | None) -> AsyncIterator[bytes]:
    """The same pieces; raises httpx.ReadTimeout when they drip. None waits without end."""
    clock = asyncio.get_running_loop().time
    began, came = clock(), 0
    async for piece in pieces:
        came += len(piece)
        if wait is not None and clock() - began > wait + came / SLOWEST:
            raise httpx.ReadTimeout("it drips")
        yield piece
