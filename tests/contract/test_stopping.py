"""The contract: stopping an agent after its step or at once, and continuing it."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from oh_tui.api import AppServer, Conflict, Conversation, InvalidRequest, NotFound
from oh_tui.catalog import silence
from oh_tui.sources.server_runs.loading import ServerRuns

from .acting import Stage, agents_of
from .fixtures import UNKNOWN, every_version

pytestmark = [every_version]


async def test_stopped_after_the_step_it_has_the_result_and_goes_on(stage: Stage) -> None:
    conversation = await stage.calling()
    agent = stage.agent(conversation)
    await stage.meanwhile(agent.pause())
    assert await stage.status(conversation) == "paused"
    assert (await stage.kinds(conversation))[-3:] == ["ObservationEvent", "paused", "PauseEvent"]
    await stage.stop(conversation)
    assert (await stage.kinds(conversation))[-1] == "PauseEvent"
    await agent.run()
    await stage.until_status(conversation, "finished")


async def test_stopped_while_the_model_thinks_it_still_does_what_that_says(
    stage: Stage, version: str
) -> None:
    conversation = await stage.started(stage.prompts.thinks)
    await stage.until_status(conversation, "running")
    await stage.sleep(0.8)
    agent = stage.agent(conversation)
    await stage.meanwhile(agent.pause())
    # 1.58.2 says "running" until the step is over
    assert await stage.status(conversation) == ("running" if version == "1.58.2" else "paused")
    kinds = await stage.kinds(conversation)
    assert kinds[-2:] == ["paused", "PauseEvent"]
    assert (await agents_of(stage.api).state(conversation.id)).status == "paused"
    if version == "1.17.0":  # it answers only when the step is over
        assert kinds[-4:-2] == ["ActionEvent", "ObservationEvent"]
        await stage.let_go_on(conversation)
        await stage.until_status(conversation, "finished")
        return
    with pytest.raises(Conflict):
        await agent.run()

    async def done() -> bool:
        return "ObservationEvent" in await stage.kinds(conversation)

    await stage.until(done)
    after = (await stage.kinds(conversation))[len(kinds) :]
    assert after[:2] == ["ActionEvent", "ObservationEvent"]
    await stage.until_status(conversation, "paused")
    await stage.let_go_on(conversation)
    await stage.until_status(conversation, "finished")


async def test_stopped_at_once_the_call_is_cut_off_and_not_repeated(stage: Stage) -> None:
    conversation = await stage.calling()
    agent = stage.agent(conversation)
    if not stage.interrupts:
        with pytest.raises(NotFound) as caught:
            await agent.interrupt()
        assert "too old" in caught.value.hint
        await stage.until_status(conversation, "finished")
        return
    async with asyncio.timeout(60):  # the call takes longer
        await agent.interrupt()
    assert await stage.status(conversation) == "paused"
    assert (await stage.kinds(conversation))[-3:] == ["AgentErrorEvent", "paused", "InterruptEvent"]
    events = await stage.events(conversation)
    (error,) = [event for event in events if event.kind == "AgentErrorEvent"]
    call = [event for event in events if event.kind == "ActionEvent"][-1]
    assert error.tool_call_id == call.tool_call_id
    assert "interrupted" in error.body()["error"]
    await agent.run()
    await stage.until_status(conversation, "finished")
    after = (await stage.events(conversation))[len(events) :]
    assert not [event for event in after if event.tool_call_id == call.tool_call_id]


async def test_a_message_starts_a_stopped_agent_again(stage: Stage) -> None:
    conversation = await stage.calling()
    await stage.stop(conversation)
    await stage.api.send_message(conversation.id, stage.prompts.reply, run=False)
    assert await stage.status(conversation) == "paused"
    await stage.agent(conversation).run()
    await stage.until_status(conversation, "finished")


async def test_a_message_to_a_running_agent_is_read_after_the_step(stage: Stage) -> None:
    conversation = await stage.calling()
    agent = stage.agent(conversation)
    before = len(await stage.kinds(conversation))
    await stage.meanwhile(agent.send_message(stage.prompts.reply))
    await stage.until_status(conversation, "finished")
    news = (await stage.kinds(conversation))[before:]
    assert news[:2] == ["ObservationEvent", "MessageEvent"]
    assert news.count("running") == 0
    assert news[-2:] == ["MessageEvent", "finished"]


async def test_while_a_call_runs_nothing_comes_and_its_last_event_tells_since_when(
    stage: Stage,
) -> None:
    conversation = await stage.calling()
    run = await ServerRuns(stage.api).peek(conversation)
    assert run is not None
    heard = silence.last_event(run)
    assert heard is not None, "the clock of its events is known"
    assert silence.since(run, heard + 600, 600) == heard
    assert silence.since(run, heard + 599, 600) is None
    cost = (await agents_of(stage.api).state(conversation.id)).cost
    assert cost is None or cost > 0  # a scripted model has no price
    await stage.stop(conversation)
    stopped = await ServerRuns(stage.api).peek(conversation)
    assert stopped is not None and silence.since(stopped, heard + 6000, 600) is None


async def test_what_is_not_there_cannot_be_stopped_or_answered(
    api: AppServer, run: Conversation, stage: Stage, version: str
) -> None:
    base, _, _ = (run.conversation_url or "").rpartition("/")
    agent = api.agent_server(replace(run, id=UNKNOWN, conversation_url=f"{base}/{UNKNOWN}"))
    assert agent is not None
    for call in (
        agent.run(),
        agent.respond_to_confirmation(True),
        agent.respond_to_confirmation(False),
        agent.send_message("Hello?"),
    ):
        with pytest.raises(NotFound):
            await call
    stops = [agent.pause, *([agent.interrupt] if stage.interrupts else [])]
    refusal = NotFound if version == "1.58.2" else InvalidRequest
    for stop in stops:
        with pytest.raises(refusal) as caught:
            await stop()
        assert "not on this agent server" in caught.value.hint
