"""The contract is held against the demo here, and against the real server in tests/live."""

from __future__ import annotations

import asyncio

import pytest

from oh_tui.api import AppServer, Conversation
from oh_tui.demo import Demo, make_demo
from oh_tui.demo.catalog import ENTRIES

from .acting import Prompts, Stage
from .fixtures import ServerUnderTest, agent, api, run, wire

__all__ = ["agent", "api", "run", "wire"]


@pytest.fixture
def demo() -> Demo:
    return make_demo(shows="everything")


@pytest.fixture
def server(demo: Demo) -> ServerUnderTest:
    return ServerUnderTest(demo.base_url, demo.app)


@pytest.fixture
def version() -> str:
    """Of the agent servers that the demo stands for."""
    return "1.34.0"


@pytest.fixture
def stage(demo: Demo, api: AppServer) -> Stage:
    demo.rate_limited = False  # its clock is moved on: many calls fall into one second

    async def sleep(seconds: float) -> None:
        demo.advance(seconds)
        await asyncio.sleep(0.005)

    async def confirms(conversation: Conversation) -> None:
        """The agent of the demo asks by itself."""

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
    )
