"""An OpenHands server as a source."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING

from oh_tui.actions import agent_actions, start_offers, starting
from oh_tui.actions.sandboxes import ServerSandboxes
from oh_tui.api import bare_server
from oh_tui.api.paging import PAGE
from oh_tui.catalog.pager import SLICE
from oh_tui.sources import agent_server
from oh_tui.sources.server_runs.loading import ServerRuns
from oh_tui.sources.server_runs.run_cache import RunCache
from oh_tui.sources.source import Source, SourceOfServer

if TYPE_CHECKING:
    from oh_tui.api import AppServer
    from oh_tui.api.bare_server import BareAgentServer
    from oh_tui.api.errors import OtherKind
    from oh_tui.api.filters import ConversationFilters
    from oh_tui.api.models import Page
    from oh_tui.catalog.status_cache import LastKnown
    from oh_tui.conversation import Conversation
    from oh_tui.sources.agent_server import AgentServerSource


class ServerSource(SourceOfServer):
    api: AppServer

    def __init__(
        self,
        api: AppServer,
        label: str,
        opening: str = "",
        *,
        address: str = "",
        last_known: Mapping[str, LastKnown] | None = None,
        cache: RunCache | None = None,
        alone: Callable[[], BareAgentServer] | None = None,
    ) -> None:
        """`alone` makes the client if it turns out to be an agent server; None: it cannot."""
        super().__init__(label, opening, address, last_known)
        self.api = api
        self._alone = alone
        self.runs = self.remote = ServerRuns(api, cache)
        self.web = f"{address}/conversations" if address else ""
        self.problems: list[str] = []
        """Sentences about what the list of sandboxes leaves out."""
        self.sandboxes = ServerSandboxes(api, self.problems)

    @cached_property
    def agents(self) -> agent_actions.Agents:
        offers = start_offers.AppServerOffers(self.api)
        return agent_actions.Agents(self.api, partial(starting.start, self.api), offers)

    @property
    def instead(self) -> Callable[[], AgentServerSource] | None:
        """Makes the source to use after `OtherKind`."""
        if (alone := self._alone) is None:
            return None
        return lambda: agent_server.AgentServerSource(
            alone(), self.label, address=self.address, last_known=self.last_known
        )

    async def require_kind(self) -> None:
        """Raises OtherKind for an agent server, before anything that cannot be repeated is asked or
        read. Takes one quick call if the kind is unknown."""
        if self._alone is None:
            return
        async with self._alone() as api:
            if await api.is_agent_server():
                raise bare_server.other_kind(self.label)

    def pages(self) -> AsyncIterator[Page[Conversation]]:
        return self.api.conversations(include_sub_conversations=True).pages()

    def narrowed(self, filters: ConversationFilters) -> AsyncIterator[Page[Conversation]]:
        wanted: ConversationFilters = {**filters, "include_sub_conversations": True}
        return self.api.conversations(**wanted).pages()

    async def newest(self) -> Page[Conversation]:
        page = await self.api.search_conversations(limit=PAGE, include_sub_conversations=True)
        page.items = page.items[:SLICE]  # a server may return more than asked for
        return page


def of_other_kind(source: Source, told: OtherKind) -> Callable[[], AgentServerSource]:
    """Makes the source for a server that has told its kind. Raises that if there can be no
    other."""
    if isinstance(source, ServerSource) and source.instead:
        return source.instead
    raise told
