"""Compressed bodies, piece by piece; bodies that a server fakes are in tests/faults."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator

import httpx
import pytest

from oh_tui.api.http.response_body import unpacked


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


async def test_a_body_of_several_parts_is_read_to_its_end() -> None:
    parts = [b"one" * 100_000, b"", b"two", b"three" * 1000]
    data = b"".join(map(gzip.compress, parts))
    assert await body(data) == b"".join(parts)
    assert await body(data + b"\0" * 100) == b"".join(parts)
    with pytest.raises(httpx.DecodingError, match="not whole"):
        await body(data[:-9])
    with pytest.raises(httpx.DecodingError, match="damaged"):
        await body(data + b"\x1f\x8bxxxxxxxxxxxxxxxx")


async def test_what_stands_behind_a_body_is_left_aside() -> None:
    assert await body(gzip.compress(b"one") + b"<html>") == b"one"


@pytest.mark.parametrize("first", [b"", b"one"])
async def test_parts_without_end_that_hold_nothing_are_not_waited_for(first: bytes) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        yield gzip.compress(first)
        while True:
            taken += 1
            yield gzip.compress(b"") * 3000

    response = httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=endless())
    with pytest.raises(httpx.DecodingError, match="nothing"):
        async for _ in unpacked(response):
            pass
    assert taken < 100
