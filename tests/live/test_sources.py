"""The use cases of the screen and the commands, on the real server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from oh_tui.api import AppServer, Conversation
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.results import Loaded
from oh_tui.sources.server import ServerSource

from .conftest import Live
from .servers.server import LiveServer

pytestmark = pytest.mark.live


async def one(source: ServerSource, conversation_id: str) -> Conversation:
    (found,) = await source.get([conversation_id])
    assert found is not None
    return found


async def loaded(source: ServerSource | FileSource, conversation: Conversation) -> Loaded:
    states = [state async for state in source.runs.load(conversation)]
    assert states[-1].trajectory is not None
    return states[-1]


async def test_a_run_is_read_from_its_sandbox(api: AppServer, live: Live) -> None:
    source = ServerSource(api, "live")
    tour = await one(source, live.tour)
    state = await loaded(source, tour)
    assert state.via == "agent server"
    assert state.trajectory is not None
    assert (state.trajectory.complete, state.trajectory.counts.calls) == (True, 11)
    assert (await source.runs.count_events(tour))[1] == "app server"


async def test_a_run_the_app_server_never_heard_of_is_read_all_the_same(
    deaf: tuple[LiveServer, str],
) -> None:
    server, identifier = deaf
    async with AppServer(server.url) as api:
        source = ServerSource(api, "deaf")
        conversation = await one(source, identifier)
        count, via = await source.runs.count_events(conversation)
        state = await loaded(source, conversation)
        assert (via, state.via) == ("agent server", "agent server")
        assert state.trajectory is not None
        assert state.trajectory.counts.events == count > 5


async def test_a_downloaded_run_opens_as_the_same_run(
    api: AppServer, live: Live, tmp_path: Path
) -> None:
    source = ServerSource(api, "live")
    received: list[int] = []
    path = await source.runs.download(await one(source, live.tour), tmp_path, received.append)
    assert received[-1] == path.stat().st_size
    files = FileSource([path])
    (conversation,) = (await files.newest()).items
    from_file = (await loaded(files, conversation)).trajectory
    from_server = (await loaded(source, await one(source, live.tour))).trajectory
    await files.close()
    assert from_file is not None
    assert from_server is not None
    assert [step.event.id for step in from_file.steps] == [
        step.event.id for step in from_server.steps
    ]


async def test_a_run_is_followed_stopped_and_its_sandbox_paused_and_resumed(
    api: AppServer, live: Live
) -> None:
    source = ServerSource(api, "live")
    identifier = await asyncio.to_thread(live.server.start, "script:long", sandbox_id=live.sandbox)
    conversation = await one(source, identifier)
    state = await loaded(source, conversation)
    run = state.trajectory
    assert run is not None

    async with asyncio.timeout(60):
        following = source.runs.follow(conversation, run, state.via)
        while not run.counts.calls:
            news = await anext(following)
            assert news is not None, "the agent server knows the events it gave"
            run.extend(news)
        await following.aclose()
    assert run.counts.open == 1

    plan = await source.sandboxes.plan(live.sandbox)
    assert plan.action == "pause"
    assert plan.at_stake
    assert [running.id for running in plan.running] == [identifier]
    async with asyncio.timeout(120):
        stages = [stage async for stage in source.sandboxes.carry_out(plan, stop_agents=True)]
    assert stages == [
        "agent stopping after this step",
        "agent stopped",
        "sandbox pausing",
        "paused",
    ]
    plan = await source.sandboxes.plan(live.sandbox)
    assert plan.action == "resume"
    stages = [stage async for stage in source.sandboxes.carry_out(plan, stop_agents=False)]
    assert stages == ["sandbox resuming", "running again"]

    run = (await loaded(source, await one(source, identifier))).trajectory
    assert run is not None
    assert run.status == "paused"
    assert (run.counts.calls, run.counts.ok) == (1, 1)
    assert "PauseEvent" in {event.kind for event in run.events}
