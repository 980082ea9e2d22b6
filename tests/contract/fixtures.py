"""Fixtures of the contract for any server; `server` selects it."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from oh_tui.api import AgentServer, AppServer, BareAgentServer, Conversation, Secret
from oh_tui.api.http.asgi import ASGIApp
from oh_tui.demo.world import AgentVersion
from oh_tui.trajectory.model.events import Event

VERSIONS = (AgentVersion.OLD, AgentVersion.USUAL, AgentVersion.NEW)
"""The three generations of agent servers that the contract holds for."""

every_version = pytest.mark.parametrize("version", VERSIONS, indirect=True)
"""For a test of an agent server, or of what is read from one."""

UNKNOWN = "00000000-0000-4000-8000-000000000000"
"""An id that no server has given."""


@dataclass(frozen=True)
class ServerUnderTest:
    """An app server or an agent server: an ASGI app in this process, or the one at `url` without
    one."""

    url: str
    app: ASGIApp | None = None
    key: Secret | None = None

    def connect(self) -> AppServer:
        return AppServer(self.url, key=self.key, app=self.app)

    def connect_alone(self) -> BareAgentServer:
        """For an agent server."""
        return BareAgentServer(self.url, key=self.key, app=self.app)

    def wire(self) -> httpx.AsyncClient:
        """A bare client, for what the service layer does not let through."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False) if self.app else None
        headers = {"X-Session-API-Key": self.key.reveal()} if self.key else {}
        return httpx.AsyncClient(
            transport=transport, base_url=self.url, timeout=60, headers=headers
        )


@pytest.fixture
async def api(server: ServerUnderTest) -> AsyncIterator[AppServer]:
    """The service layer, connected to the server."""
    async with server.connect() as api:
        yield api


@pytest.fixture
async def wire(server: ServerUnderTest) -> AsyncIterator[httpx.AsyncClient]:
    async with server.wire() as client:
        yield client


@pytest.fixture
async def run(api: AppServer) -> Conversation:
    """A finished run in a sandbox that runs: the longest one that fits on a page of events."""
    found: list[tuple[int, Conversation]] = []
    for conversation in (await api.search_conversations()).items:
        finished = conversation.execution_status == "finished"
        if finished and conversation.sandbox_status == "RUNNING":
            count = await api.count_events(conversation.id)
            found += [(count, conversation)] if count <= 100 else []
    assert found, "the server needs a finished run of at most 100 events in a running sandbox"
    return max(found, key=lambda one: one[0])[1]


@pytest.fixture
def agent(api: AppServer, run: Conversation) -> AgentServer:
    """The agent server of that run."""
    agent = api.agent_server(run)
    assert agent is not None
    return agent


async def joined(events: AsyncIterable[Event]) -> list[Event]:
    return [event async for event in events]


def ids(events: list[Event]) -> list[str]:
    return [event.id for event in events]
