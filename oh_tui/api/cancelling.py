"""Cancelling a call so that nothing of it is left: not its connection, not its place in the pool.

httpcore, below httpx, cannot be cancelled by asyncio while it puts a connection back: that one is
lost, and counts for good among the 100 that there may be. One cancel of 250 meets such a moment
(measured), and an explorer that is open all day cancels a call at each key that goes on. httpcore
is written for the scopes of anyio instead, which wait until such a part is over.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

import anyio

T = TypeVar("T")


async def apart(work: Callable[[], Awaitable[T]]) -> T:
    """What `work` gives, done in a task of its own; who is cancelled meanwhile is so when that has
    tidied up. What it gave just then is lost, so that what has to be closed is kept by `work`."""
    scope = anyio.CancelScope()

    async def inside() -> T | None:
        with scope:
            return await work()
        return None  # cancelled: nobody asks for it

    task = asyncio.create_task(inside())
    try:
        await asyncio.wait({task})
        return cast("T", task.result())
    except asyncio.CancelledError:
        scope.cancel()
        while not task.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({task})
        with contextlib.suppress(asyncio.CancelledError):
            task.exception()  # looked at, else asyncio tells of it
        raise
    finally:
        del task  # it holds what went wrong, which holds this frame
