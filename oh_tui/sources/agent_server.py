"""An agent server without an app server, as a source."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

from oh_tui.sources.actions import (
    agent_actions,
    conversation_records,
    start_offers,
    starting_alone,
)
from oh_tui.sources.actions.workspaces import Workspaces
from oh_tui.sources.lists.pager import SLICE
from oh_tui.sources.results import PAGE
from oh_tui.sources.server_runs.of_agent_server import AgentServerRuns

if TYPE_CHECKING:
    from oh_tui.api.bare_server import BareAgentServer
    from oh_tui.api.filters import ConversationFilters
    from oh_tui.api.models import Conversation, Page
    from oh_tui.sources.lists.last_known import LastKnown

KIND = "agent server"
"""Shown in the header after its name."""


class AgentServerSource:
    """The conversations of one agent server. It has no sandbox to pause."""

    sandboxes = None
    web, changes = "", True
    problems: Sequence[str] = ()
    remarks: Sequence[str] = ()

    def __init__(
        self,
        api: BareAgentServer,
        label: str,
        opening: str = "",
        *,
        address: str = "",
        last_known: Mapping[str, LastKnown] | None = None,
    ) -> None:
        self.api = api
        self.runs = self.remote = AgentServerRuns(api)
        self.label = label if KIND in label else f"{label}  {KIND}"
        self.opening = opening
        self.address = address
        self.remembered_as = address or "demo"
        self.last_known = last_known or {}

    @cached_property
    def agents(self) -> agent_actions.Agents:
        offers = start_offers.AgentServerOffers(self.api)
        return agent_actions.Agents(self.api, partial(starting_alone.start, self.api), offers)

    @cached_property
    def workspaces(self) -> Workspaces:
        return Workspaces(self.api)

    @cached_property
    def records(self) -> conversation_records.Records:
        return conversation_records.Records(self.api)

    async def close(self) -> None:
        await self.api.aclose()

    def pages(self) -> AsyncIterator[Page[Conversation]]:
        return self.api.conversations().pages()

    def narrowed(self, filters: ConversationFilters) -> None:
        """It can search conversations only by state, which the record already has."""

    async def newest(self) -> Page[Conversation]:
        page = await self.api.search_conversations(limit=PAGE)
        page.items = page.items[:SLICE]  # a server may return more than asked for
        return page

    async def count(self) -> int | None:
        return await self.api.count_conversations()

    async def get(self, ids: Sequence[str]) -> list[Conversation | None]:
        return await self.api.get_conversations(ids)
