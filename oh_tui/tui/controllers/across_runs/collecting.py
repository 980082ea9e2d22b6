"""Takes in what a pass over many runs finds, and shows it as it grows."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, TypeVar

from oh_tui.text.problem import Problem
from oh_tui.tui.remedies import hint_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from oh_tui.tui.state.across_runs.passes import Pass

T = TypeVar("T")

PAUSE = 4
"""Times as long as a showing takes that the next one waits: many rows take a while."""


async def collect(
    into: Pass,
    results: AsyncGenerator[T, None],
    take: Callable[[T], bool],
    show: Callable[[], Awaitable[None]],
    every: float,
) -> None:
    """`take` gets each result, and tells whether it is to be shown at once; otherwise what was
    found by then is shown every so many seconds, or less often."""
    into.is_running, into.ended, into.problem = True, False, ()
    clock = asyncio.get_running_loop().time
    shown, pause = clock(), every
    try:
        async with contextlib.aclosing(results) as running:
            async for one in running:
                if take(one) or clock() - shown > pause:
                    began = clock()
                    await show()
                    shown = clock()
                    pause = max(every, PAUSE * (shown - began))
        into.ended = True
    except Problem as problem:
        into.problem = (problem.sentence, *filter(None, [hint_of(problem)]))
    finally:
        into.is_running = False
        await show()
