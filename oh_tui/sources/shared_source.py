"""Conversations that others share, named by their links: read without a key, read only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence

from oh_tui.api.errors import NotFound, TooLarge
from oh_tui.api.filters import ConversationFilters
from oh_tui.api.models import Page
from oh_tui.api.paging import MAX_ROWS, Listing
from oh_tui.api.server import GivesRuns
from oh_tui.api.shared_server import NOT_SHARED, SharedServer
from oh_tui.catalog import silence
from oh_tui.catalog.clocks import clock_of_record
from oh_tui.catalog.links import SHARED, SharedLink
from oh_tui.catalog.run_status import updated
from oh_tui.catalog.status_cache import LastKnown
from oh_tui.conversation import Conversation, bare_id
from oh_tui.sources.results import Cost, Loaded
from oh_tui.sources.server_runs.following import news_from_app
from oh_tui.sources.server_runs.loading import ServerRuns
from oh_tui.sources.server_runs.server_stats import stats_of_app
from oh_tui.sources.source import OneSource
from oh_tui.text.problem import Problem, Refused
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import SubAgent, Trajectory, build

NOTE = "shared, read-only: no states, so the cost is the record's; no sandbox, no zip"

GOES_ON = 600.0
"""Seconds since the last change of a record for which its run may go on: no state tells."""


class SharedRuns(ServerRuns):
    """Like those of an app server, from which all is read: there is no sandbox. Page by page."""

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
                yield await self._loaded(conversation, newest_first[::-1], held=held, total=total)
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


class SharedSource(OneSource):
    agents = workspaces = sandboxes = automations = records = None
    remembered_as = "shared"
    address = ""
    """None, so that nothing of the conversations of others is kept among one's own."""
    remarks: Sequence[str] = ()
    last_known: Mapping[str, LastKnown] = {}

    def __init__(
        self, api: SharedServer, links: Sequence[SharedLink], *, label: str = "", web: bool = True
    ) -> None:
        """`label` says where they are shared, if the address does not; `web`: it has pages."""
        self.api = api
        self._ids = list(dict.fromkeys(link.id for link in links))
        self.runs = self.remote = SharedRuns(api, self._ids)
        self.label = label or f"shared on {safe_line(api.base_url.partition('://')[2])}"
        self.web = f"{api.base_url}{SHARED}" if web else ""
        self.opening = self._ids[0]
        self.problems: list[str] = []
        self._rows: list[Conversation] = []

    @property
    def changes(self) -> bool:
        """Whether one of the runs may go on: no other conversation appears."""
        return any(map(self.runs.may_grow, self._rows))

    async def close(self) -> None:
        await self.api.aclose()

    async def pages(self) -> AsyncIterator[Page[Conversation]]:
        yield await self.newest()

    def narrowed(self, filters: ConversationFilters) -> None:
        """None: there is nothing to search."""

    async def newest(self) -> Page[Conversation]:
        """All of them. Raises NotFound if none is shared."""
        found = await self.get(self._ids)
        gone = (one for one, row in zip(self._ids, found, strict=True) if row is None)
        missing = [f"Nobody shares a conversation {one} there" for one in gone]
        self._rows = [row for row in found if row]
        if not self._rows:
            raise NotFound(missing[0], NOT_SHARED)
        self.problems = missing
        return Page(self._rows, None)

    async def count(self) -> int | None:
        return len(self._rows)

    async def get(self, ids: Sequence[str]) -> list[Conversation | None]:
        return await self.api.get_conversations([bare_id(one) for one in ids])


def of_one_server(links: Sequence[SharedLink]) -> str:
    """The address of the server of all links. Raises Problem if there are several."""
    servers = dict.fromkeys(link.server for link in links)
    if len(servers) > 1:
        raise Problem("These links lead to several servers", "open those of one at a time")
    return next(iter(servers))
