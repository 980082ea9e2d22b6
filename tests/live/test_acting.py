"""Calls that act, where only the real server can show the effect."""

from __future__ import annotations

import time

import pytest

from oh_tui.api import (
    ApiError,
    AppServer,
    AuthError,
    Conflict,
    Secret,
    ServerError,
    StartRequest,
    TimedOut,
)
from oh_tui.api.http.http_errors import MAYBE_DONE
from tests.contract.acting import Stage

from .conftest import Patient
from .servers.server import LiveServer

pytestmark = pytest.mark.live


async def test_to_go_on_while_it_runs_is_refused_when_the_step_is_over(stage: Stage) -> None:
    conversation = await stage.calling()
    agent = stage.agent(conversation)
    began = time.monotonic()
    with pytest.raises((Conflict, TimedOut)):
        await agent.run()
    assert time.monotonic() - began < 6
    await stage.until_status(conversation, "finished")
    calls = [e for e in await stage.events(conversation) if e.kind == "ActionEvent"]
    assert len(calls) == 1


async def test_a_paused_sandbox_is_a_sentence_within_6_seconds(stage: Stage) -> None:
    conversation = await stage.started("script:short")
    await stage.until_status(conversation, "finished")
    agent, sandbox = stage.agent(conversation), conversation.sandbox_id or ""
    await stage.api.sandboxes.pause(sandbox)
    try:
        for call in (agent.respond_to_confirmation(True), agent.sandbox.start_bash_command("true")):
            began = time.monotonic()
            with pytest.raises(TimedOut) as caught:
                await call
            assert time.monotonic() - began < 6
            assert caught.value.hint == MAYBE_DONE
    finally:
        await stage.api.sandboxes.resume(sandbox)


async def test_a_start_wakes_the_sandbox_that_it_names(stage: Stage) -> None:
    sandbox = stage.sandbox_id or ""
    await stage.api.sandboxes.pause(sandbox)
    try:
        conversation = await stage.started("script:short")
        assert conversation.sandbox_status == "RUNNING"
        await stage.until_status(conversation, "finished")
    finally:
        await stage.api.sandboxes.resume(sandbox)


async def test_the_app_server_gives_a_message_up_that_arrives_all_the_same(
    stage: Stage, patient: Patient
) -> None:
    conversation = patient.conversation
    with pytest.raises(ServerError) as caught:
        await stage.api.send_message(conversation.id, "script:reply")
    assert (caught.value.status, caught.value.hint) == (502, MAYBE_DONE)
    patient.end()
    await stage.until_status(conversation, "finished")
    assert (await stage.kinds(conversation)).count("MessageEvent") == 3


@pytest.mark.parametrize("key", [None, "wrong"])
async def test_without_the_right_key_nothing_is_done(locked: LiveServer, key: str | None) -> None:
    async with AppServer(locked.url, key=Secret(key) if key else None) as api:
        for call in (
            api.start_tasks.begin(StartRequest(message="script:short")),
            api.send_message("0" * 32, "Hello?"),
            api.start_tasks.get(["0" * 32]),
            api.sandboxes.pause("x"),
        ):
            with pytest.raises(AuthError):
                await call
    async with AppServer(locked.url, key=Secret(locked.key)) as api:
        assert await api.start_tasks.get(["0" * 32]) == [None]


async def test_with_the_right_key_the_first_call_may_be_one_that_acts(locked: LiveServer) -> None:
    async with AppServer(locked.url, key=Secret(locked.key)) as api:
        with pytest.raises(ApiError) as caught:
            await api.send_message("0" * 32, "x")
        assert caught.value.status == 404
