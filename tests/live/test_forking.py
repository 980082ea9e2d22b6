"""Forks on real servers: the contract, what is made of them, and why a call is no place for one."""

# ruff: noqa: F403

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from oh_tui.actions import agent_setup, forking
from oh_tui.api import AppServer, BareAgentServer, Conversation, Secret, same_id
from oh_tui.demo.world import AgentVersion
from oh_tui.sources.agent_server import AgentServerSource
from oh_tui.sources.server import ServerSource
from oh_tui.text.problem import Problem
from oh_tui.trajectory.model.trajectory import Trajectory
from tests.contract.acting import Stage
from tests.contract.fixtures import VERSIONS
from tests.contract.test_forking import *

from .conftest import Live, Runs
from .servers.alone import KEY
from .servers.model import NAME, ScriptedModel
from .servers.scripts import PROOF

pytestmark = [pytest.mark.live]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The contract of a fork is held against each version that differs in it."""
    if metafunc.function.__module__ == "tests.contract.test_forking":
        metafunc.parametrize("version", [*VERSIONS, AgentVersion.WHOLE], indirect=True, ids=str)


Served = ServerSource | AgentServerSource


async def loaded(source: Served, identifier: str) -> Trajectory:
    (one,) = await source.get([identifier])
    assert one is not None
    found = None
    async for state in source.runs.load(one):
        found = found if state.trajectory is None else state.trajectory
    assert found is not None
    return found


async def until_over(source: Served, stage: Stage, identifier: str, words: str) -> str:
    state = await source.agents.state(identifier)
    async for _ in source.agents.send(state, words):
        pass

    async def over() -> bool:
        return (await source.agents.state(identifier)).status in ("finished", "error")

    await stage.until(over)
    return (await source.agents.state(identifier)).status


async def test_an_app_server_lists_a_fork_that_was_made_here(
    live: Live, stage: Stage, api: AppServer
) -> None:
    source = ServerSource(api, "test")
    run = await loaded(source, live.tour)
    forked = await forking.fork(source.agents, live.tour, run, 3, title="Another tour")
    assert forked.remarks == [] and forked.is_listed and forked.has_key
    told = live.server.conversation(forked.conversation.id)  # by plain HTTP
    assert told["title"] == "Another tour" and told["sandbox_id"] == live.sandbox
    assert same_id(told["tags"]["forkedfrom"], live.tour)
    assert forked.conversation.origin == live.tour
    fork = await loaded(source, forked.conversation.id)
    assert [s.event.id for s in fork.steps] == [s.event.id for s in run.steps[:3]]
    assert await until_over(source, stage, forked.conversation.id, "script:short") == "finished"
    fork = await loaded(source, forked.conversation.id)
    assert [s.event.id for s in fork.steps[:3]] == [s.event.id for s in run.steps[:3]]
    assert len(fork) == 6 and len(await loaded(source, live.tour)) == len(run)


@pytest.mark.parametrize("version", [AgentVersion.USUAL, AgentVersion.NEW], indirect=True, ids=str)
async def test_a_fork_at_a_call_would_run_it_again(stage: Stage, folder: Path) -> None:
    """Which is why `forking` refuses it."""
    proof = folder / "work" / PROOF
    proof.unlink(missing_ok=True)
    conversation = await stage.started(stage.prompts.gated)
    await stage.until_status(conversation, "finished")
    assert proof.read_text() == "ran\n"
    (call,) = [e for e in await stage.events(conversation) if e.kind == "ActionEvent"]
    made = await stage.agent(conversation).fork(call.id)
    base = (conversation.conversation_url or "").rpartition("/")[0]
    fork = stage.agent(
        Conversation(
            made.id,
            conversation_url=f"{base}/{made.id}",
            session_api_key=conversation.session_api_key,
        )
    )
    await fork.send_message(stage.prompts.reply)

    async def again() -> bool:
        return any([event.action_id == call.id async for event in fork.events()])

    await stage.until(again)
    # the model then makes the call anew, so that a look may find a third line
    assert proof.read_text().startswith("ran\nran\n")


@asynccontextmanager
async def on(runs: Runs) -> AsyncIterator[AgentServerSource]:
    async with BareAgentServer(runs.agent_url, key=Secret(KEY)) as api:
        yield AgentServerSource(api, "test")


async def test_1_17_0_says_that_it_cannot_fork(alone: Callable[[str], Runs]) -> None:
    runs = alone(AgentVersion.OLD)
    async with on(runs) as source:
        run = await loaded(source, runs.tour)
        with pytest.raises(Problem, match=r"Agent server 1\.17\.0 cannot fork"):
            await forking.fork(source.agents, runs.tour, run, 3)


async def test_1_58_2_loses_the_key_and_a_profile_brings_it(
    alone: Callable[[str], Runs], model: ScriptedModel, stage: Stage
) -> None:
    runs = alone(AgentVersion.NEW)
    async with on(runs) as source:
        run = await loaded(source, runs.tour)
        forked = await forking.fork(source.agents, runs.tour, run, 3)
        identifier = forked.conversation.id
        assert forked.has_key is False and forked.conversation.origin == runs.tour
        assert len(await loaded(source, identifier)) == 3
        assert "POST" in forking.make_a_profile(source.agents)
        kept = {"llm": {"model": NAME, "api_key": "sk-scripted", "base_url": model.url}}
        headers = {"X-Session-API-Key": KEY}
        async with httpx.AsyncClient(headers=headers) as wire:
            made = await wire.post(f"{runs.agent_url}/api/profiles/cure", json=kept)
        assert made.is_success
        setup = await agent_setup.read(source.agents, identifier)
        await agent_setup.switch_profile(source.agents, setup, "cure")
        assert await until_over(source, stage, identifier, "script:short") == "finished"
        assert len(await loaded(source, identifier)) == 6


async def test_1_58_2_makes_two_forks_at_once(alone: Callable[[str], Runs]) -> None:
    """Both look whether the origin has a key, in a zip that the server makes under one name and
    removes twice: an error, after which it may answer nothing for 5 to 22 s."""
    runs = alone(AgentVersion.NEW)
    async with on(runs) as source:
        run = await loaded(source, runs.tour)
        both = await asyncio.gather(
            *(forking.fork(source.agents, runs.tour, run, 3) for _ in range(2))
        )
        assert not same_id(both[0].conversation.id, both[1].conversation.id)
        for forked in both:
            assert forked.is_listed and forked.problem is None and forked.has_key is False


async def test_1_58_2_forks_a_run_again_and_again(alone: Callable[[str], Runs]) -> None:
    runs = alone(AgentVersion.NEW)
    async with on(runs) as source:
        run = await loaded(source, runs.tour)
        first = await forking.fork(source.agents, runs.tour, run)
        again = await loaded(source, first.conversation.id)
        assert len(again) == len(run)
        second = await forking.fork(source.agents, first.conversation.id, again, 2)
        assert second.conversation.origin == first.conversation.id
        before = await forking.fork(source.agents, runs.tour, run, 1, before=True)
        assert len(await loaded(source, before.conversation.id)) == 0
