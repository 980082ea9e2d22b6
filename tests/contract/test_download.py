"""The contract: a run as a zip."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from oh_tui.api import AppServer, Conversation, InvalidRequest, NotFound, same_id

from .fixtures import UNKNOWN


async def downloaded(api: AppServer, conversation_id: str) -> zipfile.ZipFile:
    async with api.download(conversation_id) as pieces:
        data = b"".join([piece async for piece in pieces])
    return zipfile.ZipFile(io.BytesIO(data))


async def test_the_zip_holds_the_events_in_the_order_of_the_search(
    api: AppServer, run: Conversation
) -> None:
    archive = await downloaded(api, run.id)
    assert archive.testzip() is None
    first, *names = archive.namelist()
    assert first == "meta.json"
    events = (await api.search_events(run.id)).items
    assert names == [f"event_{i:06}_{event.id}.json" for i, event in enumerate(events)]
    for name, event in zip(names, events, strict=True):
        assert json.loads(archive.read(name)) == event.body()


async def test_the_zip_tells_of_the_conversation_but_not_of_its_sandbox(
    api: AppServer, run: Conversation
) -> None:
    archive = await downloaded(api, run.id)
    about = json.loads(archive.read("meta.json"))
    assert same_id(about["id"], run.id)
    assert about["title"] == run.title
    assert about["llm_model"] == run.llm_model
    assert not {"session_api_key", "conversation_url", "sandbox_status"} & set(about)
    assert run.session_api_key is not None
    key = run.session_api_key.reveal().encode()
    assert not any(key in archive.read(name) for name in archive.namelist())


async def test_an_unknown_conversation_cannot_be_downloaded(api: AppServer) -> None:
    with pytest.raises(NotFound):
        await downloaded(api, UNKNOWN)


async def test_a_malformed_id_cannot_be_downloaded(api: AppServer) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await downloaded(api, "no-such-id")
    assert caught.value.status == 422
