"""The contract: calls that wait for confirmation, answered both ways, and by a message; messages to
an agent that does nothing."""

from __future__ import annotations

from oh_tui.actions.agent_actions import AgentStage
from oh_tui.actions.agent_state import AgentState

from .acting import Stage, agents_of
from .fixtures import every_version

pytestmark = [every_version]


async def test_an_approved_call_runs_and_the_agent_goes_on(stage: Stage) -> None:
    conversation = await stage.waiting()
    before = len(await stage.kinds(conversation))
    await stage.agent(conversation).respond_to_confirmation(True)
    await stage.until_status(conversation, "finished")
    assert stage.ran(conversation)
    assert (await stage.kinds(conversation))[before : before + 2] == [
        "running",
        "ObservationEvent",
    ]


async def test_a_call_that_waits_runs_when_the_agent_is_let_go_on(stage: Stage) -> None:
    conversation = await stage.waiting()
    agent = stage.agent(conversation)
    await agent.approve()
    await stage.until_status(conversation, "finished")
    assert stage.ran(conversation)


async def test_an_approval_at_once_is_not_lost(stage: Stage) -> None:
    conversation = await stage.waiting(settled=False)
    agents = agents_of(stage.api)
    shown = await agents.state(conversation.id)

    async def approved() -> list[AgentStage | AgentState]:
        return [step async for step in agents.answer(shown, accept=True)]

    told, now = await stage.meanwhile(approved())
    assert told == "approving" and isinstance(now, AgentState) and not now.waits
    await stage.until_status(conversation, "finished")
    assert stage.ran(conversation)
    # a second one, when nothing waits any more, does no harm
    count = len(await stage.events(conversation))
    await stage.let_go_on(conversation)
    await stage.sleep(2)
    assert len(await stage.events(conversation)) == count


async def test_a_rejected_call_does_not_run_and_the_agent_reads_why(stage: Stage) -> None:
    conversation = await stage.waiting()
    before = len(await stage.kinds(conversation))
    agent = stage.agent(conversation)
    await agent.respond_to_confirmation(False, "Not that folder: keep it.")
    assert (await stage.kinds(conversation))[before:] == ["idle", "UserRejectObservation"]
    events = await stage.events(conversation)
    call = [event for event in events if event.kind == "ActionEvent"][-1]
    rejection = events[-1]
    assert (rejection.action_id, rejection.tool_call_id) == (call.id, call.tool_call_id)
    assert rejection.body()["rejection_reason"] == "Not that folder: keep it."
    # nothing goes on by itself
    await stage.sleep(2)
    assert await stage.status(conversation) == "idle"
    await agent.run()
    await stage.until_status(conversation, "finished")
    assert not stage.ran(conversation)


async def test_a_message_that_rejects_first_does_not_run_the_call(stage: Stage) -> None:
    conversation = await stage.waiting()
    await stage.agent(conversation).respond_to_confirmation(False, "Something else first.")
    await stage.api.send_message(conversation.id, stage.prompts.reply)
    await stage.until_status(conversation, "finished")
    assert not stage.ran(conversation)
    kinds = await stage.kinds(conversation)
    assert kinds[kinds.index("UserRejectObservation") :] == [
        "UserRejectObservation",
        "MessageEvent",
        "running",
        "MessageEvent",
        "finished",
    ]


async def test_a_message_alone_approves_what_waits(stage: Stage) -> None:
    """For this reason no client should send a message without asking."""
    conversation = await stage.waiting()
    before = len(await stage.kinds(conversation))
    await stage.api.send_message(conversation.id, stage.prompts.reply)
    await stage.until_status(conversation, "finished")
    assert stage.ran(conversation)
    assert (await stage.kinds(conversation))[before:] == [
        "MessageEvent",
        "running",
        "ObservationEvent",
        "MessageEvent",
        "finished",
    ]


async def test_a_message_that_does_not_run_leaves_it_waiting(stage: Stage) -> None:
    conversation = await stage.waiting()
    before = len(await stage.kinds(conversation))
    agent = stage.agent(conversation)
    await stage.api.send_message(conversation.id, stage.prompts.reply, run=False)
    # and so does stopping it, in either way
    await stage.stop(conversation)
    assert await stage.status(conversation) == "waiting_for_confirmation"
    assert (await stage.kinds(conversation))[before:] == ["MessageEvent"]
    await agent.respond_to_confirmation(False, "Enough.")
    assert not stage.ran(conversation)


async def test_answers_to_nothing_change_nothing(stage: Stage) -> None:
    conversation = await stage.started(stage.prompts.short)
    await stage.until_status(conversation, "finished")
    before = await stage.kinds(conversation)
    agent = stage.agent(conversation)
    await agent.respond_to_confirmation(True)
    await agent.respond_to_confirmation(False, "nothing to reject")
    await stage.let_go_on(conversation)
    await stage.stop(conversation)
    await stage.sleep(2)
    assert await stage.kinds(conversation) == before
    assert await stage.status(conversation) == "finished"


async def test_without_a_message_or_told_to_wait_the_agent_does_nothing(stage: Stage) -> None:
    conversation = await stage.started()
    await stage.api.send_message(conversation.id, stage.prompts.short, run=False)
    await stage.sleep(2)
    assert await stage.status(conversation) == "idle"
    assert (await stage.kinds(conversation))[-1] == "MessageEvent"
    await stage.agent(conversation).run()
    await stage.until_status(conversation, "finished")


async def test_a_message_to_a_finished_run_begins_another_turn(stage: Stage) -> None:
    conversation = await stage.started(stage.prompts.short)
    await stage.until_status(conversation, "finished")
    before = len(await stage.events(conversation))
    sent = await stage.api.send_message(conversation.id, stage.prompts.reply)
    # an agent server that is the server has no sandbox to tell of
    assert sent is None or sent.sandbox_status == "RUNNING"

    async def answered() -> bool:
        return (await stage.kinds(conversation))[-1] == "finished" and before < len(
            await stage.events(conversation)
        )

    await stage.until(answered)
    news = (await stage.events(conversation))[before:]
    said = [event for event in news if event.kind == "MessageEvent"]
    assert [event.source for event in said] == ["user", "agent"]
