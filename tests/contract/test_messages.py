"""The contract: messages to an agent that is not working."""

from __future__ import annotations

from .acting import Stage
from .fixtures import every_version

pytestmark = [every_version]


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
