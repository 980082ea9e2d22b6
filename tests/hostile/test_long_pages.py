"""A page longer than requested: placed in linear time, and no key waits for it."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from oh_tui.catalog.pager import SLICE
from oh_tui.conversation import Conversation
from oh_tui.tui.state.loaded_conversations import LoadedConversations
from tests.tui.explorer import Between, explore
from tests.work import counted


def conversations(count: int, first: int = 0) -> list[Conversation]:
    return [
        Conversation(
            f"{n:032x}",
            title=f"run {n}",
            sandbox_id=f"sandbox-{n % 500}",
            sandbox_status="RUNNING" if n % 7 == 0 else "MISSING",
            execution_status="finished" if n % 7 == 0 else None,
            updated_at=f"2026-11-01T00:00:{n % 60:02}Z",
        )
        for n in range(first, first + count)
    ]


def children(count: int, *, of: str = "") -> list[Conversation]:
    """Each the child of one, or of the one before it."""
    return [
        Conversation(f"{n + 1:032x}", parent_conversation_id=of or f"{n:032x}")
        for n in range(1, count)
    ]


def work_on(rows: Sequence[Conversation]) -> int:
    loaded = LoadedConversations()
    loaded.take(conversations(100), older=True)
    with counted() as work:
        loaded.take(rows, older=True)
        loaded.take(rows[::2])
        loaded.reorder()
        for one in rows[:20]:
            loaded.take_outcome(one.id, "finished", "done")
    return work.lines


def pairs(count: int) -> list[Conversation]:
    """Two and two are each other's parents."""
    return [
        Conversation(f"{n:032x}", parent_conversation_id=f"{n ^ 1:032x}")
        for n in range(1000, 1000 + count)
    ]


@pytest.mark.slow_but(1)
@pytest.mark.parametrize(
    "make",
    [
        lambda count: conversations(count, 100),
        lambda count: children(count, of=f"{1:032x}"),
        children,
        pairs,
    ],
    ids=["alone", "of one", "in a chain", "in circles"],
)
def test_rows_are_placed_in_linear_time(make: object) -> None:
    assert callable(make)
    small, large = work_on(make(1_000)), work_on(make(8_000))
    assert large < 2 * 8 * small


async def test_a_page_of_20_000_shows_at_once_and_the_rest_as_one_goes_on() -> None:
    between = Between()
    rows = ",".join(f'{{"id":"{n:032x}","title":"run {n}"}}' for n in range(20_000))
    body = f'{{"items":[{rows}],"next_page_id":null}}'
    between.answer("GET /api/v1/app-conversations/search", 200, body, "application/json")
    between.answer("GET /api/v1/app-conversations/count", 200, "20000", "application/json")
    # the demo, which is asked for rows further down, would say that it has none of them
    between.answer("GET /api/v1/app-conversations", 503)
    async with explore(wrap=between) as explorer:
        await explorer.settle()
        assert len(explorer.screen.sidebar.conversations) == SLICE
        assert "500 of 20,000" in explorer.text("#conversations-rule")
        slowest = 0.0
        for pressed in range(2, 12):
            began = time.process_time()
            await explorer.press("G")
            slowest = max(slowest, time.process_time() - began)
            assert len(explorer.screen.sidebar.conversations) == pressed * SLICE
        assert slowest < 1.0
        await explorer.press("r")
        assert len(explorer.screen.sidebar.conversations) == 11 * SLICE
    ids = [one.id for one in explorer.screen.sidebar.conversations]
    assert len(set(ids)) == len(ids)
