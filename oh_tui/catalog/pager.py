"""Hands out the pages of a listing to any number of tasks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from oh_tui.api.models import Page

T = TypeVar("T")

SLICE = 500
"""Rows of a longer page that are handed out at once, so that no key has to wait."""


class Pager(Generic[T]):
    """Hands out the pages of a listing one by one.

    Tasks that ask while a page is on its way share that call. If the calling task is cancelled,
    another one repeats the call; if the call fails, each waiting task tries it. So no page is lost
    and none comes twice. A page longer than SLICE is handed out in slices.
    """

    def __init__(self, pages: AsyncIterator[Page[T]]) -> None:
        self._pages = pages
        self._call = asyncio.Lock()
        self._page: Page[T] | None = None
        self._rest: Page[T] | None = None
        """Rows of a long page that are not handed out yet."""
        self._count = 0

    async def next(self) -> Page[T] | None:
        count = self._count
        async with self._call:
            if self._count == count:
                page = self._rest or await anext(self._pages, None)
                self._page, self._rest = _sliced(page) if page else (None, None)
                self._count += 1
            return self._page


def _sliced(page: Page[T]) -> tuple[Page[T], Page[T] | None]:
    if len(page.items) <= SLICE:
        return page, None
    kind = type(page)
    first = kind(page.items[:SLICE], page.next_page_id or "the rest", page.unreadable)
    return first, kind(page.items[SLICE:], page.next_page_id, is_cut=page.is_cut)
