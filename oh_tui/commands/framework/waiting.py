"""Waits until runs are over, and holds them to what they may cost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from oh_tui.api.errors import NotFound
from oh_tui.catalog.status_cache import UNSEEN
from oh_tui.commands.framework.acting import short
from oh_tui.commands.framework.command import Call
from oh_tui.commands.framework.status import outcome
from oh_tui.conversation import Conversation
from oh_tui.sources.budget import Budget
from oh_tui.text.human import dollars
from oh_tui.text.problem import Problem
from oh_tui.text.remarks import say, show_progress

POLL = 3.0
"""Seconds between two looks at a run with `--until-done`."""

MISSES = 5
"""How many looks in a row may fail."""

IDLE = 60.0
"""Seconds after which an idle agent is not about to begin any more."""

_OVER = ("finished", "error", "stuck", "paused", "waiting_for_confirmation", "deleting")
"""States of an agent after which nothing comes by itself."""


async def until_over(
    call: Call, conversations: Sequence[Conversation], limit: float | None = None
) -> tuple[list[Conversation], bool]:
    """The conversations as they are when nothing more comes by itself, and whether one was stopped:
    the agent of each that has cost the limit is, after its step."""
    first = short(conversations[0])
    call.goes_on = f"on the server the agent works on: oh-tui tail -f {first}"
    misses, idle = 0, 0.0
    stops: dict[str, asyncio.Task[bool]] = {}
    while True:
        try:
            found = await call.source.get([one.id for one in conversations])
        except Problem:
            misses += 1
            if misses >= MISSES:
                raise
        else:
            misses = 0
            now = [one for one in found if one is not None]
            if not now:
                raise NotFound("The server no longer has this conversation")
            stops = {id: task for id, task in stops.items() if not task.done() or task.result()}
            for one in now if limit else ():
                is_over = Budget(limit or 0.0, one.cost).is_over
                if is_over and one.execution_status == "running" and one.id not in stops:
                    # a step may take minutes, in which others spend
                    stops[one.id] = asyncio.ensure_future(_stop(call, one))
            works = [one for one in now if not _is_over(one)]
            is_idle = all(one.execution_status == "idle" for one in works)
            idle = idle + POLL if is_idle else 0.0
            if not works or idle > IDLE:
                return now, any(await asyncio.gather(*stops.values()))
            some = f"{len(now) - len(works)} of {len(now)} are over"
            show_progress(some if len(now) > 1 else outcome(now[0], UNSEEN)[0])
        await asyncio.sleep(POLL)


def _is_over(one: Conversation) -> bool:
    return one.sandbox_status not in ("RUNNING", "STARTING") or one.execution_status in _OVER


async def _stop(call: Call, one: Conversation) -> bool:
    """Whether its agent worked, and has stopped."""
    with contextlib.suppress(Problem):  # it is looked at again
        state = await call.agents.state(one.id)
        if state.runs:
            say(f"{short(one)} has cost {dollars(one.cost or 0.0)}: it stops after its step")
            async for _ in call.agents.stop(state, at_once=False):
                pass
            return True
    return False
