"""The contract, held against an agent server that is the server, without an app server."""

# ruff: noqa: F403, F821
from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator

import pytest

from oh_tui.api import (
    AuthError,
    BareAgentServer,
    Conflict,
    Conversation,
    InvalidRequest,
    NotFound,
    OtherKind,
    Secret,
    same_id,
)
from oh_tui.api.bare_server import FOLDER
from oh_tui.demo import Demo
from oh_tui.demo.servers.alone import make_alone
from oh_tui.demo.world import AgentVersion
from oh_tui.trajectory.formats.zip.archive import open_archive
from oh_tui.trajectory.model.trajectory import build

from .acting import Stage, StageAlone
from .fixtures import UNKNOWN, ServerUnderTest, every_version
from .git.test_git import *
from .test_agent_events import *
from .test_answering import *
from .test_files import *
from .test_forking import *
from .test_shell import *
from .test_stopping import *
from .test_tags import *

pytestmark = [every_version]

# of keys and addresses that an app server gives
del test_a_conversation_whose_sandbox_sleeps_has_no_agent_server
del test_a_wrong_sandbox_key_is_refused
del test_git_is_asked_with_a_path_and_the_key_of_the_sandbox
del test_no_command_without_the_key
del test_no_file_without_the_key
del test_the_agent_server_wants_its_own_key

KEY = Secret("key-of-the-agent-server-alone")


@pytest.fixture
def server(demo: Demo) -> ServerUnderTest:
    world = demo.world
    for one in [*world.conversations.values()]:  # few, as the fixture `run` counts their events
        if world.status(one.sandbox) != "RUNNING":
            del world.conversations[one.entry.id]
    return ServerUnderTest(demo.base_url, make_alone(world, KEY.reveal()), KEY)


@pytest.fixture
async def api(server: ServerUnderTest) -> AsyncIterator[BareAgentServer]:
    async with server.connect_alone() as api:
        yield api


@pytest.fixture
def stage(stage: Stage, api: BareAgentServer, server: ServerUnderTest) -> Stage:
    """The agent of the demo needs no model."""
    body = {"agent": {}, "workspace": {"working_dir": "workspace"}}
    return StageAlone(
        api, stage.prompts, None, stage.confirms, stage.ran, stage.sleep, stage.folder,
        stage.keeps_profile, stage.interrupts, agent_server=server, body=body,
    )  # fmt: skip


async def test_conversations_come_by_their_last_change(api: BareAgentServer) -> None:
    found = (await api.search_conversations()).items
    times = [one.updated_at or "" for one in found]
    assert len(found) >= 3 and times == sorted(times, reverse=True)
    assert await api.count_conversations() == len(found)
    for one in found:
        assert one.id == one.id.replace("-", "") and one.sandbox_id is None
        assert one.session_api_key is None


async def test_pages_of_conversations_join_to_the_list(api: BareAgentServer) -> None:
    whole = [one.id for one in (await api.search_conversations()).items]
    pages = [page.items async for page in api.conversations(limit=2).pages()]
    assert sorted(one.id for page in pages for one in page) == sorted(whole)
    assert [len(page) for page in pages[:-1]] == [2] * (len(pages) - 1)


async def test_a_run_is_told_with_state_model_and_tokens(
    api: BareAgentServer, run: Conversation
) -> None:
    assert (run.execution_status, bool(run.title), bool(run.llm_model)) == ("finished", True, True)
    assert run.tokens > 0
    assert run.created_at and run.updated_at and run.created_at <= run.updated_at


async def test_conversations_are_found_by_their_ids(
    api: BareAgentServer, run: Conversation
) -> None:
    found, unknown = await api.get_conversations([run.id, UNKNOWN])
    assert found is not None and same_id(found.id, run.id) and unknown is None


async def test_the_zip_holds_the_events(api: BareAgentServer, run: Conversation) -> None:
    async with api.download(run.id) as pieces:
        data = io.BytesIO(b"".join([piece async for piece in pieces]))
    assert zipfile.ZipFile(data).testzip() is None
    with open_archive(data) as archive:
        events = [archive.event(n) for n in range(len(archive))]
    there = (await api.search_events(run.id)).items
    assert {event.id for event in there} <= {event.id for event in events}
    assert len(build(events).steps) == len(build(there).steps)


async def test_a_conversation_gets_another_title(stage: StageAlone) -> None:
    conversation = await stage.started(stage.prompts.short)
    await stage.until_status(conversation, "finished")
    renamed = await stage.api.rename_conversation(conversation.id, "Another title ✓ [x]")
    assert renamed.title == "Another title ✓ [x]"
    with pytest.raises((NotFound, Conflict)):
        await stage.api.rename_conversation(UNKNOWN, "x")
    with pytest.raises(InvalidRequest):
        await stage.api.rename_conversation(conversation.id, " ")


async def test_an_unknown_conversation_is_not_found(api: BareAgentServer) -> None:
    with pytest.raises(NotFound):
        await api.count_events(UNKNOWN)
    with pytest.raises(InvalidRequest):
        await api.count_events("no-such-id")


async def test_another_key_is_refused_with_the_name_of_the_right_one(
    server: ServerUnderTest,
) -> None:
    other = ServerUnderTest(server.url, server.app, Secret("another-key"))
    async with other.connect_alone() as api:
        with pytest.raises(AuthError) as caught:
            await api.search_conversations()
    assert "OPENHANDS_API_KEY" in caught.value.hint
    assert "OH_SESSION_API_KEYS_0" in caught.value.hint


async def test_asked_as_an_app_server_it_says_what_it_is(server: ServerUnderTest) -> None:
    async with server.connect() as api:
        for call in (api.users_me(), api.search_conversations(), api.start_tasks.get([UNKNOWN])):
            with pytest.raises(OtherKind):
                await call


async def test_its_version_needs_no_key(server: ServerUnderTest, version: AgentVersion) -> None:
    async with BareAgentServer(server.url, app=server.app) as api:
        assert await api.version() == version
        assert await api.is_agent_server()


async def test_it_starts_agents_with_what_it_keeps(
    stage: StageAlone, version: AgentVersion
) -> None:
    if version == AgentVersion.OLD:  # it keeps nothing
        for call in (stage.api.settings(), stage.api.agent_profiles()):
            with pytest.raises(NotFound):
                await call
        return
    assert (await stage.api.settings()).has_model
    profiles = await stage.api.agent_profiles()
    profile = profiles.active_agent_profile_id
    assert any(one.id == profile and one.name for one in profiles.profiles)
    started = await stage.api.start(stage.prompts.short, profile)
    await stage.until_status(started, "finished")
    with pytest.raises(NotFound):
        await stage.api.start("", UNKNOWN)
    body = {
        "workspace": {"kind": "LocalWorkspace", "working_dir": FOLDER},
        "agent_profile_id": profile,
    }
    waiting = await stage.api.start_with(body)
    assert (await stage.api.get_conversations([waiting.id])) != [None]


async def test_its_profiles_are_listed_and_switched_to(stage: Stage, version: str) -> None:
    conversation = await stage.started()
    if version == "1.17.0":
        with pytest.raises(NotFound):
            await stage.api.llm_profiles()
        return
    await stage.keeps_profile(conversation, "fast")
    (fast,) = (p for p in (await stage.api.llm_profiles()).profiles if p.name == "fast")
    assert fast.api_key_set
    await stage.api.switch_profile(conversation.id, "fast")
    assert (await stage.now(conversation.id)).llm_model == fast.model
