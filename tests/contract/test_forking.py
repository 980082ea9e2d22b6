"""The contract: a conversation made of the events of another, up to one of them."""

from __future__ import annotations

import pytest

from oh_tui.api import AgentServer, Conversation, InvalidRequest, NotFound
from oh_tui.api.models import AgentConversation
from oh_tui.conversation import same_id
from oh_tui.demo.world import AgentVersion

from .acting import Stage
from .fixtures import UNKNOWN, VERSIONS, ids

every_kind = pytest.mark.parametrize(
    "version", [*VERSIONS, AgentVersion.WHOLE], indirect=True, ids=str
)
"""Also the last version but one that knows no event to fork at."""

pytestmark = [every_kind]

STATE = "ConversationStateUpdateEvent"


async def finished(stage: Stage) -> Conversation:
    conversation = await stage.started(stage.prompts.short)
    await stage.until_status(conversation, "finished")
    return conversation


def of(stage: Stage, source: Conversation, fork: AgentConversation) -> AgentServer:
    """The agent server of a fork."""
    base, _, _ = (source.conversation_url or "").rpartition("/")
    return stage.agent(
        Conversation(
            fork.id,
            sandbox_status="RUNNING",
            conversation_url=f"{base}/{fork.id}",
            session_api_key=source.session_api_key,
        )
    )


async def test_it_has_the_events_up_to_the_one_asked_for(stage: Stage, version: str) -> None:
    source = await finished(stage)
    agent, events = stage.agent(source), await stage.events(source)
    at = next(event for event in events if event.kind == "ObservationEvent")
    if version == AgentVersion.OLD:
        with pytest.raises(NotFound) as caught:
            await agent.fork(at.id)
        assert caught.value.detail == "Not Found" and "1.18" in caught.value.hint
        return
    fork = await agent.fork(at.id, title="Another try")
    assert not same_id(fork.id, source.id) and fork.execution_status == "idle"
    taken = [event async for event in of(stage, source, fork).events()]
    told = await of(stage, source, fork).conversation()
    assert told.stats == {"usage_to_metrics": {}}
    if version == AgentVersion.WHOLE:
        assert ids(taken) == ids(events) and fork.leaf_event_id is None
        return
    before = events[: events.index(at) + 1]
    assert ids(taken) == [event.id for event in before if event.kind != STATE]
    for record in (fork, told):
        assert record.leaf_event_id == record.forked_from_event_id == at.id
        assert same_id(record.forked_from_conversation_id or "", source.id)
    assert ids(await stage.events(source)) == ids(events)


async def test_its_agent_goes_on_where_that_was(stage: Stage, version: str) -> None:
    if version == AgentVersion.OLD:
        return
    source = await finished(stage)
    fork = await stage.agent(source).fork((await stage.agent(source).conversation()).leaf_event_id)
    agent = of(stage, source, fork)
    await agent.send_message(stage.prompts.reply)

    async def over() -> bool:
        return (await agent.conversation()).execution_status in ("finished", "error")

    await stage.until(over)
    # 1.58.2 leaves the key of the model out
    ends = "error" if version == AgentVersion.NEW else "finished"
    assert (await agent.conversation()).execution_status == ends


async def test_a_fork_can_be_forked_and_while_it_runs_too(stage: Stage, version: str) -> None:
    if version in (AgentVersion.OLD, AgentVersion.WHOLE):
        return
    source = await stage.calling()
    message = next(e for e in await stage.events(source) if e.kind == "MessageEvent")
    first = await stage.meanwhile(stage.agent(source).fork(message.id))
    assert "ObservationEvent" in await stage.kinds(source)  # it waited for the step
    second = await of(stage, source, first).fork(message.id)
    assert second.leaf_event_id == message.id
    assert same_id(second.forked_from_conversation_id or "", first.id)
    await stage.until_status(source, "finished")


async def test_what_is_not_there_cannot_be_forked(stage: Stage, version: str) -> None:
    source = await finished(stage)
    agent = stage.agent(source)
    gone = of(stage, source, AgentConversation(UNKNOWN))
    for each, event in ((agent, UNKNOWN), (gone, None)):
        if version == AgentVersion.WHOLE and each is agent:
            continue
        with pytest.raises(NotFound):
            await each.fork(event)
    if version != AgentVersion.OLD:
        with pytest.raises(InvalidRequest):
            await agent.fork(title="x" * 201)
