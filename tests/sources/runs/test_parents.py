"""Which event follows which, from the zip of a run, and where that cannot be told."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace
from starlette.responses import Response

from oh_tui.api import BareAgentServer, Conversation
from oh_tui.demo import Demo
from oh_tui.demo.catalog import SETS
from oh_tui.demo.servers.alone import make_alone
from oh_tui.demo.world import AgentVersion, World
from oh_tui.sources.agent_server import AgentServerSource
from oh_tui.sources.server_runs import from_zip
from oh_tui.text.problem import Problem
from oh_tui.trajectory.model.branches import Branches, give_parents, lacks_parents
from tests.api.servers import AT_ONCE
from tests.tui.explorer import Between

BRANCHED = next(one.id for one in SETS["everything"] if one.slug == "unicode-slug")
ZIP = "GET /api/file/download-trajectory/*"


@pytest.fixture
def world() -> World:
    return Demo().world


@pytest.fixture
def between() -> Between:
    return Between()


@pytest.fixture
async def source(world: World, between: Between) -> AsyncIterator[AgentServerSource]:
    api = BareAgentServer("http://demo", app=between(make_alone(world)), retries=AT_ONCE)
    yield AgentServerSource(api, "test")
    await api.aclose()


@pytest.fixture
async def conversation(source: AgentServerSource) -> Conversation:
    (found,) = await source.get([BRANCHED])
    assert found
    return found


async def told(source: AgentServerSource, conversation: Conversation) -> dict[str, str]:
    seen: list[int] = []
    found = await from_zip.read_parents(source.api, conversation, seen.append)
    assert bool(seen) == bool(found) and seen == sorted(seen)
    return found


async def test_what_events_follow_is_read_from_the_zip(
    source: AgentServerSource, conversation: Conversation
) -> None:
    loaded = [one.trajectory async for one in source.runs.load(conversation) if one.trajectory]
    run = loaded[-1]
    assert lacks_parents(run.events) and Branches(run).count == 1
    give_parents(run.events, await told(source, conversation))
    assert not lacks_parents(run.events) and Branches(run).count == 2


@pytest.mark.parametrize("version", [AgentVersion.OLD, AgentVersion.WHOLE, AgentVersion.NEW])
async def test_other_versions_are_not_asked_for_their_zip(
    source: AgentServerSource,
    conversation: Conversation,
    world: World,
    between: Between,
    version: AgentVersion,
) -> None:
    world.agent_version = version
    assert await told(source, conversation) == {}
    assert not any("download" in call for call in between.asked)


@pytest.mark.parametrize(
    ("zipped", "why"),
    [
        (b"no zip", "The download is not a zip"),
        (b"PK\x03\x04", "what came is no whole zip"),
        (b"", "The download"),
    ],
)
async def test_a_zip_that_cannot_be_read_tells_nothing(
    source: AgentServerSource,
    conversation: Conversation,
    between: Between,
    zipped: bytes,
    why: str,
) -> None:
    between.answers[ZIP] = lambda: Response(zipped, media_type="application/zip")
    with pytest.raises(Problem, match=f"branches of this run cannot be told: .*{why}"):
        await from_zip.read_parents(source.api, conversation, lambda _: None)


async def test_a_zip_that_is_too_long_is_not_read_to_its_end(
    source: AgentServerSource, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(from_zip, "LARGEST", 100)
    with pytest.raises(Problem, match="cannot be told: the zip that tells them is longer than"):
        await told(source, conversation)


async def test_without_a_server_that_runs_it_cannot_be_told(
    source: AgentServerSource, conversation: Conversation
) -> None:
    asleep = replace(conversation, sandbox_status="PAUSED")
    with pytest.raises(Problem, match=r"cannot be told: .* no agent server runs"):
        await from_zip.read_parents(source.api, asleep, lambda _: None)
