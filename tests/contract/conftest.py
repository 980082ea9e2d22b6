"""Runs the contract against the demo; tests/live runs it against the real server."""

from __future__ import annotations

import asyncio

import pytest

from oh_tui.api import AppServer, Conversation
from oh_tui.demo import Demo
from oh_tui.demo.catalog import ENTRIES
from oh_tui.demo.world import AgentVersion
from tests.tui.explorer import NOW

from .acting import Prompts, Stage
from .fixtures import ServerUnderTest, agent, api, run, wire

__all__ = ["agent", "api", "run", "wire"]


@pytest.fixture
def version(request: pytest.FixtureRequest) -> AgentVersion:
    """Of the agent servers that the demo stands for; a test may have it as its parameter."""
    return getattr(request, "param", AgentVersion.USUAL)


@pytest.fixture
def demo(version: AgentVersion) -> Demo:
    made = Demo(NOW, "everything")
    made.world.agent_version = version
    return made


@pytest.fixture
def without_git_token(demo: Demo) -> None:
    demo.world.has_git_token = False


@pytest.fixture
def process_sandboxes(demo: Demo) -> None:
    demo.world.has_processes = True


@pytest.fixture
def server(demo: Demo) -> ServerUnderTest:
    return ServerUnderTest(demo.base_url, demo.app)


@pytest.fixture
def stage(demo: Demo, api: AppServer, version: AgentVersion) -> Stage:
    demo.rate_limited = False  # its clock is moved on: many calls fall into one second

    async def sleep(seconds: float) -> None:
        demo.advance(seconds)
        await asyncio.sleep(0.001)

    async def confirms(conversation: Conversation) -> None:
        """The agent of the demo asks by itself."""

    async def keeps_profile(conversation: Conversation, name: str) -> None:
        """The demo keeps some from its start."""

    def ran(conversation: Conversation) -> bool:
        events = demo.world.agent_events(demo.world.conversations[conversation.id])
        return any(e.kind == "ObservationEvent" and b"rm -rf build" in e.raw for e in events)

    sandbox = next(entry for entry in ENTRIES if entry.slug == "settings-split").sandbox_id
    return Stage(
        api,
        Prompts("Look around", "Do it slowly", "Delete it", "Thank you", "Think"),
        sandbox,
        confirms,
        ran,
        sleep,
        "/workspace/put",
        keeps_profile,
        interrupts=version != AgentVersion.OLD,
    )
