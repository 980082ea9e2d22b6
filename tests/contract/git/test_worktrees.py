"""The contract: git worktrees for agents of an agent server that is the server."""

# ruff: noqa: F401, F811
from __future__ import annotations

import posixpath
from dataclasses import dataclass
from uuid import UUID

import pytest

from oh_tui.actions import worktrees
from oh_tui.api import BareAgentServer, Conversation, InvalidRequest, NotFound, StartRequest
from oh_tui.demo import Demo
from oh_tui.demo.world import AgentVersion
from oh_tui.sources.agent_server import AgentServerSource
from oh_tui.text.problem import Problem
from tests.contract.fixtures import ServerUnderTest
from tests.contract.test_alone import api, server

these_versions = pytest.mark.parametrize(
    "version", [AgentVersion.USUAL, AgentVersion.CANVAS, AgentVersion.NEW], indirect=True
)

pytestmark = [these_versions]


@dataclass(frozen=True)
class Grounds:
    """Folders on the server."""

    clone: str
    """A repository with a commit and files that are not committed."""
    fresh: str
    """One that no agent has worked in."""


@pytest.fixture
def grounds(demo: Demo) -> Grounds:
    return Grounds("/workspace/dates", "/workspace/nothing")


async def started(
    api: BareAgentServer, folder: str, worktree: str = "", text: str = ""
) -> Conversation:
    wanted = next((one for one in worktrees.WORKTREES if one == worktree), None)
    request = StartRequest(message=text, folder=folder, worktree=wanted)
    *_, made = [step async for step in AgentServerSource(api, "test").agents.start(request)]
    assert isinstance(made, Conversation)
    return made


async def test_a_folder_is_looked_at_before_a_worktree_is_offered(
    api: BareAgentServer, grounds: Grounds, version: AgentVersion
) -> None:
    ground = await worktrees.look(api, grounds.clone)
    assert ground.version == version
    if version == AgentVersion.USUAL:
        assert not ground.choices and "1.34.0 does not tell of commits" in ground.why_not
        with pytest.raises(NotFound):
            await api.git_commits(grounds.clone)
        return
    assert ground.choices == (("yes",) if version == AgentVersion.CANVAS else ("yes", "head"))
    assert ground.uncommitted and ground.commit
    assert ground.commit.short_sha in ground.words("yes")
    assert posixpath.basename(ground.uncommitted[0]) in ground.words("yes")
    for folder in (grounds.fresh, ""):
        assert not (await worktrees.look(api, folder)).choices


async def test_a_worktree_goes_with_its_conversation(
    api: BareAgentServer, grounds: Grounds, version: AgentVersion
) -> None:
    if version == AgentVersion.USUAL:
        return
    made = await started(api, grounds.clone, "yes")
    listed = await api.sandbox.run_command("ls", cwd=made.folder)
    assert not listed.exit_code and listed.stdout
    await api.delete_conversation(made.id)
    assert await api.get_conversations([made.id]) == [None]
    listed = await api.sandbox.run_command("ls", cwd=made.folder)
    assert (listed.exit_code == 0) is (version == AgentVersion.CANVAS)
    with pytest.raises((NotFound, InvalidRequest)):  # 1.49.1 answers 400
        await api.delete_conversation(made.id)


async def test_the_record_of_a_worktree_tells_it_by_its_path(
    api: BareAgentServer, grounds: Grounds, version: AgentVersion
) -> None:
    if version == AgentVersion.USUAL:
        with pytest.raises(Problem, match=r"1\.34\.0 does not tell of commits"):
            await started(api, grounds.clone, "yes")
        return
    made = await started(api, grounds.clone, "yes")
    own, name = str(UUID(made.id)), posixpath.basename(grounds.clone)
    assert made.folder.endswith(f"/conversation-worktrees/{own}/{name}")
    assert (made.worktree, made.selected_branch) == (own, f"openhands/{own}")
    assert await api.git_changes(made.folder, ref="HEAD") == []
    (listed,) = await api.get_conversations([made.id])
    assert listed and (listed.folder, listed.worktree) == (made.folder, own)
    plain = await started(api, grounds.clone)
    assert (plain.folder, plain.worktree, plain.selected_branch) == (grounds.clone, "", None)


async def test_it_starts_where_the_folder_stands_if_the_server_can(
    api: BareAgentServer, grounds: Grounds, version: AgentVersion
) -> None:
    if version != AgentVersion.NEW:
        with pytest.raises(Problem):
            await started(api, grounds.clone, "head")
        return
    made = await started(api, grounds.clone, "head")
    (there,) = await api.git_commits(made.folder, limit=1)
    (head,) = await api.git_commits(grounds.clone, limit=1)
    assert there == head


async def test_a_fork_shares_the_worktree(
    api: BareAgentServer, grounds: Grounds, version: AgentVersion
) -> None:
    if version == AgentVersion.USUAL:
        return
    made = await started(api, grounds.clone, "yes")
    forked = await api.agent_server(made).fork()
    (listed,) = await api.get_conversations([forked.id])
    assert listed and listed.folder == made.folder
    assert (listed.worktree, listed.origin) == (str(UUID(made.id)), made.id)


async def test_without_a_commit_the_server_fails_the_second_time(
    api: BareAgentServer, server: ServerUnderTest, grounds: Grounds, version: AgentVersion
) -> None:
    if version == AgentVersion.USUAL:
        return
    with pytest.raises(Problem, match="git has no commit there"):
        await started(api, grounds.fresh, "yes")
    profile = (await api.agent_profiles()).active_agent_profile_id
    body = {
        "agent_profile_id": profile,
        "workspace": {"kind": "LocalWorkspace", "working_dir": grounds.fresh},
        "worktree": True,
    }
    async with server.wire() as wire:
        first = await wire.post("/api/conversations", json=body)
        assert first.json()["workspace"]["working_dir"] == grounds.fresh
        second = await wire.post("/api/conversations", json=body)
    assert second.status_code == 500
    assert second.json()["exception"].startswith("Git command failed: git worktree add")
