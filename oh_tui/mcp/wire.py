"""Standard input and output as a client uses them: a line for each message."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import threading
from collections.abc import Mapping
from typing import Any

import mcp_types as types
import msgspec
from mcp.shared.message import SessionMessage

from oh_tui.text.human import size
from oh_tui.trajectory.model.events import decode_json

MOST = 4_000_000
"""Bytes of a line: no call of a tool has as many."""

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def _read(line: str | None) -> tuple[str | None, Any]:
    """The line without lone surrogates, which the SDK does not take, and its message; None without
    any. In place of what the SDK does not answer, None with what is answered: a line that it cannot
    read, and a request whose id is none, which it takes for a notice."""
    if line is None:
        return None, _refusal(types.INVALID_REQUEST, f"over {size(MOST)} in a line", {})
    if not line.strip():
        return line, None
    fields, message = dict[str, msgspec.Raw](), None
    with contextlib.suppress(ValueError, RecursionError):
        line = json.dumps(decode_json(line.encode()), allow_nan=False)
    with contextlib.suppress(msgspec.DecodeError, RecursionError):
        fields = _fields(line)
    with contextlib.suppress(ValueError):
        message = types.jsonrpc_message_adapter.validate_json(line, by_name=False)
    if message and not (isinstance(message, types.JSONRPCNotification) and "id" in fields):
        return line, message
    code = types.INVALID_REQUEST if "method" in fields else types.PARSE_ERROR
    return None, _refusal(code, "it cannot be read", fields)


def _refusal(code: int, about: str, fields: Mapping[str, msgspec.Raw]) -> types.JSONRPCError:
    id = None
    with contextlib.suppress(KeyError, msgspec.DecodeError):
        id = msgspec.json.decode(fields["id"], type=str | int)
    return types.JSONRPCError(jsonrpc="2.0", id=id, error=types.ErrorData(code=code, message=about))


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
        while (given := await self._lines.get()) != "":
            line, message = _read(given)
            if line is None:
                await self.writing.send(SessionMessage(message))
                continue
            if isinstance(message, types.JSONRPCRequest):
                self._asked.add(message.id)
                self._all_answered.clear()
            elif isinstance(message, types.JSONRPCNotification):
                cancelled = (message.params or {}).get("requestId")
                if isinstance(cancelled, str | int):
                    self._answered(cancelled)
            return line
        if self._asked:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_answered.wait(), 600)
        raise StopAsyncIteration

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
