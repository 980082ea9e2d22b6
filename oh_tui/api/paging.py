"""Iterating over a listing without repeats, by items or by pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from oh_tui.api.errors import BadAnswer
from oh_tui.api.models import Page

PAGE = 100
"""Events or rows per call: the most that servers return."""

MAX_PAGES = 10_000
"""Pages after which a listing counts as endless."""

MAX_ROWS = 100_000
"""Rows that are read of a listing, whether they come in one page or in many."""

MAX_BYTES = 256 << 20
"""Bytes that are read of a listing with a limit of rows."""


def cut_words(what: str) -> str:
    """The note on a listing too long to be read whole."""
    return f"only the first {MAX_ROWS:,} {what} are listed: the server has more"


class HasId(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=HasId)


class Pages(Generic[T]):
    """Every page of a listing, each item once.

    App servers use offsets as cursors, so rows repeat when something new arrives between two
    pages, and a cursor that a server does not understand silently starts over (both measured).
    Items seen before are therefore left out, and the iteration ends at a cursor seen before or a
    page without new items. After a page that failed or was cancelled, the next step fetches it
    again. A listing with a `limit` of rows ends with a page that `is_cut` when there are more.
    Raises BadAnswer after 10,000 pages.
    """

    def __init__(
        self, fetch: Callable[[str | None], Awaitable[Page[T]]], *, limit: int | None = None
    ) -> None:
        self._fetch = fetch
        self._limit = limit
        self._cursor: str | None = None
        self._bytes = 0
        self._seen: set[str] = set()
        self._fetched: set[str | None] = set()
        self._ended = False

    def __aiter__(self) -> AsyncIterator[Page[T]]:
        return self

    async def __anext__(self) -> Page[T]:
        if self._ended:
            raise StopAsyncIteration
        if len(self._fetched) >= MAX_PAGES:
            raise BadAnswer(
                f"The server gives page after page without an end, {MAX_PAGES:,} so far",
                "Its version may differ from what this program knows",
            )
        page = await self._fetch(self._cursor)
        is_first = not self._fetched
        self._fetched.add(self._cursor)
        self._cursor = page.next_page_id
        new = []
        for item in page.items:
            if item.id not in self._seen:
                self._seen.add(item.id)
                new.append(item)
        self._bytes += page.size
        if self._limit is not None and self._is_too_long(page, self._limit):
            self._ended = True
            room = max(0, len(new) - max(0, len(self._seen) - self._limit))
            return Page(new[:room], None, page.unreadable, is_cut=True)
        has_news = bool(new or page.unreadable)
        self._ended = not has_news or self._cursor is None or self._cursor in self._fetched
        if not (has_news or is_first):
            raise StopAsyncIteration
        return Page(new, page.next_page_id, page.unreadable)

    def _is_too_long(self, page: Page[T], limit: int) -> bool:
        """Whether the listing ends here although the server has more."""
        rows, more = len(self._seen), page.next_page_id is not None
        return page.is_cut or rows > limit or (more and (rows == limit or self._bytes > MAX_BYTES))


class Listing(Generic[T]):
    """The items of a listing, each once:

        async for one in listing: ...

    Each iteration reads the listing from its start. Items that cannot be read are left out, and
    those beyond 100,000 of a listing with a limit: the pages tell of both.
    """

    def __init__(
        self, fetch: Callable[[str | None], Awaitable[Page[T]]], *, limit: int | None = None
    ) -> None:
        self._fetch = fetch
        self._limit = limit

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page.items:
                yield item

    def pages(self) -> AsyncIterator[Page[T]]:
        """The same page by page; a page that failed is read again by the next step."""
        return Pages(self._fetch, limit=self._limit)
