"""The demo with a frozen clock, read as a server, with a record of the requests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from oh_tui.api import AppServer
from oh_tui.conversation import Conversation
from oh_tui.demo import Demo
from oh_tui.demo.catalog import ENTRIES
from oh_tui.sources.server import ServerSource
from tests.tui.explorer import AT_ONCE, NOW, Between

IDS = {entry.slug: entry.id for entry in ENTRIES}
"""Slug of a conversation -> its id."""


@dataclass
class Here:
    demo: Demo
    source: ServerSource
    between: Between

    async def conversation(self, slug: str) -> Conversation:
        (found,) = await self.source.get([IDS[slug]])
        assert found is not None
        return found


@asynccontextmanager
async def demo_read() -> AsyncIterator[Here]:
    demo, between = Demo(NOW, "everything"), Between()
    demo.rate_limited = False
    api = AppServer(demo.base_url, app=between(demo.app), retries=AT_ONCE)
    yield Here(demo, ServerSource(api, "demo"), between)
    await api.aclose()
