"""The use cases of the screen and the commands, on the real server."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import httpx
import pytest

from oh_tui.api import AppServer, Conversation
from oh_tui.demo.world import AgentVersion
from oh_tui.sources.file_runs import whole_run
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.results import Loaded
from oh_tui.sources.server import ServerSource
from oh_tui.sources.server_runs.from_zip import read_parents
from oh_tui.trajectory.formats.zip.archive import open_archive
from oh_tui.trajectory.model.branches import Branches, give_parents, lacks_parents
from tests.contract.acting import Stage

from .conftest import Live, every_version
from .servers.alone import KEY
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


async def navigate(conversation: Conversation, event_id: str) -> int:
    key = conversation.session_api_key  # none where the agent server is the server
    headers = {"X-Session-API-Key": key.reveal() if key else KEY}
    async with httpx.AsyncClient(headers=headers, trust_env=False, timeout=60) as client:
        url = f"{conversation.conversation_url}/navigate"
        return (await client.post(url, json={"event_id": event_id})).status_code


async def read(stage: Stage, conversation: Conversation) -> Branches:
    source = ServerSource(stage.api, "test")
    run = (await loaded(source, await stage.now(conversation.id))).trajectory
    assert run
    return Branches(run)


async def read_zip(stage: Stage, conversation: Conversation) -> Branches:
    async with stage.agent(conversation).download() as pieces:
        data = io.BytesIO(b"".join([piece async for piece in pieces]))
    with open_archive(data) as archive:
        return Branches(whole_run(archive))


@every_version
async def test_going_back_makes_a_branch(stage: Stage, version: str) -> None:
    conversation = await stage.started(stage.prompts.short)
    await stage.until_status(conversation, "finished")
    assert (await read_zip(stage, conversation)).count == 1
    said = next(e for e in await stage.events(conversation) if e.kind == "MessageEvent")
    status = await navigate(conversation, said.id)
    if version == AgentVersion.OLD:
        assert status in (404, 405)
        return
    assert status == 200
    ways = [read_zip] if version == AgentVersion.USUAL else [read_zip, read]
    for way in ways:
        back = await way(stage, conversation)
        assert (back.count, [step.event.id for step in back.shown.steps]) == (2, [said.id])
    await stage.agent(conversation).send_message(stage.prompts.reply)
    await stage.until_status(conversation, "finished")
    for way in ways:
        found = await way(stage, conversation)
        steps = [step.event for step in found.shown.steps]
        assert (found.count, steps[0].id, steps[1].source) == (2, said.id, "user")
        assert len(steps) < len(found.run.steps)
        assert found.shown.branch and found.shown.branch.active == 2
    if version == AgentVersion.USUAL:
        without = await read(stage, conversation)
        assert without.count == 1 and lacks_parents(without.run.events), "it sends no parents"
        now = await stage.now(conversation.id)
        give_parents(without.run.events, await read_parents(stage.api, now, lambda _: None))
        assert not lacks_parents(without.run.events)
        told = Branches(without.run)
        ids = [[step.event.id for step in one.shown.steps] for one in (told, found)]
        assert told.count == 2 and ids[0] == ids[1]
