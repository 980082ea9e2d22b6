"""Answering, stopping, continuing and messaging the agent of a real server, by keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from oh_tui.api import AppServer, Conversation
from oh_tui.sources.server import ServerSource
from oh_tui.trajectory.model.events import Event
from tests.contract.acting import Stage
from tests.tui.explorer import Explorer, explore

from .conftest import Live, Patient

pytestmark = pytest.mark.live

SOON = 25.0


@asynccontextmanager
async def shown(live: Live, conversation: Conversation) -> AsyncIterator[Explorer]:
    """The explorer with this conversation opened and its run read."""
    async with explore(
        source=lambda: ServerSource(AppServer(live.url), "live"), open_id=conversation.id
    ) as it:
        await it.until(lambda: it.screen.timeline.row_count(), SOON)
        yield it


async def footer_tells(it: Explorer, *words: str) -> None:
    try:
        await it.until(lambda: all(word in it.footer for word in words), SOON)
    except AssertionError:
        raise AssertionError(
            f"the footer says {it.footer!r}, told {it.screen.footer.history}"
        ) from None


async def asked(it: Explorer, key: str) -> str:
    await it.send(key)
    await it.until(lambda: it.screen.asking.question_bar.display, SOON)
    await it.pilot.pause()
    return it.text("#asked-rule") + it.text("#asked") + it.text("#question")


async def write(it: Explorer, text: str, key: str = "m") -> None:
    await it.send(key)
    await it.until(
        lambda: it.screen.asking.editor and it.screen.asking.editor.has_focus_within, SOON
    )
    await it.type(text)


def last(events: list[Event], kind: str) -> Event:
    return [event for event in events if event.kind == kind][-1]


async def test_y_approves_and_the_call_runs(stage: Stage, live: Live) -> None:
    conversation = await stage.waiting()
    async with shown(live, conversation) as it:
        await it.until(lambda: "a answer" in it.footer, SOON)
        question = await asked(it, "a")
        assert "1 call waits for your answer" in question
        assert "$ echo ran >>" in question
        await it.send("enter")
        assert not stage.ran(conversation)
        await it.send("y", "enter")
        await footer_tells(it, "approved · ")
        await stage.until_status(conversation, "finished")
        assert stage.ran(conversation)
        await it.until(lambda: "That is done, or not." in it.text("#timeline"), SOON)


async def test_n_rejects_with_the_reason_and_P_lets_it_go_on(stage: Stage, live: Live) -> None:
    conversation = await stage.waiting()
    async with shown(live, conversation) as it:
        await asked(it, "a")
        await write(it, "another folder, please", "n")
        await it.send("ctrl+s")
        await footer_tells(it, "rejected · the agent is idle: P continues it")
        rejection = last(await stage.events(conversation), "UserRejectObservation")
        assert rejection.body()["rejection_reason"] == "another folder, please"
        await it.until(lambda: "rejected by you" in it.text("#result"), SOON)
        await asked(it, "P")
        await it.send("enter")
        await stage.until_status(conversation, "finished")
        assert not stage.ran(conversation)


async def test_a_message_on_a_call_that_waits_rejects_it_first(stage: Stage, live: Live) -> None:
    conversation = await stage.waiting()
    async with shown(live, conversation) as it:
        await write(it, stage.prompts.reply)
        question = await asked(it, "ctrl+s")
        assert "reject 1 call, then send" in question
        await it.send("enter")
        await footer_tells(it, "sent · ")
        await stage.until_status(conversation, "finished")
        assert not stage.ran(conversation)
        kinds = await stage.kinds(conversation)
        assert kinds[kinds.index("UserRejectObservation") :].count("MessageEvent") == 2
        await it.until(lambda: "Understood." in it.text("#timeline"), SOON)


async def test_after_this_step_the_call_ends_and_P_goes_on(
    stage: Stage, live: Live, patient: Patient
) -> None:
    conversation = patient.conversation
    async with shown(live, conversation) as it:
        question = await asked(it, "P")
        assert "into $ for i in {1..120}" in question
        await it.send("enter")
        await it.until(lambda: " s: the agent stops after this step" in it.footer, SOON)
        patient.end()
        await footer_tells(it, "the agent is stopped: P continues it")
        assert await stage.status(conversation) == "paused"
        assert "AgentErrorEvent" not in await stage.kinds(conversation)
        assert b"woke" in last(await stage.events(conversation), "ObservationEvent").raw()
        await asked(it, "P")
        await it.send("enter")
        await stage.until_status(conversation, "finished")
        await it.until(lambda: "Very slow is over." in it.text("#timeline"), SOON)


async def test_now_cuts_the_call_off(stage: Stage, live: Live, patient: Patient) -> None:
    conversation = patient.conversation
    async with shown(live, conversation) as it:
        assert "now, cutting for i in {1..120}" in await asked(it, "P")
        await it.send("f", "enter")
        await footer_tells(it, "the agent is stopped: P continues it")
        assert await stage.status(conversation) == "paused"
        assert "AgentErrorEvent" in await stage.kinds(conversation)
        await it.until(lambda: "✗" in it.text("#timeline"), SOON)


async def test_a_message_to_one_that_works_is_read_after_its_step(
    stage: Stage, live: Live, patient: Patient
) -> None:
    conversation = patient.conversation
    async with shown(live, conversation) as it:
        await write(it, stage.prompts.reply)
        await it.send("ctrl+s")
        await footer_tells(it, "it arrives when this step ends")
        patient.end()
        await footer_tells(it, "sent · ")
        await stage.until_status(conversation, "finished")
        events = await stage.events(conversation)
        said = [event.source for event in events if event.kind == "MessageEvent"]
        assert said == ["user", "user", "agent"]
        assert b"woke" in last(events, "ObservationEvent").raw()
        await it.until(lambda: "Understood." in it.text("#timeline"), SOON)


async def test_a_message_to_a_paused_sandbox_resumes_it_first(stage: Stage, live: Live) -> None:
    conversation = await stage.started(stage.prompts.short)
    await stage.until_status(conversation, "finished")
    await stage.api.sandboxes.pause(live.sandbox)
    try:
        async with shown(live, conversation) as it:
            await write(it, stage.prompts.reply)
            await it.send("ctrl+s")  # no other sandbox is up, so that it asks nothing
            await footer_tells(it, "sent · ")
            await stage.until_status(conversation, "finished")
            await it.until(lambda: "Understood." in it.text("#timeline"), SOON)
    finally:
        await stage.api.sandboxes.resume(live.sandbox)
