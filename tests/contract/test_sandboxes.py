"""The contract: sandboxes, their pause and resume."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from oh_tui.api import ApiError, AppServer, Conversation, NotFound, Sandbox

UNKNOWN = "NoSuchSandbox"


async def sandbox_of(api: AppServer, conversation: Conversation) -> Sandbox:
    (found,) = await api.sandboxes.get([conversation.sandbox_id or ""])
    assert found is not None
    return found


async def until(api: AppServer, sandbox_id: str, status: str) -> Sandbox:
    for _ in range(100):
        (found,) = await api.sandboxes.get([sandbox_id])
        assert found is not None
        if found.status == status:
            return found
        await asyncio.sleep(0.2)
    raise AssertionError(f"{sandbox_id} did not become {status}")


async def test_sandboxes_come_newest_first(api: AppServer) -> None:
    sandboxes = (await api.sandboxes.search()).items
    times = [datetime.fromisoformat(one.created_at or "") for one in sandboxes]
    assert times
    assert times == sorted(times, reverse=True)
    pages = [page.items async for page in api.sandboxes.all().pages()]
    assert [one.id for page in pages for one in page] == [one.id for one in sandboxes]


async def test_the_cursor_of_sandboxes_is_an_offset(api: AppServer) -> None:
    sandboxes = (await api.sandboxes.search()).items
    page = await api.sandboxes.search(limit=1)
    assert [one.id for one in page.items] == [sandboxes[0].id]
    assert page.next_page_id == ("1" if len(sandboxes) > 1 else None)


async def test_a_batch_of_sandboxes_has_nothing_for_an_unknown_id(
    api: AppServer, run: Conversation
) -> None:
    found = await api.sandboxes.get([UNKNOWN, run.sandbox_id or ""])
    assert [one and one.id for one in found] == [None, run.sandbox_id]


async def test_a_running_sandbox_has_the_key_of_its_conversation(
    api: AppServer, run: Conversation
) -> None:
    sandbox = await sandbox_of(api, run)
    assert sandbox.status == run.sandbox_status == "RUNNING"
    assert sandbox.session_api_key == run.session_api_key is not None
    assert sandbox.sandbox_spec_id


async def test_a_sandbox_that_does_not_run_has_no_key(api: AppServer) -> None:
    for sandbox in (await api.sandboxes.search()).items:
        assert (sandbox.session_api_key is not None) == (sandbox.status == "RUNNING")


@pytest.mark.parametrize("verb", ["pause", "resume"])
async def test_an_unknown_sandbox_is_not_found(api: AppServer, verb: str) -> None:
    change = {"pause": api.sandboxes.pause, "resume": api.sandboxes.resume}[verb]
    with pytest.raises(NotFound):
        await change(UNKNOWN)


async def test_a_running_sandbox_may_be_resumed(api: AppServer, run: Conversation) -> None:
    await api.sandboxes.resume(run.sandbox_id or "")
    assert (await sandbox_of(api, run)).status == "RUNNING"


async def test_a_pause_hides_the_agent_server_and_a_resume_brings_it_back(
    api: AppServer, run: Conversation
) -> None:
    sandbox_id = run.sandbox_id or ""
    before = api.agent_server(run)
    assert before is not None
    count = await api.count_events(run.id)

    await api.sandboxes.pause(sandbox_id)
    try:
        paused = await until(api, sandbox_id, "PAUSED")
        assert paused.session_api_key is None
        (shown,) = await api.get_conversations([run.id])
        assert shown is not None
        assert shown.sandbox_status == "PAUSED"
        assert shown.execution_status is None
        assert (shown.conversation_url, shown.session_api_key) == (None, None)
        assert (shown.created_at, shown.updated_at) == (run.created_at, run.updated_at)
        assert api.agent_server(shown) is None
        with pytest.raises(ApiError):
            await before.count_events()
        # the history stays readable, and asking twice does no harm
        assert await api.count_events(run.id) == count
        await api.sandboxes.pause(sandbox_id)
        assert (await sandbox_of(api, run)).status == "PAUSED"
    finally:
        await api.sandboxes.resume(sandbox_id)

    await until(api, sandbox_id, "RUNNING")
    (shown,) = await api.get_conversations([run.id])
    assert shown is not None
    assert (shown.sandbox_status, shown.execution_status) == ("RUNNING", "finished")
    after = api.agent_server(shown)
    assert after is not None
    assert await after.count_events() > 0
