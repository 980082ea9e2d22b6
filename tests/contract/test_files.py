"""The contract: files into a sandbox and out of it, byte for byte."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from msgspec.structs import replace

from oh_tui.api import (
    AgentServer,
    AppServer,
    AuthError,
    Conversation,
    InvalidRequest,
    NotFound,
    Secret,
    ServerError,
)

from .acting import Stage
from .fixtures import every_version

pytestmark = [every_version]

BINARY = random.Random(4).randbytes(3_000_001)


async def got(agent: AgentServer, path: str) -> bytes:
    async with agent.sandbox.download_file(path) as pieces:
        data = b"".join([piece async for piece in pieces])
        assert pieces.size == len(data)
        return data


async def test_a_binary_file_goes_in_and_comes_out_the_same(
    agent: AgentServer, stage: Stage, tmp_path: Path
) -> None:
    local = tmp_path / "local.bin"
    local.write_bytes(BINARY)
    path = f"{stage.folder}/new folder/über & 50%?.bin"
    told: list[int] = []
    assert await agent.sandbox.upload_file(path, local, progress=told.append) == len(BINARY)
    assert told[-1] == len(BINARY)
    assert await got(agent, path) == BINARY
    assert await agent.sandbox.file_size(path) == len(BINARY)


async def test_a_file_that_is_there_is_overwritten(agent: AgentServer, stage: Stage) -> None:
    path = f"{stage.folder}/twice.txt"
    for content in (b"a longer first text\n", b"short\n", b"", b"--x\r\n\r\n--x--\r\n"):
        await agent.sandbox.upload_file(path, content)
        assert await got(agent, path) == content
        assert await agent.sandbox.file_size(path) == len(content)


async def test_the_shell_sees_the_file_and_its_files_can_be_fetched(
    agent: AgentServer, stage: Stage
) -> None:
    path = f"{stage.folder}/seen.txt"
    await agent.sandbox.upload_file(path, b"put\n")
    result = await agent.sandbox.run_command(f"cat {path} && echo said > {path}.2")
    assert (result.exit_code, result.stdout) == (0, "put\n")
    assert await got(agent, f"{path}.2") == b"said\n"


async def test_what_is_no_file_cannot_be_fetched(agent: AgentServer, stage: Stage) -> None:
    await agent.sandbox.upload_file(f"{stage.folder}/x", b"x")
    with pytest.raises(NotFound, match="File not found"):
        await got(agent, f"{stage.folder}/no/such")
    for path, words in (("relative/path", "absolute"), (stage.folder, "not a file")):
        with pytest.raises(InvalidRequest, match=words) as caught:
            await got(agent, path)
        assert caught.value.status == 400


async def test_where_nothing_can_be_written_the_server_says_why(
    agent: AgentServer, stage: Stage, version: str
) -> None:
    await agent.sandbox.upload_file(f"{stage.folder}/x", b"x")
    with pytest.raises(InvalidRequest, match="absolute"):
        await agent.sandbox.upload_file("relative/path", b"x")
    refusal = InvalidRequest if version == "1.58.2" else ServerError
    with pytest.raises(refusal, match=r"(?i)is a directory"):
        await agent.sandbox.upload_file(stage.folder, b"x")
    with pytest.raises(ServerError, match="No such file"):
        await agent.sandbox.upload_file("/proc/no/x", b"x")


async def test_no_file_without_the_key(
    api: AppServer, agent: AgentServer, run: Conversation, stage: Stage
) -> None:
    path = f"{stage.folder}/kept.txt"
    await agent.sandbox.upload_file(path, b"kept")
    thief = api.agent_server(replace(run, session_api_key=Secret("wrong")))
    assert thief is not None
    with pytest.raises(AuthError):
        await got(thief, path)
    with pytest.raises(AuthError):
        await thief.sandbox.upload_file(path, b"changed")
    assert await got(agent, path) == b"kept"
