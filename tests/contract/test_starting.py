"""The contract: starting a conversation, and the stages that the server reports."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from oh_tui.actions import starting
from oh_tui.actions.starting import STAGES
from oh_tui.api import (
    AppServer,
    Conflict,
    Conversation,
    InvalidRequest,
    NotFound,
    StartRequest,
    same_id,
)
from oh_tui.text.problem import Problem, Remedy

from .acting import Stage
from .fixtures import UNKNOWN

ORDER = [*STAGES, "ERROR"]


async def test_a_start_goes_through_its_stages_to_a_conversation(stage: Stage) -> None:
    task, seen = await stage.task(
        StartRequest(message=stage.prompts.short, sandbox_id=stage.sandbox_id)
    )
    assert (seen[0], seen[-1]) == ("WORKING", "READY")
    assert seen == sorted(seen, key=ORDER.index)
    assert task.app_conversation_id is not None
    assert task.sandbox_id == stage.sandbox_id
    conversation = await stage.now(task.app_conversation_id)
    assert conversation.sandbox_status == "RUNNING"
    await stage.until_status(conversation, "finished")
    messages = [event for event in await stage.events(conversation) if event.source == "user"]
    assert messages[0].body()["llm_message"]["content"][0]["text"] == stage.prompts.short


SETTLED = 15.0
"""Seconds after a message in which an app server may still write a title."""


async def test_a_start_ignores_its_title_and_gets_it_afterwards(stage: Stage) -> None:
    asked = StartRequest(
        message=stage.prompts.short, title="My own title", sandbox_id=stage.sandbox_id
    )
    task, _ = await stage.task(asked)
    conversation = await stage.now(task.app_conversation_id or "")
    assert conversation.title != "My own title"

    async def started() -> Conversation:
        steps = [one async for one in starting.start(stage.api, asked, waits=[0.5])]
        assert isinstance(steps[-1], Conversation)
        return steps[-1]

    conversation = await stage.meanwhile(started())
    assert conversation.title == "My own title"
    await stage.until_status(conversation, "finished")
    await stage.sleep(SETTLED)
    assert (await stage.now(conversation.id)).title == "My own title"


async def test_a_start_that_fails_leaves_a_sandbox_and_names_it(stage: Stage) -> None:
    asked = StartRequest(message=stage.prompts.short, selected_repository="acme/none")

    async def started() -> None:
        async for _ in starting.start(stage.api, asked, waits=[0.5]):
            pass

    with pytest.raises(Problem) as caught:
        await stage.meanwhile(started())
    assert caught.value.hint == Remedy.PAUSE_LEFT
    (left,) = await stage.api.sandboxes.get([caught.value.about])
    assert left is not None and left.status == "RUNNING"
    await stage.api.sandboxes.pause(left.id)


async def test_a_first_message_is_answered_even_if_told_not_to(
    wire: httpx.AsyncClient, stage: Stage
) -> None:
    text = [{"type": "text", "text": stage.prompts.short}]
    asked = {"sandbox_id": stage.sandbox_id, "initial_message": {"content": text, "run": False}}
    task = (await wire.post("/api/v1/app-conversations", json=asked)).json()

    async def finished() -> bool:
        (found,) = await stage.api.start_tasks.get([task["id"]])
        identifier = found.app_conversation_id if found else None
        return bool(identifier) and await stage.status(await stage.now(identifier or "")) == (
            "finished"
        )

    await stage.until(finished)


async def test_a_start_may_have_a_parent(stage: Stage) -> None:
    parent = await stage.started()
    task, _ = await stage.task(
        StartRequest(sandbox_id=stage.sandbox_id, parent_conversation_id=parent.id)
    )
    child = await stage.now(task.app_conversation_id or "")
    assert same_id(child.parent_conversation_id or "", parent.id)
    assert child.sandbox_id == parent.sandbox_id


@pytest.mark.parametrize(
    "wrong",
    [{"sandbox_id": "nope"}, {"selected_repository": "acme/none", "selected_branch": "main"}],
)
async def test_a_start_that_fails_says_so_in_its_task(stage: Stage, wrong: dict[str, Any]) -> None:
    before = await stage.api.count_conversations()
    sandbox: dict[str, Any] = {"sandbox_id": stage.sandbox_id} | wrong
    task, seen = await stage.task(StartRequest(message=stage.prompts.short, **sandbox))
    assert seen[-1] == "ERROR"
    assert task.app_conversation_id is None
    if "sandbox_id" in wrong:
        assert "Sandbox not found: nope" in (task.detail or "")
    else:
        assert task.detail == ""
    assert await stage.api.count_conversations() == before


@pytest.mark.parametrize(
    "wrong", [{"parent_conversation_id": "no-uuid"}, {"git_provider": "no-such-provider"}]
)
async def test_a_start_with_a_wrong_field_is_refused(api: AppServer, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await api.start_tasks.begin(StartRequest(**wrong))
    assert caught.value.status == 422


async def test_a_message_to_a_paused_sandbox_wants_a_resume_first(stage: Stage) -> None:
    conversation = await stage.started(stage.prompts.short)
    await stage.until_status(conversation, "finished")
    count = len(await stage.events(conversation))
    sandbox = conversation.sandbox_id or ""
    await stage.api.sandboxes.pause(sandbox)

    async def paused() -> bool:
        return (await stage.now(conversation.id)).sandbox_status == "PAUSED"

    async def running() -> bool:
        return (await stage.now(conversation.id)).sandbox_status == "RUNNING"

    try:
        await stage.until(paused)
        with pytest.raises(Conflict, match="PAUSED") as caught:
            await stage.api.send_message(conversation.id, stage.prompts.reply)
        assert (caught.value.status, caught.value.hint[:6]) == (409, "Resume")
    finally:
        await stage.api.sandboxes.resume(sandbox)
    await stage.until(running)
    conversation = await stage.now(conversation.id)
    assert len(await stage.events(conversation)) == count
    await stage.api.send_message(conversation.id, stage.prompts.reply)
    await stage.until_status(conversation, "finished")


async def test_nothing_can_be_said_to_what_is_not_there(api: AppServer, run: Conversation) -> None:
    with pytest.raises(NotFound):
        await api.send_message(UNKNOWN, "Hello?")
    with pytest.raises(InvalidRequest):
        await api.send_message("no-uuid", "Hello?")
