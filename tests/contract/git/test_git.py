"""The contract: the changes that git in a sandbox reports."""

from __future__ import annotations

import httpx
import pytest

from oh_tui.api import (
    AgentServer,
    AppServer,
    Conversation,
    InvalidRequest,
    NotFound,
    ServerError,
)
from oh_tui.api.models import GitDiff
from oh_tui.sources.server import ServerSource
from tests.contract.fixtures import every_version

pytestmark = [every_version]


async def test_where_there_is_no_repository_only_an_old_server_says_so(
    agent: AgentServer, version: str
) -> None:
    if version == "1.17.0":
        with pytest.raises(NotFound, match="There is no git repository in /"):
            await agent.git_changes("/")
        with pytest.raises(ServerError, match="Directory does not exist"):
            await agent.git_changes("/no/such/folder")
    else:
        assert await agent.git_changes("/") == []
        assert await agent.git_changes("/no/such/folder") == []


async def test_the_record_tells_the_folder_that_git_is_asked_about(
    agent: AgentServer,
) -> None:
    workspace = (await agent.conversation()).workspace
    assert workspace is not None
    assert workspace.working_dir


async def test_the_changes_of_a_run_have_a_status_each(
    api: AppServer, run: Conversation, version: str
) -> None:
    try:
        changes = await ServerSource(api, "test").workspaces.git_changes(run)
    except NotFound:  # its folder is no repository
        assert version == "1.17.0"
        return
    assert changes is not None
    assert {change.status for change in changes} <= {"ADDED", "UPDATED", "DELETED", "MOVED"}


async def test_a_file_has_no_two_texts_where_there_is_no_repository(
    agent: AgentServer, version: str
) -> None:
    if version == "1.17.0":
        with pytest.raises(ServerError, match="File is not in a git repository: /"):
            await agent.git_diff("/")
    else:
        assert await agent.git_diff("/") == GitDiff(None, None)


async def test_a_file_that_is_not_there_is_refused(agent: AgentServer, version: str) -> None:
    error = ServerError if version == "1.17.0" else InvalidRequest
    with pytest.raises(error, match="File does not exist: /no/such/file"):
        await agent.git_diff("/no/such/file")


async def test_commits_are_told_by_servers_that_can(agent: AgentServer, version: str) -> None:
    if version != "1.58.2":
        for call in (agent.git_commits("/"), agent.commit_changes("/", "0" * 40)):
            with pytest.raises(NotFound):
                await call
        return
    assert await agent.git_commits("/") == ()  # no repository


async def test_git_is_asked_with_a_path_and_the_key_of_the_sandbox(
    wire: httpx.AsyncClient, run: Conversation, version: str
) -> None:
    assert run.conversation_url and run.session_api_key
    url = run.conversation_url.partition("/api/conversations/")[0] + "/api/git/changes"
    key = {"X-Session-API-Key": run.session_api_key.reveal()}
    assert (await wire.get(url, params={"path": "/"})).status_code == 401
    assert (await wire.get(url, headers=key)).status_code == 422
    answer = await wire.get(url, params={"path": "/"}, headers=key)
    if version == "1.17.0":
        assert (answer.status_code, answer.json()["exception"]) == (500, "Not a git repository: /")
    else:
        assert (answer.status_code, answer.json()) == (200, [])
