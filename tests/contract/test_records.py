"""The contract: titles, and the tags that the app server hears of."""

from __future__ import annotations

import pytest

from oh_tui.api import NotFound, ServerError

from .acting import Stage
from .fixtures import UNKNOWN


async def test_a_title_can_be_changed(stage: Stage) -> None:
    conversation = await stage.started()
    renamed = await stage.api.rename_conversation(conversation.id, "Another title ✓ [x]")
    assert renamed.title == "Another title ✓ [x]"
    assert (await stage.now(conversation.id)).title == "Another title ✓ [x]"
    with pytest.raises(NotFound):
        await stage.api.rename_conversation(UNKNOWN, "x")
    with pytest.raises(ServerError):
        await stage.api.rename_conversation("no-uuid", "x")


async def test_a_deleted_conversation_is_gone(stage: Stage) -> None:
    conversation = await stage.started()
    await stage.api.delete_conversation(conversation.id)
    assert await stage.api.get_conversations([conversation.id]) == [None]
    with pytest.raises(NotFound):
        await stage.api.delete_conversation(conversation.id)


async def test_a_change_of_title_alone_does_not_make_it_the_newest(stage: Stage) -> None:
    conversation = await stage.started()
    before = await stage.now(conversation.id)
    renamed = await stage.api.rename_conversation(conversation.id, "Older")
    assert (renamed.created_at, renamed.tags) == (before.created_at, before.tags)


async def test_the_app_server_hears_of_tags_and_never_drops_one(stage: Stage) -> None:
    started = await stage.started()

    async def tagged() -> bool:
        return "archiveworkspacepath" in ((await stage.now(started.id)).tags or {})

    await stage.until(tagged)  # by the server, a moment later
    conversation = await stage.now(started.id)
    agent = stage.agent(conversation)
    await agent.set_title("Named by its agent server")
    await agent.set_tags({"bug": "1"})

    async def heard() -> bool:
        return (await stage.now(conversation.id)).tags == {**(conversation.tags or {}), "bug": "1"}

    await stage.until(heard)
    assert ((await stage.now(conversation.id)).created_at or "") > (conversation.created_at or "")
    await agent.set_tags({"other": ""})

    async def kept() -> bool:
        tags = (await stage.now(conversation.id)).tags or {}
        return tags.get("bug") == "1" and tags.get("other") == ""

    await stage.until(kept)
