"""The zip of a trajectory, streamed as the servers do."""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec

from oh_tui.demo.runs.stored_events import StoredEvent


async def zipped(
    info: dict[str, object],
    events: Iterable[StoredEvent],
    *,
    head: str = "meta.json",
    name: str = "event_{number:06}_{id}.json",
) -> AsyncIterator[bytes]:
    """The zip in pieces, so that only a few events are in memory at once. `head` is the name of
    `info` in it, `name` that of each event."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(head, msgspec.json.format(msgspec.json.encode(info), indent=2))
        yield sink.take()
        for number, event in enumerate(events):
            body = msgspec.json.format(event.raw, indent=2)
            archive.writestr(name.format(number=number, id=event.id), body)
            if number % 100 == 99:
                yield sink.take()
                await asyncio.sleep(0)
    yield sink.take()


class _Sink:
    """A file without seek, and without an end: the zip of a download that nobody reads on is
    finished by Python some time later. `take` returns what was written."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken
