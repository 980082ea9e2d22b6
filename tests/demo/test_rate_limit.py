"""The demo's app server slows a client down above 10 calls a second and refuses above 20."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from oh_tui.demo.servers import network
from tests.demo.wire import BOXES, TALKS, agent, at_rest, connect, sandbox


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long calls had to wait; for the server all come at the same moment."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(network, "time", SimpleNamespace(monotonic=lambda: 0.0))
    monkeypatch.setattr(network, "asyncio", SimpleNamespace(sleep=sleep))
    return waited


async def test_of_25_calls_at_once_10_pass_10_wait_and_5_are_refused(waits: list[float]) -> None:
    demo = at_rest()
    demo.rate_limited = True
    async with connect(demo) as client:
        answers = await asyncio.gather(*(client.get(f"{TALKS}/count") for _ in range(25)))
        refused = [answer for answer in answers if answer.status_code == 429]
        assert (len(waits), set(waits), len(refused)) == (10, {1}, 5)
        assert sum(answer.status_code == 200 for answer in answers) == 20
        assert refused[0].headers["retry-after"] == "1"
        assert refused[0].json() == {"message": "Too many requests"}


async def test_a_resume_and_the_agent_servers_are_not_counted(waits: list[float]) -> None:
    demo = at_rest()
    async with connect(demo) as client:
        box = (await sandbox(client, "oauth"))["id"]
        url, headers = await agent(client, "oauth")
        demo.rate_limited = True
        for _ in range(25):
            assert (await client.post(f"{BOXES}/{box}/resume")).status_code == 200
            assert (await client.get(f"{url}/events/count", headers=headers)).status_code == 200
        assert (await client.get("/alive")).status_code == 200
        assert not waits
