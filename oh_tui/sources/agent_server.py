"""An agent server without an app server, as a source."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from functools import cached_property, partial

from oh_tui.actions import agent_actions, start_offers, starting_alone
from oh_tui.api import bare_server, filters
from oh_tui.api.models import Page
from oh_tui.api.paging import PAGE
from oh_tui.api.server import running_agent
from oh_tui.catalog.pager import SLICE
from oh_tui.catalog.status_cache import LastKnown
from oh_tui.conversation import Conversation
from oh_tui.sources.results import Cost, Loaded, Older
from oh_tui.sources.server_runs.from_agent import load_from_agent, older_from_agent
from oh_tui.sources.server_runs.loading import OVER, ServerRuns
from oh_tui.sources.source import SourceOfServer
from oh_tui.trajectory.model.trajectory import Trajectory


class AgentServerRuns(ServerRuns):
    """Like those of an app server, without a second place to read from."""

    by_pages = True

    async def count_events(self, conversation: Conversation) -> tuple[int, str]:
        return await self.api.count_events(conversation.id), "agent server"

    async def load(
        self, conversation: Conversation, held: Trajectory | None = None, via: str = ""
    ) -> AsyncGenerator[Loaded, None]:
        whole = held if held and held.complete else None
        if agent := running_agent(self.api, conversation):
            async for state in load_from_agent(agent, conversation, held, whole):
                yield state

    def is_final(self, conversation: Conversation) -> bool:
        """Here each event, except for changes of state, changes the time of the record (source,
        1.17.0, 1.58.2), and no sandbox ever stops."""
        return bool(conversation.updated_at) and conversation.execution_status in OVER

    async def hears(self, conversation: Conversation) -> bool:
        return True

    async def cost(self, conversation: Conversation, trajectory: Trajectory) -> Cost:
        return Cost(max(0, await self.api.count_events(conversation.id) - len(trajectory.events)))

    async def older(
        self, conversation: Conversation, trajectory: Trajectory, via: str
    ) -> AsyncGenerator[Older, None]:
        if trajectory.events and (agent := running_agent(self.api, conversation)):
            async for page in older_from_agent(agent, trajectory):
                yield page


KIND = "agent server"
"""Shown in the header after its name."""


class AgentServerSource(SourceOfServer):
    api: bare_server.BareAgentServer
    sandboxes = None
    web = ""
    problems: Sequence[str] = ()

    def __init__(
        self,
        api: bare_server.BareAgentServer,
        label: str,
        opening: str = "",
        *,
        address: str = "",
        last_known: Mapping[str, LastKnown] | None = None,
    ) -> None:
        label = label if KIND in label else f"{label}  {KIND}"
        super().__init__(label, opening, address, last_known)
        self.api = api
        self.runs = self.remote = AgentServerRuns(api)

    @cached_property
    def agents(self) -> agent_actions.Agents:
        offers = start_offers.AgentServerOffers(self.api)
        return agent_actions.Agents(self.api, partial(starting_alone.start, self.api), offers)

    def pages(self) -> AsyncIterator[Page[Conversation]]:
        return self.api.conversations().pages()

    def narrowed(self, filters: filters.ConversationFilters) -> None:
        """It can search conversations only by state, which the record already has."""

    async def newest(self) -> Page[Conversation]:
        page = await self.api.search_conversations(limit=PAGE)
        page.items = page.items[:SLICE]  # a server may return more than asked for
        return page
