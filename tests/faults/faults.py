"""The faults: what a server, a proxy or the network does instead of answering."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

from tests.faults.wire import Exchange, Fault

JSON = "application/json"
PAGE = "<!doctype html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


def says(status: int, body: str = "", kind: str = JSON, **headers: str) -> Fault:
    """An answer with this status."""

    async def fault(exchange: Exchange) -> None:
        await exchange.send(status, body, Content_Type=kind, **headers)

    return fault


def detail(status: int, text: str, **headers: str) -> Fault:
    return says(status, json.dumps({"detail": text}), **headers)


def packed(body: bytes, encoding: str = "gzip", kind: str = JSON) -> Fault:
    async def fault(exchange: Exchange) -> None:
        await exchange.send(200, body, Content_Type=kind, Content_Encoding=encoding)

    return fault


async def reset(exchange: Exchange) -> None:
    """Nothing but a RST."""
    exchange.reset()


async def reset_midway(exchange: Exchange) -> None:
    """A RST when half of the answer has come."""
    response = await exchange.answer()
    body = await response.aread()
    await exchange.head(200, Content_Type=JSON, Content_Length=str(len(body)))
    await exchange.raw(body[: len(body) // 2])
    await asyncio.sleep(0.02)  # what is not read yet would be dropped too
    exchange.reset()


async def short_of_its_length(exchange: Exchange) -> None:
    """The end, when half of what was promised has come."""
    body = await (await exchange.answer()).aread()
    await exchange.head(200, Content_Type=JSON, Content_Length=str(len(body)))
    await exchange.raw(body[: len(body) // 2])


async def cut_json(exchange: Exchange) -> None:
    """Half of the answer, said to be all of it."""
    body = await (await exchange.answer()).aread()
    await exchange.send(200, body[: len(body) // 2], Content_Type=JSON)


async def cut_and_closed(exchange: Exchange) -> None:
    """Half of an answer that ends with its connection, as one of HTTP/1.0: nothing tells of it."""
    body = await (await exchange.answer()).aread()
    await exchange.head(200)
    await exchange.raw(body[: len(body) // 2])


async def silent(exchange: Exchange) -> None:
    """Takes the call and never answers, as a frozen process does."""
    await exchange.reader.read()


async def silent_midway(exchange: Exchange) -> None:
    body = await (await exchange.answer()).aread()
    await exchange.head(200, Content_Type=JSON, Content_Length=str(len(body)))
    await exchange.raw(body[: len(body) // 2])
    await exchange.reader.read()


async def drips(exchange: Exchange) -> None:
    """A byte now and then, for ever: no wait for one of them ever ends."""
    await exchange.head(200, Content_Type=JSON, Content_Length="1000000")
    while not exchange.reader.at_eof():
        await exchange.raw(b" ")
        await asyncio.sleep(0.01)


async def drips_its_head(exchange: Exchange) -> None:
    await exchange.raw(b"HTTP/1.1 200 OK\r\n")
    while not exchange.reader.at_eof():
        await exchange.raw(b"x: y\r\n")
        await asyncio.sleep(0.01)


def late(seconds: float) -> Fault:
    """The right answer, its first byte late."""

    async def fault(exchange: Exchange) -> None:
        await asyncio.sleep(seconds)
        await exchange.pass_on()

    return fault


def slow(piece: int = 2000, seconds: float = 0.001) -> Fault:
    """The right answer, in small pieces."""

    async def fault(exchange: Exchange) -> None:
        body = await (await exchange.answer()).aread()
        await exchange.head(200, Content_Type=JSON, Transfer_Encoding="chunked")
        for start in range(0, len(body), piece):
            await exchange.chunk(body[start : start + piece])
            await asyncio.sleep(seconds)
        await exchange.raw(b"0\r\n\r\n")

    return fault


async def other_protocol(exchange: Exchange) -> None:
    await exchange.raw(b"220 mail.test ESMTP\r\n")


def changed(change: Callable[[Any], Any]) -> Fault:
    """The answer with its JSON changed."""

    async def fault(exchange: Exchange) -> None:
        value = json.loads(await (await exchange.answer()).aread())
        await exchange.send(200, json.dumps(change(value)), Content_Type=JSON)

    return fault


def endless(piece: bytes, kind: str = JSON) -> Fault:
    """A body without an end."""

    async def fault(exchange: Exchange) -> None:
        await exchange.head(200, Content_Type=kind, Transfer_Encoding="chunked")
        while not exchange.reader.at_eof():
            await exchange.chunk(piece)

    return fault


def to(address: str, status: int = 302) -> Fault:
    return says(status, "", Location=address)


MIB = 1 << 20


def gzipped(body: bytes, level: int = 9) -> bytes:
    return gzip.compress(body, level)


def bomb(size: int) -> bytes:
    """A gzip, a thousandth as long, of as many spaces."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(b" " * MIB) for _ in range(size // MIB)), packer.flush()])
