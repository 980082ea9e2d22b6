"""Writes to disk what the session remembers, without holding up the screen."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

from oh_tui.settings.private_store import PrivateStore

C = TypeVar("C")


async def save(kept: PrivateStore[Any, C]) -> bool:
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
