"""Worktrees of real agent servers, in repositories made for them."""

# ruff: noqa: F403
# mypy: disable-error-code=no-redef
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from oh_tui.api import BareAgentServer, Secret
from oh_tui.demo.world import AgentVersion
from tests.contract.fixtures import ServerUnderTest
from tests.contract.git.test_worktrees import *
from tests.contract.git.test_worktrees import Grounds, started, these_versions

from .conftest import Runs
from .servers.alone import KEY
from .servers.model import NAME, ScriptedModel
from .test_git import git

pytestmark = [
    pytest.mark.live,
    these_versions,
]


@pytest.fixture
def server(
    version: str, alone: Callable[[str], Runs], model: ScriptedModel, folder: Path
) -> ServerUnderTest:
    url = alone(version).agent_url
    llm = {"model": NAME, "api_key": "sk-scripted", "base_url": model.url}
    kept = {"agent_settings_diff": {"llm": llm}}
    headers = {"X-Session-API-Key": KEY}
    httpx.patch(f"{url}/api/settings", json=kept, headers=headers, timeout=60).raise_for_status()
    return ServerUnderTest(url, None, Secret(KEY))


@pytest.fixture
def grounds(tmp_path: Path) -> Grounds:
    """The clone stands one commit before what it was cloned of, on a branch of its own."""
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    origin.mkdir()
    git(origin, "init", "-q", "-b", "main")
    (origin / "kept.txt").write_text("one\n")
    git(origin, "add", ".")
    git(origin, "commit", "-q", "-m", "first")
    git(tmp_path, "clone", "-q", str(origin), str(clone))
    git(clone, "checkout", "-q", "-b", "feature")
    (clone / "mine.txt").write_text("mine\n")
    git(clone, "add", ".")
    git(clone, "commit", "-q", "-m", "on a branch")
    (clone / "kept.txt").write_text("two\n")
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    return Grounds(str(clone), str(fresh))


async def test_the_default_branch_is_where_a_worktree_starts(
    api: BareAgentServer, grounds: Grounds, version: AgentVersion
) -> None:
    if version == AgentVersion.USUAL:
        return
    made = await started(api, grounds.clone, "yes")
    (there,) = await api.git_commits(made.folder)
    assert there.subject == "first"
    assert {one.name for one in Path(made.folder).iterdir()} == {".git", "kept.txt"}
    assert (Path(made.folder) / "kept.txt").read_text() == "one\n"
    assert (Path(grounds.clone) / "kept.txt").read_text() == "two\n"


async def test_deleting_a_conversation_does_what_the_words_say(
    api: BareAgentServer, server: ServerUnderTest, grounds: Grounds, version: AgentVersion
) -> None:
    if version == AgentVersion.USUAL:
        return
    made = await started(api, grounds.clone, "yes")
    (Path(made.folder) / "not-committed.txt").write_text("lost?\n")
    async with server.wire() as wire:
        (await wire.delete(f"/api/conversations/{made.id}")).raise_for_status()
    assert Path(made.folder).exists() is (version == AgentVersion.CANVAS)
    assert (Path(grounds.clone) / ".git/refs/heads" / (made.selected_branch or "")).exists()
