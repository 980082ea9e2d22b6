"""The runs of conversations that others share: all that is read comes from the app server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence
from typing import TYPE_CHECKING

from oh_tui.api.errors import TooLarge
from oh_tui.api.models import bare_id
from oh_tui.api.paging import MAX_ROWS, Listing
from oh_tui.sources.clocks import clock_of_record
from oh_tui.sources.lists import silence
from oh_tui.sources.lists.triage import updated
from oh_tui.sources.results import Cost, Loaded, build
from oh_tui.sources.server_runs.following import news_from_app
from oh_tui.sources.server_runs.loading import ServerRuns
from oh_tui.sources.server_runs.server_stats import stats_of_app
from oh_tui.text.problem import Refused

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation
    from oh_tui.api.server import GivesRuns
    from oh_tui.trajectory.model.events import Event
    from oh_tui.trajectory.model.trajectory import SubAgent, Trajectory

NOTE = "shared, read-only: no states, so the cost is the record's; no sandbox, no zip"
"""What is missing, and why."""

GOES_ON = 600.0
"""Seconds since the last change of a record for which its run may go on: no state tells."""


class SharedRuns(ServerRuns):
    """Like those of an app server, without any sandbox, and page by page."""

    by_pages = True
    gives_zips = False

    def __init__(self, api: GivesRuns, links: Collection[str]) -> None:
        """`links` are the ids that links lead to: with their runs is said what is missing."""
        super().__init__(api)
        self._links = links

    async def load(
        self, conversation: Conversation, held: Trajectory | None = None, via: str = ""
    ) -> AsyncGenerator[Loaded, None]:
        if held and held.complete:
            news = await news_from_app(self.api, conversation, held, via)
            if news is not None:
                if news:
                    yield await self._loaded(conversation, [*held.events, *news], held=held)
                return
        total = await self.api.count_events(conversation.id)
        newest_first: list[Event] = []
        listing = Listing(lambda cursor: self.app.page(conversation, cursor, total), limit=MAX_ROWS)
        async for page in listing.pages():
            if page.is_cut:
                raise TooLarge(
                    f"The run has more than {MAX_ROWS:,} events, or long ones: oh-tui reads no "
                    "more of what others share",
                    "ask for its zip, and open that",
                )
            is_first = not newest_first
            newest_first += page.items
            if is_first and page.next_page_id:
                newest = newest_first[::-1]
                yield await self._loaded(conversation, newest, held=held, total=total)
            elif page.next_page_id:
                count = len(newest_first)
                yield Loaded("app server", None, count, max(total, count))
        yield await self._loaded(conversation, newest_first[::-1], held=held)

    async def _loaded(
        self,
        conversation: Conversation,
        events: list[Event],
        *,
        held: Trajectory | None,
        total: int | None = None,
    ) -> Loaded:
        """These events as a run; with `total` it is only the end of one with so many."""
        whole = total is None
        run = await asyncio.to_thread(
            build,
            events,
            live=self.may_grow(conversation),
            complete=whole,
            stats=stats_of_app(conversation, held),
            clock=clock_of_record(conversation, events, whole, held),
        )
        count, note = len(events), NOTE if bare_id(conversation.id) in self._links else ""
        return Loaded("app server", run, count, max(total or 0, count), note, more=not whole)

    def may_grow(self, conversation: Conversation) -> bool:
        return self.now(silence.clock()) - updated(conversation) < GOES_ON

    async def cost(self, conversation: Conversation, trajectory: Trajectory) -> Cost:
        total, _ = await self.count_events(conversation)
        return Cost(max(0, total - len(trajectory.events)))  # `load` brings all, however many

    async def sub_agents(self, conversation: Conversation) -> Sequence[SubAgent]:
        raise Refused("Their steps stay in the sandbox, which is not shared")
