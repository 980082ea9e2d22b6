"""The pages of a listing: each requested once, none lost or duplicated, in any interleaving."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import pytest

from oh_tui.api.errors import ServerError
from oh_tui.api.models import Page
from oh_tui.api.paging import Pages
from oh_tui.catalog.pager import Pager
from oh_tui.conversation import Conversation


@dataclass
class Listing:
    """Three pages of two rows, each of which is given when `go_on` is set."""

    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    asked: Counter[str | None] = field(default_factory=Counter)
    fails: int = 0
    """Calls that still fail."""

    async def fetch(self, cursor: str | None) -> Page[Conversation]:
        self.asked[cursor] += 1
        await self.go_on.wait()
        if self.fails:
            self.fails -= 1
            raise ServerError("it failed")
        number = int(cursor or 0)
        rows = [Conversation(str(2 * number)), Conversation(str(2 * number + 1))]
        return Page(rows, str(number + 1) if number < 2 else None)

    def pager(self) -> Pager[Conversation]:
        return Pager(Pages(self.fetch))


def ids(page: Page[Conversation] | None) -> list[str]:
    return [row.id for row in page.items] if page else []


async def rest(pager: Pager[Conversation]) -> list[str]:
    found: list[str] = []
    while page := await pager.next():
        found += ids(page)
    return found


async def test_a_page_that_two_ask_for_is_one_call_and_both_get_it() -> None:
    listing = Listing()
    pager = listing.pager()
    first, second = (asyncio.create_task(pager.next()) for _ in range(2))
    await asyncio.sleep(0)
    listing.go_on.set()
    assert ids(await first) == ids(await second) == ["0", "1"]
    assert await rest(pager) == ["2", "3", "4", "5"]
    assert set(listing.asked.values()) == {1}
    assert await pager.next() is None


@pytest.mark.parametrize("cancelled", [0, 1])
async def test_who_waits_beside_one_that_is_cancelled_gets_the_page(cancelled: int) -> None:
    listing = Listing()
    pager = listing.pager()
    tasks = [asyncio.create_task(pager.next()) for _ in range(2)]
    await asyncio.sleep(0)
    tasks.pop(cancelled).cancel()
    await asyncio.sleep(0)
    listing.go_on.set()
    assert ids(await tasks[0]) == ["0", "1"]
    assert await rest(pager) == ["2", "3", "4", "5"]


async def test_a_page_whose_only_reader_is_cancelled_is_the_next_one_still() -> None:
    listing = Listing()
    pager = listing.pager()
    task = asyncio.create_task(pager.next())
    await asyncio.sleep(0)
    task.cancel()
    listing.go_on.set()
    assert await rest(pager) == [str(n) for n in range(6)]


async def test_a_page_that_failed_is_asked_for_again() -> None:
    listing = Listing()
    listing.go_on.set()
    pager = listing.pager()
    assert ids(await pager.next()) == ["0", "1"]
    listing.fails = 2
    for _ in range(2):
        with pytest.raises(ServerError):
            await pager.next()
    assert await rest(pager) == ["2", "3", "4", "5"]
    assert listing.asked == {None: 1, "1": 3, "2": 1}


async def test_each_that_waits_for_a_page_that_fails_may_try_it() -> None:
    listing = Listing(fails=1)
    pager = listing.pager()
    tasks = [asyncio.create_task(pager.next()) for _ in range(2)]
    await asyncio.sleep(0)
    listing.go_on.set()
    failed, page = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(failed, ServerError)
    assert isinstance(page, Page)
    assert await rest(pager) == ["2", "3", "4", "5"]
