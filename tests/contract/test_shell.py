"""The contract: commands in a sandbox, their whole output and their exit codes."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from oh_tui.api import AgentServer, AppServer, AuthError, Conversation, NotFound, Secret
from oh_tui.api.models import BashOutput

from .fixtures import UNKNOWN, every_version

pytestmark = [every_version]

NUMBERS = "".join(f"{number}\n" for number in range(1, 450_001))


async def test_3_MB_of_output_come_whole(agent: AgentServer) -> None:
    assert len(NUMBERS) > 3_000_000
    seen: list[BashOutput] = []
    result = await agent.sandbox.run_command("seq 1 450000", progress=seen.append)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert result.stdout == NUMBERS
    assert [part.order for part in seen] == [0, 1, 2]
    assert [len(part.stdout or "") for part in seen[:2]] == [1024 * 1024] * 2
    assert [part.exit_code for part in seen] == [None, None, 0]


async def test_a_command_that_fails_has_its_exit_code_and_both_streams(
    agent: AgentServer,
) -> None:
    result = await agent.sandbox.run_command("echo out; echo err >&2; exit 3")
    assert (result.exit_code, result.stdout, result.stderr) == (3, "out\n", "err\n")
    result = await agent.sandbox.run_command("true")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    result = await agent.sandbox.run_command("no-such-command-here")
    assert result.exit_code == 127
    assert "not found" in result.stderr


async def test_long_outputs_on_both_streams_are_kept_apart(agent: AgentServer) -> None:
    result = await agent.sandbox.run_command("seq 1 450000; seq 1 450000 >&2; exit 9")
    assert result.exit_code == 9
    assert result.stdout == NUMBERS
    assert result.stderr == NUMBERS


async def test_what_is_no_text_comes_as_replacement_characters(agent: AgentServer) -> None:
    result = await agent.sandbox.run_command(r"printf 'a\377b\000c é ✓'")
    assert result.stdout == "a�b\0c é ✓"


async def test_a_command_that_takes_too_long_is_ended(agent: AgentServer) -> None:
    result = await agent.sandbox.run_command("echo before; sleep 60; echo after", timeout=1)
    assert (result.exit_code, result.stdout) == (-1, "before\n")


async def test_a_folder_that_is_not_there_is_told(agent: AgentServer) -> None:
    result = await agent.sandbox.run_command("pwd", cwd="/no/such/folder")
    assert result.exit_code == -1
    assert "No such file or directory" in result.stderr
    home = (await agent.sandbox.run_command("pwd")).stdout.strip()
    assert home.startswith("/")
    assert (await agent.sandbox.run_command("pwd", cwd=home)).stdout.strip() == home


async def test_a_command_goes_on_unread_and_can_be_read_later(agent: AgentServer) -> None:
    command = await agent.sandbox.start_bash_command("sleep 1; echo done")
    assert (command.command, command.timeout) == ("sleep 1; echo done", 300)
    assert (await agent.sandbox.search_bash_events(command.id)).items == []
    for _ in range(2):
        parts = [part async for part in agent.sandbox.bash_output(command.id, timeout=20)]
        assert [(part.stdout, part.exit_code) for part in parts] == [("done\n", 0)]
    page = await agent.sandbox.search_bash_events(command.id, order__gt=0)
    assert (page.items, page.next_page_id) == ([], None)
    assert (await agent.sandbox.search_bash_events(UNKNOWN)).items == []


async def test_a_running_command_is_stopped_by_servers_that_can(
    agent: AgentServer, version: str
) -> None:
    started = await agent.sandbox.start_bash_command("echo begun; sleep 60")
    if version != "1.58.2":
        with pytest.raises(NotFound):
            await agent.sandbox.stop_bash_command(started.id)
        return
    for _ in range(2):  # once more, when it is over
        await agent.sandbox.stop_bash_command(started.id)
    parts = [part async for part in agent.sandbox.bash_output(started.id, timeout=20)]
    assert parts[-1].exit_code == -15
    with pytest.raises(NotFound):
        await agent.sandbox.stop_bash_command(UNKNOWN)


async def test_pages_of_an_output_join(agent: AgentServer, version: str) -> None:
    result = await agent.sandbox.start_bash_command("seq 1 450000")
    async for _ in agent.sandbox.bash_output(result.id):
        pass
    first = await agent.sandbox.search_bash_events(result.id, limit=2)
    assert first.next_page_id is not None
    last = await agent.sandbox.search_bash_events(result.id, limit=2, page_id=first.next_page_id)
    assert last.next_page_id is None
    parts = [*first.items, *last.items]
    if version == "1.17.0":  # parts of one second come in any order
        parts.sort(key=lambda part: part.order or 0)
    assert "".join(part.stdout or "" for part in parts) == NUMBERS


async def test_no_command_without_the_key(api: AppServer, run: Conversation) -> None:
    agent = api.agent_server(replace(run, session_api_key=Secret("wrong")))
    assert agent is not None
    for call in (
        agent.sandbox.run_command("true"),
        agent.run(),
    ):
        with pytest.raises(AuthError):
            await call
