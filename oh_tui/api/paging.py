"""Going through listings: page after page without repeats, and ids in batches."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from oh_tui.api.errors import InvalidRequest
from oh_tui.api.models import Page


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
    before are left out, and a cursor seen before or a page without news ends it.
    """
    seen: set[str] = set()
    asked: set[str | None] = set()
    cursor = first
    while cursor not in asked:
        asked.add(cursor)
        page = await fetch(cursor)
        fresh = list({item.id: item for item in page.items if item.id not in seen}.values())
        news = bool(fresh or page.unreadable)
        if news or len(asked) == 1:
            seen.update(item.id for item in fresh)
            yield Page(fresh, page.next_page_id, page.unreadable)
        if not news or page.next_page_id is None:
            return
        cursor = page.next_page_id


def batches(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """The different ids, in order, at most `size` at a time."""
    different = list(dict.fromkeys(ids))
    for start in range(0, len(different), size):
        yield different[start : start + size]


def checked_limit(limit: int) -> int:
    """`limit` if it is 1 to 100; else InvalidRequest, as a server's answer to it differs by
    version (422, or a 500 that explains nothing; measured)."""
    if not 1 <= limit <= 100:
        raise InvalidRequest(f"A page holds 1 to 100 items, not {limit}", "Ask for several pages")
    return limit
