"""The runs of an agent server without an app server: it has all their events."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from oh_tui.sources.results import Cost, Loaded, Older
from oh_tui.sources.server_runs.following import running_agent
from oh_tui.sources.server_runs.from_agent import load_from_agent
from oh_tui.sources.server_runs.loading import OVER, ServerRuns
from oh_tui.sources.server_runs.older_pages import older_from_agent
from oh_tui.trajectory.model.trajectory import Trajectory

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation


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

    def is_told_by_record(self, conversation: Conversation) -> bool:
        """Here each event, except for changes of state, changes the time of the record (source,
        1.17.0, 1.58.2), and no sandbox ever stops."""
        return bool(conversation.updated_at) and conversation.execution_status in OVER

    async def hears(self, conversation: Conversation) -> bool:
        return True

    async def cost(self, conversation: Conversation, trajectory: Trajectory) -> Cost:
        total = await self.api.count_events(conversation.id)
        return Cost(max(0, total - len(trajectory.events)))

    async def older(
        self, conversation: Conversation, trajectory: Trajectory, via: str
    ) -> AsyncGenerator[Older, None]:
        if trajectory.events and (agent := running_agent(self.api, conversation)):
            async for page in older_from_agent(agent, trajectory):
                yield page
