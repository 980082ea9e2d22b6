"""Writes to disk what the session remembers, without holding up the screen."""

from __future__ import annotations

import asyncio
from typing import Protocol, TypeVar

C = TypeVar("C")


class Kept(Protocol[C]):
    """What is written to disk as it changes."""

    def take_changes(self) -> C: ...
    def put_back(self, changes: C, /) -> None: ...
    def write(self, changes: C, /) -> bool: ...


async def save(kept: Kept[C]) -> bool:
    """Write the changes in a thread; False if that fails. When the app ends meanwhile, it writes
    them itself: the thread may not get so far."""
    if not (changes := kept.take_changes()):
        return True
    written = False
    try:
        written = await asyncio.to_thread(kept.write, changes)
    finally:
        if not written:
            kept.put_back(changes)
    return written
