"""Standard input as a client writes to it: a line for each message."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import threading
from collections.abc import Awaitable, Callable

import msgspec

from oh_tui.trajectory.model.events import decode_json

MOST = 4_000_000
"""Bytes of a line: no call of a tool has as many."""

LAST = 600.0
"""Most seconds after the last line in which requests are still answered."""


class _Params(msgspec.Struct):
    cancelled: str | int | None = msgspec.field(default=None, name="requestId")


class _Message(msgspec.Struct):
    method: str
    id: str | int | None = None
    params: _Params = msgspec.field(default_factory=_Params)


_decode = msgspec.json.Decoder(_Message).decode


def _read(line: str) -> tuple[str, _Message | None]:
    """The line without lone surrogates, which the SDK does not take, and its message."""
    with contextlib.suppress(ValueError):
        line = json.dumps(decode_json(line.encode()), allow_nan=False)
    with contextlib.suppress(msgspec.DecodeError, RecursionError):
        return line, _decode(line)
    return line, None


async def _nothing(id: str | int | None) -> None: ...


class Lines:
    """The lines of standard input. Nothing else of this process gets them: for all others, its
    children too, standard input is empty from now on.

    A line of more than `MOST` bytes, and a request that cannot be read, is passed over: `refuse` is
    called in its place.

    A thread reads them that no end of the program waits for. That of the SDK is waited for until
    the client closes its end, so that a signal would not end the program.

    The lines end once all requests in them are answered: with their end the server gives up those
    that it is at work on.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lines = asyncio.Queue[str | None]()
        """None for a line that is too long."""
        self.refuse: Callable[[str | int | None], Awaitable[None]] = _nothing
        self.is_read: Callable[[str], bool] = bool
        """Whether the SDK can read a request: it does not answer to others."""
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

    def __aiter__(self) -> Lines:
        return self

    async def __anext__(self) -> str:
        while True:
            line, asked = await self._lines.get(), None
            if line:
                line, asked = _read(line)
            id = asked.id if asked else None
            if line is not None and (id is None or self.is_read(line)):
                break
            await self.refuse(id)
        if not line:
            if self._asked:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._all_answered.wait(), LAST)
            raise StopAsyncIteration
        if id is not None:
            self._asked.add(id)
            self._all_answered.clear()
        elif asked and asked.params.cancelled is not None:
            self.answered(asked.params.cancelled)
        return line

    def answered(self, id: str | int | None) -> None:
        self._asked.discard(id)
        if not self._asked:
            self._all_answered.set()
