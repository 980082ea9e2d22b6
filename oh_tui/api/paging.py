"""Going through listings: page after page without repeats, and ids in batches."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

from oh_tui.api.errors import BadAnswer
from oh_tui.api.models import Page

MOST = 10_000
"""Pages after which a listing is taken for one that has no end."""

MAX_IDS = 99
"""Conversations in one batch: the server refuses 100."""

MOST_ROWS = 100_000
MOST_BYTES = 256 << 20
"""Rows and bytes that a listing takes in, whether they come in one page or in many."""


class HasId(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=HasId)


class Pages(Generic[T]):
    """Every page of a listing from cursor `first` on, each item once.

    App servers count in offsets, so rows repeat when something new arrives between two pages; and
    a cursor that a server does not understand silently starts over (both measured). So items seen
    before are left out, and a cursor seen before or a page without news ends it. A page that
    failed, or whose call was cancelled, is the next one still. A listing with a `limit` of rows
    ends with a page that `is_cut` when there are more. Raises BadAnswer after 10,000 pages.
    """

    def __init__(
        self,
        fetch: Callable[[str | None], Awaitable[Page[T]]],
        first: str | None = None,
        *,
        limit: int | None = None,
    ) -> None:
        self._fetch = fetch
        self._cursor = first
        self._limit = limit
        self._size = 0
        self._seen: set[str] = set()
        self._asked: set[str | None] = set()
        self._ended = False

    def __aiter__(self) -> AsyncIterator[Page[T]]:
        return self

    async def __anext__(self) -> Page[T]:
        if self._ended:
            raise StopAsyncIteration
        if len(self._asked) >= MOST:
            raise without_end()
        page = await self._fetch(self._cursor)
        first = not self._asked
        self._asked.add(self._cursor)
        self._cursor = page.next_page_id
        fresh = []
        for item in page.items:
            if item.id not in self._seen:
                self._seen.add(item.id)
                fresh.append(item)
        news = bool(fresh or page.unreadable)
        self._size += page.size
        if self._limit is not None and self._is_too_long(page, self._limit):
            self._ended = True
            room = max(0, len(fresh) - max(0, len(self._seen) - self._limit))
            return Page(fresh[:room], None, page.unreadable, is_cut=True)
        self._ended = not news or self._cursor is None or self._cursor in self._asked
        if not (news or first):
            raise StopAsyncIteration
        return Page(fresh, page.next_page_id, page.unreadable)

    def _is_too_long(self, page: Page[T], limit: int) -> bool:
        """Whether the listing ends here although the server has more."""
        rows, more = len(self._seen), page.next_page_id is not None
        return page.is_cut or rows > limit or (more and (rows == limit or self._size > MOST_BYTES))


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
