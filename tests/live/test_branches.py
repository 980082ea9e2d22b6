"""Branches as a real server makes them: what its events, its record and its zip tell of them."""

from __future__ import annotations

import io

import httpx
import pytest

from oh_tui.api import Conversation
from oh_tui.demo.world import AgentVersion
from oh_tui.sources.file_runs import whole_run
from oh_tui.sources.server import ServerSource
from oh_tui.trajectory.formats.zip.archive import open_archive
from oh_tui.trajectory.model.branches import Branches
from tests.contract.acting import Stage

from .conftest import every_version
from .servers.alone import KEY
from .test_sources import loaded

pytestmark = [pytest.mark.live, every_version]


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
        assert (await read(stage, conversation)).count == 1, "it sends no parents"
