"""The answers of git in a real sandbox, about a repository made for it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from oh_tui.actions.workspace import _unquoted
from oh_tui.api import AgentServer, AppServer, InvalidRequest, ServerError

from .conftest import Live, every_version

pytestmark = pytest.mark.live


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


async def test_a_repository_tells_what_was_changed_in_it(
    api: AppServer, live: Live, tmp_path: Path
) -> None:
    (conversation,) = await api.get_conversations([live.tour])
    assert conversation is not None
    agent = api.agent_server(conversation)
    assert agent is not None
    git(tmp_path, "init", "-q")
    for name in ("kept.txt", "changed.txt", "gone.txt", "grüße.txt"):
        (tmp_path / name).write_text("one\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    (tmp_path / "changed.txt").write_text("two\n")
    (tmp_path / "grüße.txt").write_text("two\n")
    (tmp_path / "gone.txt").unlink()
    (tmp_path / "new.txt").write_text("new\n")
    changes = await agent.git_changes(str(tmp_path), ref="HEAD")
    assert {(_unquoted(change.path), change.status) for change in changes} == {
        ("changed.txt", "UPDATED"),
        ("grüße.txt", "UPDATED"),
        ("gone.txt", "DELETED"),
        ("new.txt", "ADDED"),
    }
    with pytest.raises(InvalidRequest):
        await agent.git_changes(str(tmp_path), ref="no-such-branch")


@every_version
async def test_the_two_texts_of_a_file_lack_their_last_newlines(
    agent: AgentServer, version: str, tmp_path: Path
) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "changed.txt").write_text("one\n\n")
    (tmp_path / "gone.txt").write_text("one\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    (tmp_path / "changed.txt").write_bytes("two\r\nthree\u2028four\f\n\n".encode())
    (tmp_path / "gone.txt").unlink()
    (tmp_path / "bytes.txt").write_bytes(b"\xff\n")
    told = await agent.git_diff(str(tmp_path / "changed.txt"))
    assert told.modified == "two\nthree\nfour\n\n"
    assert (await agent.git_diff(str(tmp_path / "bytes.txt"))).modified == ""
    if version == "1.58.2":
        assert (await agent.git_diff(str(tmp_path / "gone.txt"))).modified == ""
    else:
        error = ServerError if version == "1.17.0" else InvalidRequest
        with pytest.raises(error, match="File does not exist"):
            await agent.git_diff(str(tmp_path / "gone.txt"))
    (tmp_path / "long.txt").write_bytes(b"x" * (2**20 + 1))
    with pytest.raises(ServerError if version == "1.17.0" else InvalidRequest, match="too large"):
        await agent.git_diff(str(tmp_path / "long.txt"))
