"""The contract: the tags that an agent server holds."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from oh_tui.actions.conversation_records import Records
from oh_tui.api import Conflict, InvalidRequest, NotFound, ServerError, Unreachable

from .acting import Stage
from .fixtures import UNKNOWN, every_version

pytestmark = [every_version]


async def test_tags_replace_all_that_there_were(stage: Stage) -> None:
    agent = stage.agent(await stage.started())
    for tags in ({"bug": "", "kind": "a, b ✓"}, {"other": "x" * 256}, {}):
        await agent.set_tags(tags)
        assert (await agent.conversation()).tags == tags


async def test_wrong_tags_are_refused_and_none_is_taken(stage: Stage, version: str) -> None:
    # 1.17.0 fails to word it, which breaks the connection now and then
    refused = (ServerError, Unreachable) if version == "1.17.0" else (InvalidRequest,)
    agent = stage.agent(await stage.started())
    await agent.set_tags({"bug": "1"})
    for key, value in (("Bug", ""), ("needs-review", ""), ("größe", ""), ("k", "x" * 257)):
        with pytest.raises(refused):
            await agent.set_tags({"fine": "", key: value})
    assert (await agent.conversation()).tags == {"bug": "1"}


async def test_a_conversation_that_is_not_there_takes_no_tags(stage: Stage, version: str) -> None:
    conversation = await stage.started()
    base, _, _ = (conversation.conversation_url or "").rpartition("/")
    agent = stage.agent(replace(conversation, id=UNKNOWN, conversation_url=f"{base}/{UNKNOWN}"))
    # before 1.58.2 a 200 says that it did not work
    with pytest.raises(NotFound if version == "1.58.2" else Conflict):
        await agent.set_tags({"bug": ""})


async def test_while_a_step_runs_tags_wait_for_its_end(stage: Stage) -> None:
    conversation = await stage.calling()
    await stage.meanwhile(stage.agent(conversation).set_tags({"bug": ""}))
    assert "ObservationEvent" in await stage.kinds(conversation)
    assert (await stage.agent(conversation).conversation()).tags == {"bug": ""}


async def test_tags_of_others_stay(stage: Stage) -> None:
    conversation = await stage.started()
    await stage.agent(conversation).set_tags({"theirs": "1", "old": "x"})
    records = Records(stage.api)
    held = await records.tag(conversation, {"mine": "2", "old": None})
    assert held == {"theirs": "1", "mine": "2"}
