"""What app servers and agent servers have in common for whoever works on their conversations."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from oh_tui.api.agent_server import AgentServer
    from oh_tui.api.filters import SortOrder
    from oh_tui.api.models import LlmProfiles, Page, Workplace
    from oh_tui.conversation import Conversation
    from oh_tui.trajectory.model.events import Event


class GivesRuns(Protocol):
    """What reading runs takes: a `Server`, or `SharedServer`; see there."""

    base_url: str

    @property
    def pace(self) -> float: ...

    @property
    def seconds_ahead(self) -> float: ...

    async def get_conversations(self, ids: Sequence[str]) -> list[Conversation | None]: ...

    async def search_events(
        self,
        conversation_id: str,
        *,
        sort_order: SortOrder = "TIMESTAMP",
        page_id: str | None = None,
        limit: int = 100,
    ) -> Page[Event]: ...

    async def count_events(self, conversation_id: str) -> int: ...

    def download(
        self, conversation_id: str
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]: ...

    def agent_server(self, conversation: Conversation) -> AgentServer | None: ...


class Server(GivesRuns, Protocol):
    """`AppServer` or `BareAgentServer`; see there."""

    workplace: Workplace
    """Where its agents work, in words."""

    async def send_message(
        self, conversation_id: str, text: str, *, run: bool = True
    ) -> object: ...

    async def rename_conversation(self, conversation_id: str, title: str) -> Conversation: ...

    async def delete_conversation(self, conversation_id: str) -> None: ...

    async def llm_profiles(self) -> LlmProfiles: ...

    async def switch_profile(self, conversation_id: str, name: str) -> None: ...


def running_agent(api: GivesRuns, conversation: Conversation) -> AgentServer | None:
    """The agent server of a running sandbox. Raises Problem for an invalid address or key."""
    return api.agent_server(conversation) if conversation.sandbox_status == "RUNNING" else None
