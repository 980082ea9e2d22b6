"""The contract: conversations, start tasks and the account."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import pytest

from oh_tui.api import AppServer, Conversation, InvalidRequest, bare_id, same_id
from oh_tui.api.models import User

from .fixtures import UNKNOWN


async def every_conversation(api: AppServer) -> list[Conversation]:
    page = await api.search_conversations(include_sub_conversations=True)
    assert page.next_page_id is None, "these tests want all conversations on one page"
    return page.items


async def test_the_account_is_told(api: AppServer) -> None:
    assert isinstance(await api.users_me(), User)


async def test_conversations_come_newest_first(api: AppServer) -> None:
    texts = [one.created_at or "" for one in await every_conversation(api)]
    times = [datetime.fromisoformat(text) for text in texts]
    assert len(times) > 2
    assert times == sorted(times, reverse=True)
    assert all(text.endswith("Z") for text in texts)


async def test_pages_of_conversations_join_to_the_whole_list(api: AppServer) -> None:
    whole = [one.id for one in (await api.search_conversations()).items]
    pages = [[one.id for one in page.items] async for page in api.conversations(limit=2).pages()]
    assert [identifier for page in pages for identifier in page] == whole
    assert [len(page) for page in pages[:-1]] == [2] * (len(pages) - 1)


async def test_the_cursor_of_conversations_is_an_offset(api: AppServer) -> None:
    whole = [one.id for one in await every_conversation(api)]
    page = await api.search_conversations(page_id="1", limit=1, include_sub_conversations=True)
    assert [one.id for one in page.items] == whole[1:2]
    assert page.next_page_id == "2"
    beyond = await api.search_conversations(page_id="9999")
    assert (beyond.items, beyond.next_page_id) == ([], None)


async def test_a_cursor_that_cannot_be_read_is_the_first_page(api: AppServer) -> None:
    whole = [one.id for one in (await api.search_conversations()).items]
    page = await api.search_conversations(page_id="zzz", limit=1)
    assert [one.id for one in page.items] == whole[:1]


@pytest.mark.parametrize("limit", [0, 101])
async def test_a_page_of_conversations_has_1_to_100(api: AppServer, limit: int) -> None:
    with pytest.raises(InvalidRequest):
        await api.search_conversations(limit=limit)


async def test_a_batch_has_nothing_for_an_unknown_id(api: AppServer) -> None:
    first, second = (await api.search_conversations(limit=2)).items
    found = await api.get_conversations([second.id, UNKNOWN, first.id])
    assert [one and one.id for one in found] == [second.id, None, first.id]


async def test_ids_are_bare_and_taken_with_dashes_too(api: AppServer) -> None:
    (one,) = (await api.search_conversations(limit=1)).items
    assert one.id == bare_id(one.id)
    (found,) = await api.get_conversations([str(UUID(one.id))])
    assert found is not None
    assert found.id == one.id


async def test_a_batch_with_a_malformed_id_is_refused(api: AppServer) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await api.get_conversations(["no-such-id"])
    assert caught.value.status == 400


async def test_the_count_holds_sub_conversations_and_the_search_does_not(api: AppServer) -> None:
    everything = await every_conversation(api)
    top = (await api.search_conversations()).items
    assert {one.id for one in top} == {
        one.id for one in everything if one.parent_conversation_id is None
    }
    assert len(top) < len(everything)
    assert await api.count_conversations() == len(everything)


async def test_a_sub_conversation_lives_in_the_sandbox_of_its_parent(api: AppServer) -> None:
    everything = await every_conversation(api)
    children = [one for one in everything if one.parent_conversation_id]
    assert children
    for child in children:
        (parent,) = await api.get_conversations([child.parent_conversation_id or ""])
        assert parent is not None
        assert parent.sandbox_id == child.sandbox_id
        assert any(same_id(child.id, other) for other in parent.sub_conversation_ids or ())


async def test_a_title_is_searched_by_a_part_of_it(api: AppServer, run: Conversation) -> None:
    assert run.title
    word = run.title.split()[-1]
    found = (await api.search_conversations(title__contains=word)).items
    assert run.id in {one.id for one in found}
    assert all(word.lower() in (one.title or "").lower() for one in found)
    nothing = await api.search_conversations(title__contains="no title has this in it")
    assert (nothing.items, nothing.next_page_id) == ([], None)


@pytest.mark.parametrize("field", ["created_at", "updated_at"])
async def test_times_split_the_list_in_two(api: AppServer, field: str) -> None:
    def when(one: Conversation) -> datetime:
        return datetime.fromisoformat(getattr(one, field))

    everything = sorted(await every_conversation(api), key=when)
    border = getattr(everything[len(everything) // 2], field)
    later = await api.search_conversations(
        include_sub_conversations=True, **{f"{field}__gte": border}
    )
    earlier = await api.search_conversations(
        include_sub_conversations=True, **{f"{field}__lt": border}
    )
    split = datetime.fromisoformat(border)
    assert {one.id for one in later.items} == {one.id for one in everything if when(one) >= split}
    assert {one.id for one in earlier.items} == {one.id for one in everything if when(one) < split}


async def test_conversations_are_found_by_their_sandbox(api: AppServer, run: Conversation) -> None:
    found = await api.search_conversations(
        sandbox_id__eq=run.sandbox_id, include_sub_conversations=True
    )
    assert {one.id for one in found.items} == {
        one.id for one in await every_conversation(api) if one.sandbox_id == run.sandbox_id
    }


async def test_only_a_running_sandbox_gives_status_address_and_key(api: AppServer) -> None:
    for one in await every_conversation(api):
        given = [one.execution_status, one.conversation_url, one.session_api_key]
        if one.sandbox_status == "RUNNING":
            assert all(given), one
            assert one.conversation_url.endswith(one.id)  # type: ignore[union-attr]
        else:
            assert given == [None, None, None], one


async def test_an_unknown_start_task_is_nothing(api: AppServer) -> None:
    assert await api.start_tasks.get([UNKNOWN]) == [None]
