"""The next page of a listing, for any number of tasks that ask for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from oh_tui.api.models import Page

T = TypeVar("T")


class Pager(Generic[T]):
    """Hands out the pages of a listing one by one.

    Who asks while a page is on its way gets that page: it is one call. When the task that makes
    the call is cancelled, another that waits makes it anew; when the call fails, each that waits
    gets to try it. So no page is lost and none comes twice.
    """

    def __init__(self, pages: AsyncIterator[Page[T]]) -> None:
        self._pages = pages
        self._call = asyncio.Lock()
        self._page: Page[T] | None = None
        self._count = 0

    async def next(self) -> Page[T] | None:
        """The page after the last one; None when there is no more."""
        count = self._count
        async with self._call:
            if self._count == count:
                self._page = await anext(self._pages, None)
                self._count += 1
            return self._page
