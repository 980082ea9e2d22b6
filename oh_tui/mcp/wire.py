"""Standard input and output as a client uses them: a line for each message."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import threading
from typing import Any

import mcp_types as types
import msgspec
from mcp.shared.message import SessionMessage

from oh_tui.text.human import size
from oh_tui.trajectory.model.events import decode_json

MOST = 4_000_000
"""Bytes of a line: no call of a tool has as many."""

LAST = 600.0
"""Most seconds after the last line in which requests are still answered."""


class _Params(msgspec.Struct):
    cancelled: str | int | None = msgspec.field(default=None, name="requestId")


class _Message(msgspec.Struct):
    method: str
    id: Any = msgspec.UNSET
    params: _Params = msgspec.field(default_factory=_Params)

    @property
    def asks_as(self) -> str | int | None:
        """Its id. None also for a value that is none, with which the SDK takes it for a notice."""
        is_id = isinstance(self.id, str | int) and not isinstance(self.id, bool)
        return self.id if is_id else None


_decode = msgspec.json.Decoder(_Message).decode


def _read(line: str) -> tuple[str, _Message]:
    """The line without lone surrogates, which the SDK does not take, and its message; one without
    a method if it has none, or cannot be read."""
    with contextlib.suppress(ValueError, RecursionError):
        line = json.dumps(decode_json(line.encode()), allow_nan=False)
    with contextlib.suppress(msgspec.DecodeError, RecursionError):
        return line, _decode(line)
    return line, _Message("")


def _is_read(line: str) -> bool:
    """Whether the SDK can read a message: it does not answer to others."""
    with contextlib.suppress(ValueError):
        return bool(types.jsonrpc_message_adapter.validate_json(line, by_name=False))
    return False


class Wire:
    """What the SDK takes for a file of lines, and for the stream of its answers. Nothing else of
    this process gets the lines: for all others, its children too, standard input is empty from now
    on.

    A line of more than `MOST` bytes, and one that cannot be read, is refused and passed over.

    A thread reads them that no end of the program waits for. That of the SDK is waited for until
    the client closes its end, so that a signal would not end the program.

    The lines end once all requests in them are answered: with their end the server gives up those
    that it is at work on.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lines = asyncio.Queue[str | None]()
        """None for a line that is too long."""
        self.writing: Any = None
        """The stream of the SDK to standard output."""
        self._asked = set[str | int]()
        """Ids of the requests without an answer."""
        self._all_answered = asyncio.Event()
        wire, nothing = os.dup(0), os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        threading.Thread(target=self._read, args=(wire,), daemon=True).start()

    def _read(self, wire: int) -> None:
        try:
            with (
                contextlib.suppress(OSError),  # a terminal that hung up
                open(wire, "rb") as file,
            ):
                while data := file.readline(MOST + 1):
                    line = data.decode("utf-8", "replace") if len(data) <= MOST else None
                    while line is None and data and not data.endswith(b"\n"):
                        data = file.readline(MOST)
                    self._loop.call_soon_threadsafe(self._lines.put_nowait, line)
            self._loop.call_soon_threadsafe(self._lines.put_nowait, "")
        except RuntimeError:
            return  # the loop has ended

    def __aiter__(self) -> Wire:
        return self

    async def __anext__(self) -> str:
        while (line := await self._lines.get()) != "":
            asked = _Message("")
            if line is not None:
                line, asked = _read(line)
                has_none = asked.id is msgspec.UNSET
                is_read = (has_none and asked.method) or not line.strip() or _is_read(line)
                if is_read and (has_none or asked.asks_as is not None):
                    self._take(asked)
                    return line
            code = types.PARSE_ERROR if line and not asked.method else types.INVALID_REQUEST
            about = "it cannot be read" if line else f"over {size(MOST)} in a line"
            told = types.ErrorData(code=code, message=about)
            error = types.JSONRPCError(jsonrpc="2.0", id=asked.asks_as, error=told)
            await self.writing.send(SessionMessage(error))
        if self._asked:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_answered.wait(), LAST)
        raise StopAsyncIteration

    def _take(self, asked: _Message) -> None:
        if asked.asks_as is not None:
            self._asked.add(asked.asks_as)
            self._all_answered.clear()
        elif asked.params.cancelled is not None:
            self._answered(asked.params.cancelled)

    def _answered(self, id: str | int | None) -> None:
        self._asked.discard(id)
        if not self._asked:
            self._all_answered.set()

    async def send(self, message: SessionMessage) -> None:
        await self.writing.send(message)
        if isinstance(message.message, types.JSONRPCResponse | types.JSONRPCError):
            self._answered(message.message.id)

    async def aclose(self) -> None:
        await self.writing.aclose()

    async def __aenter__(self) -> Wire:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
