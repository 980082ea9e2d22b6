"""Packed bodies, piece by piece; those that a server makes up are in tests/faults."""

from __future__ import annotations

import gzip

import httpx
import pytest

from oh_tui.api.unpacking import unpacked


async def body(data: bytes, encoding: str = "gzip") -> bytes:
    headers = {"Content-Encoding": encoding}
    response = httpx.Response(200, headers=headers, stream=httpx.ByteStream(data))
    return b"".join([piece async for piece in unpacked(response)])


async def test_a_packed_body_comes_whole() -> None:
    text = b"a line of it\n" * 100_000
    assert await body(gzip.compress(text)) == text
    assert await body(text, "identity") == text


async def test_no_body_at_all_is_none_that_was_cut_off() -> None:
    assert await body(b"") == b""
    with pytest.raises(httpx.DecodingError, match="not whole"):
        await body(gzip.compress(b"half of it")[:-9])
