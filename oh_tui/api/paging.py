"""Going through listings: page after page without repeats, and ids in batches."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from oh_tui.api.errors import BadAnswer
from oh_tui.api.models import Page

MOST = 10_000
"""Pages after which a listing is taken for one that has no end."""


class HasId(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=HasId)


async def pages(
    fetch: Callable[[str | None], Awaitable[Page[T]]], first: str | None = None
) -> AsyncIterator[Page[T]]:
    """Every page from cursor `first` on, each item once.

    App servers count in offsets, so rows repeat when something new arrives between two pages; and
    a cursor that a server does not understand silently starts over (both measured). So items seen
    before are left out, and a cursor seen before or a page without news ends it. Raises BadAnswer
    after 10,000 pages.
    """
    seen: set[str] = set()
    asked: set[str | None] = set()
    cursor = first
    while cursor not in asked:
        asked.add(cursor)
        page = await fetch(cursor)
        fresh = []
        for item in page.items:
            if item.id not in seen:
                seen.add(item.id)
                fresh.append(item)
        news = bool(fresh or page.unreadable)
        if news or len(asked) == 1:
            yield Page(fresh, page.next_page_id, page.unreadable)
        if not news or page.next_page_id is None:
            return
        if len(asked) >= MOST:
            raise without_end()
        cursor = page.next_page_id


def without_end() -> BadAnswer:
    return BadAnswer(
        f"The server gives page after page without an end, {MOST:,} so far",
        "Its version may differ from what this program knows",
    )


def batches(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """The different ids, in order, at most `size` at a time."""
    different = list(dict.fromkeys(ids))
    for start in range(0, len(different), size):
        yield different[start : start + size]
