"""The next page of a listing, for any number of tasks that ask for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from oh_tui.api.models import Page

T = TypeVar("T")

SLICE = 500
"""Rows handed out at a time of a page that is longer than asked for, so that none makes a key wait.
"""


class Pager(Generic[T]):
    """Hands out the pages of a listing one by one.

    Who asks while a page is on its way gets that page: it is one call. When the task that makes
    the call is cancelled, another that waits makes it anew; when the call fails, each that waits
    gets to try it. So no page is lost and none comes twice. A page that is longer than asked for
    is handed out in slices.
    """

    def __init__(self, pages: AsyncIterator[Page[T]]) -> None:
        self._pages = pages
        self._call = asyncio.Lock()
        self._page: Page[T] | None = None
        self._rest: Page[T] | None = None
        """What was not handed out yet of a long page."""
        self._count = 0

    async def next(self) -> Page[T] | None:
        """The page after the last one; None when there is no more."""
        count = self._count
        async with self._call:
            if self._count == count:
                page = self._rest or await anext(self._pages, None)
                self._page, self._rest = _sliced(page) if page else (None, None)
                self._count += 1
            return self._page


def _sliced(page: Page[T]) -> tuple[Page[T], Page[T] | None]:
    """The first rows of a page and the rest; that there is one stands for the next page."""
    if len(page.items) <= SLICE:
        return page, None
    kind = type(page)
    first = kind(page.items[:SLICE], page.next_page_id or "the rest", page.unreadable)
    return first, kind(page.items[SLICE:], page.next_page_id, is_cut=page.is_cut)
