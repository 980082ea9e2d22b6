"""The runs of an agent server that is the server: all of their events are there."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING

from oh_tui.sources import file_runs
from oh_tui.sources.results import Cost, Loaded, Older
from oh_tui.sources.runs.following import running_agent
from oh_tui.sources.runs.from_agent import load_from_agent
from oh_tui.sources.runs.loading import IN_MEMORY, ServerRuns
from oh_tui.sources.runs.older import older_from_agent
from oh_tui.text.human import size
from oh_tui.text.problem import Refused, Remedy
from oh_tui.trajectory.formats.zip import archive
from oh_tui.trajectory.model.trajectory import SubAgent, Trajectory

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation


class AgentServerRuns(ServerRuns):
    """As those of an app server, without a second place to read them from."""

    gives_sub_agents = True

    async def sub_agents(self, conversation: Conversation) -> Sequence[SubAgent]:
        """Only a download of the whole run has them; servers before 1.58 keep none."""
        file = io.BytesIO()
        async with self.api.download(conversation.id) as pieces:
            async for piece in pieces:
                if file.tell() > IN_MEMORY:
                    told = f"The run is longer than {size(IN_MEMORY)}, and its sub-agents are in it"
                    raise Refused(told, Remedy.DOWNLOAD)
                file.write(piece)
        run = await asyncio.to_thread(archive.open_archive, file, "the download")
        return file_runs.run_of(run, ()).sub_agents

    async def count_events(self, conversation: Conversation) -> tuple[int, str]:
        return await self.api.count_events(conversation.id), "agent server"

    async def load(
        self, conversation: Conversation, held: Trajectory | None = None, via: str = ""
    ) -> AsyncGenerator[Loaded, None]:
        whole = held if held and held.complete else None
        if agent := running_agent(self.api, conversation):
            async for state in load_from_agent(agent, held, whole):
                yield state

    async def cost(self, conversation: Conversation, trajectory: Trajectory) -> Cost:
        total = await self.api.count_events(conversation.id)
        return Cost(max(0, total - len(trajectory.events)))

    async def older(
        self, conversation: Conversation, trajectory: Trajectory, via: str
    ) -> AsyncGenerator[Older, None]:
        if trajectory.events and (agent := running_agent(self.api, conversation)):
            async for page in older_from_agent(agent, trajectory):
                yield page
