"""The zip of a trajectory, written piece by piece as the app server does."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec

from oh_tui.demo.recorder import Stored


async def zipped(info: dict[str, Any], events: Iterable[Stored]) -> AsyncIterator[bytes]:
    """The zip piece by piece, so that no more than some events are held at once."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("meta.json", msgspec.json.format(msgspec.json.encode(info), indent=2))
        yield sink.take()
        for number, event in enumerate(events):
            body = msgspec.json.format(event.raw, indent=2)
            archive.writestr(f"event_{number:06}_{event.id}.json", body)
            if number % 100 == 99:
                yield sink.take()
                await asyncio.sleep(0)
    yield sink.take()


class _Sink(io.RawIOBase):
    """A file that cannot seek; what was written waits to be taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken
