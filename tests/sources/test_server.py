"""Reading a run from both servers: which one is used, and what is kept when it has less."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from oh_tui.conversation import Conversation
from oh_tui.sources.results import Loaded, joined
from oh_tui.sources.server import ServerSource
from oh_tui.sources.server_runs import from_app
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.trajectory import Trajectory, build
from tests.api.servers import over

ID = "5f3a9100aa11bb22cc33dd44ee55ff66"
PAGE = 100


@dataclass
class Servers:
    """An app server and the agent server of its only sandbox, as far as a run is read."""

    stored: list[dict[str, Any]] = field(default_factory=list)
    """What the app server holds."""
    inside: list[dict[str, Any]] = field(default_factory=list)
    """What the agent server holds."""
    status: str = "RUNNING"
    address: str = "http://agent.test"
    silent: bool = False
    """The agent server does not answer."""
    stats: dict[str, Any] | None = None
    """Those of its record; None when it has no record to give."""
    metrics: dict[str, Any] | None = None
    """Those that the app server tells of the conversation."""
    asked: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.asked.append(request.url.path)
        await self._answer(request)(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        path = request.url.path
        if path == "/api/v1/app-conversations":
            return JSONResponse([self.record()])
        in_sandbox = "/api/conversations/" in path
        moved = not request.url.path.startswith(urlsplit(self.address).path + "/api/")
        if in_sandbox and (self.silent or moved):
            return Response("", 500)
        if path.endswith(f"/api/conversations/{ID}"):
            told = {"id": ID, "stats": self.stats}
            return JSONResponse(told) if self.stats is not None else Response("", 404)
        events = self.inside if in_sandbox else self.stored
        if path.endswith("/events/count"):
            return JSONResponse(len(events))
        assert path.endswith("/events/search"), path
        items = sorted(events, key=lambda e: str(e["timestamp"])) if not in_sandbox else events
        at = 0
        if request.query_params.get("sort_order") == "TIMESTAMP_DESC":
            items = items[::-1]
        first = request.query_params.get("page_id")
        if first:
            found = (n for n, e in enumerate(items) if e["id"] == first)
            at = next(found, 0) if in_sandbox else int(first)
        more = None
        if len(items) > at + PAGE:
            more = items[at + PAGE]["id"] if in_sandbox else str(at + PAGE)
        return JSONResponse({"items": items[at : at + PAGE], "next_page_id": more})

    def record(self) -> dict[str, Any]:
        up = self.status == "RUNNING"
        address = f"{self.address}/api/conversations/{ID}" if up else None
        return {"id": ID, "sandbox_id": "S", "sandbox_status": self.status,
                "conversation_url": address, "metrics": self.metrics}  # fmt: skip


def happened(second: int, **fields: Any) -> dict[str, Any]:
    stamp = f"2026-11-24T13:{second // 60:02}:{second % 60:02}.5"
    event = {"id": f"event-{second}", "timestamp": stamp, "kind": "MessageEvent", "source": "user"}
    return event | fields


def turned(second: int, status: str) -> dict[str, Any]:
    return happened(second, kind="ConversationStateUpdateEvent", key="execution_status",
                    value=status)  # fmt: skip


def parsed(events: list[dict[str, Any]]) -> Iterator[Event]:
    return (parse_event(json.dumps(event).encode()) for event in events)


def ids(trajectory: Trajectory | None) -> list[str]:
    assert trajectory is not None
    return [event.id for event in trajectory.events]


async def read(
    servers: Servers, held: Trajectory | None = None
) -> tuple[ServerSource, Conversation, Loaded]:
    source = ServerSource(over(servers), "test")
    (conversation,) = await source.get([ID])
    assert conversation is not None
    states = [state async for state in source.runs.load(conversation, held)]
    return source, conversation, states[-1]


async def begun(servers: Servers) -> tuple[ServerSource, Conversation, Trajectory, str]:
    """What is there when the newest page has come, and from where."""
    source = ServerSource(over(servers), "test")
    (conversation,) = await source.get([ID])
    assert conversation is not None
    loading = source.runs.load(conversation)
    state = await anext(loading)
    await loading.aclose()
    assert state.trajectory is not None
    assert not state.trajectory.complete
    return source, conversation, state.trajectory, state.via


async def test_events_read_from_the_sandbox_are_kept_when_the_app_server_lacks_them() -> None:
    history = [happened(1), turned(2, "running"), happened(3), happened(4), happened(5)]
    # 3 never came, 5 waits in the frozen sandbox, 6 the agent server does not keep
    stored = [*history[:2], history[3], happened(6)]
    servers = Servers(stored=stored, inside=history)
    _, _, before = await read(servers)
    assert before.via == "agent server"
    servers.status = "PAUSED"
    _, _, after = await read(servers, before.trajectory)
    assert after.via == "app server"
    assert ids(after.trajectory) == [f"event-{n}" for n in (1, 2, 3, 4, 5, 6)]
    _, _, alone = await read(servers)
    assert ids(alone.trajectory) == [f"event-{n}" for n in (1, 2, 4, 6)]


async def test_a_newest_page_takes_in_nothing_older_than_itself() -> None:
    history = [happened(n) for n in range(1, 251)]
    servers = Servers(stored=history[:-1], status="PAUSED")
    source = ServerSource(over(servers), "test")
    (conversation,) = await source.get([ID])
    assert conversation is not None
    loading = source.runs.load(conversation, build(parsed(history)))
    state = await anext(loading)
    await loading.aclose()
    assert state.trajectory is not None
    assert not state.trajectory.complete
    assert ids(state.trajectory) == [f"event-{n}" for n in range(150, 251)]


def late(count: int, *ends: int) -> list[dict[str, Any]]:
    """So many events; before each of `ends` from the end one that was there last but has an older
    time, as those about cost have."""
    history = [happened(2 * n) for n in range(1, count + 1)]
    for end in ends:
        first = history[-end - 3]
        history[-end] = first | {"id": f"late-{end}", "timestamp": f"{first['timestamp']}1"}
    return history


async def test_older_events_from_the_sandbox_keep_the_order_in_which_they_came() -> None:
    history = late(250, PAGE)
    assert history[-PAGE]["timestamp"] < history[-PAGE - 1]["timestamp"]
    servers = Servers(inside=history)
    source, conversation, newest, via = await begun(servers)
    pages = [page async for page in source.runs.older(conversation, newest, via)]
    whole = joined(newest, pages)
    assert whole.complete
    assert ids(whole) == [event["id"] for event in history]


async def test_what_the_app_server_gave_is_gone_on_with_there() -> None:
    history = late(250, PAGE - 1)
    servers = Servers(inside=history, stored=history, silent=True)
    source, conversation, newest, via = await begun(servers)
    servers.silent = False  # its place among the events of the sandbox is not that of its time
    pages = [page async for page in source.runs.older(conversation, newest, via)]
    assert {page.via for page in pages} == {"app server"}
    whole = joined(newest, pages)
    assert whole.complete
    assert set(ids(whole)) == {event["id"] for event in history}


async def test_what_the_sandbox_gave_is_gone_on_with_on_the_app_server_without_a_hole() -> None:
    history = late(250, PAGE, PAGE - 1)
    servers = Servers(inside=history, stored=history)
    source, conversation, newest, via = await begun(servers)
    servers.silent = True
    pages = [page async for page in source.runs.older(conversation, newest, via)]
    assert {page.via for page in pages} == {"app server"}
    whole = joined(newest, pages)
    assert whole.complete
    assert set(ids(whole)) == {event["id"] for event in history}


@pytest.mark.parametrize(
    ("status", "events", "note"),
    [
        ("PAUSED", [turned(2, "running")], "paused while the agent worked"),
        ("PAUSED", [turned(2, "finished")], ""),
        ("MISSING", [turned(2, "running")], ""),
        ("MISSING", [turned(2, "error")], "ended in an error, and the server does not say which"),
        ("MISSING", [happened(1, kind="ConversationErrorEvent"), turned(2, "error")], ""),
    ],
)
async def test_what_the_app_server_cannot_know_is_said(
    status: str, events: list[dict[str, Any]], note: str
) -> None:
    _, _, state = await read(Servers(stored=events, status=status))
    assert note in state.note
    assert bool(note) == bool(state.note)


async def test_a_sandbox_paused_by_others_makes_following_ask_for_a_new_reading() -> None:
    servers = Servers(inside=[happened(1)])
    source, conversation, state = await read(servers)
    assert state.trajectory is not None
    following = source.runs.follow(conversation, state.trajectory, state.via)
    servers.silent, servers.status = True, "PAUSED"
    async with asyncio.timeout(60):
        assert await anext(following) is None
    assert [news async for news in following] == []


async def test_a_record_that_is_out_of_date_leads_to_where_the_sandbox_is_now() -> None:
    servers = Servers(stored=[happened(1)], inside=[happened(1), happened(2)])
    source = ServerSource(over(servers), "test")
    (old,) = await source.get([ID])
    assert old is not None
    servers.address = "http://agent.test/elsewhere"
    state = [state async for state in source.runs.load(old)][-1]
    assert (state.via, ids(state.trajectory)) == ("agent server", ["event-1", "event-2"])
    servers.silent, servers.status = True, "PAUSED"
    state = [state async for state in source.runs.load(old)][-1]
    assert (state.via, state.note, ids(state.trajectory)) == ("app server", "", ["event-1"])


async def test_following_goes_on_with_an_agent_server_that_fails_for_a_moment() -> None:
    servers = Servers(inside=[happened(1)])
    source, conversation, state = await read(servers)
    assert state.trajectory is not None
    servers.silent = True
    waiting = asyncio.ensure_future(
        anext(source.runs.follow(conversation, state.trajectory, state.via))
    )
    servers.asked.clear()
    async with asyncio.timeout(60):
        while "/api/v1/app-conversations" not in servers.asked:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert not waiting.done()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_following_on_the_app_server_reads_a_page_only_when_the_count_changed() -> None:
    servers = Servers(stored=[happened(1), happened(2)], silent=True)
    source, conversation, state = await read(servers, build(parsed([happened(3)])))
    run = state.trajectory
    assert state.via == "app server"
    assert run is not None
    assert ids(run) == ["event-1", "event-2", "event-3"]
    servers.asked.clear()
    following = source.runs.follow(conversation, run, state.via)
    waiting = asyncio.ensure_future(anext(following))
    async with asyncio.timeout(60):
        while sum(path.endswith("/count") for path in servers.asked) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    searches = [path for path in servers.asked if path.endswith("/search")]
    assert len(searches) == 1
    # the number is that of the events held, and still one of them is new
    servers.stored.append(happened(4))
    async with asyncio.timeout(60):
        news = await waiting
    assert news is not None
    assert [event.id for event in news] == ["event-4"]
    await following.aclose()


async def test_an_agent_server_that_tells_again_is_gone_back_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("oh_tui.sources.server_runs.following.COME_BACK", 0.0)
    servers = Servers(stored=[happened(1)], inside=[happened(1), happened(2)], silent=True)
    source, conversation, state = await read(servers)
    assert state.via == "app server"
    assert state.trajectory is not None
    following = source.runs.follow(conversation, state.trajectory, state.via)
    servers.silent = False
    async with asyncio.timeout(60):
        assert await anext(following) is None, "it is to be loaded anew"
    await following.aclose()
    *_, state = [state async for state in source.runs.load(conversation, state.trajectory)]
    assert state.via == "agent server"
    assert ids(state.trajectory) == ["event-1", "event-2"]


async def test_an_agent_server_that_is_elsewhere_now_is_gone_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("oh_tui.sources.server_runs.following.COME_BACK", 0.0)
    servers = Servers(stored=[happened(1)], inside=[happened(1), happened(2)], silent=True)
    source, conversation, state = await read(servers)
    assert (state.via, len(ids(state.trajectory))) == ("app server", 1)
    assert state.trajectory is not None
    following = source.runs.follow(conversation, state.trajectory, state.via)
    servers.silent, servers.address = False, "http://agent.test/elsewhere"
    async with asyncio.timeout(60):
        assert await anext(following) is None, "it is to be loaded anew"
    await following.aclose()


@pytest.mark.parametrize("status", ["RUNNING", "STARTING"])
async def test_a_sandbox_that_got_its_address_after_the_record_was_read_is_gone_to(
    status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oh_tui.sources.server_runs.following.COME_BACK", 0.0)
    servers = Servers(stored=[happened(1)], inside=[happened(1), happened(2)])
    source, conversation, _ = await read(servers)
    before = replace(conversation, sandbox_status=status, conversation_url=None)
    states = [state async for state in source.runs.load(before)]
    assert states[-1].via == "app server"
    assert states[-1].trajectory is not None
    following = source.runs.follow(before, states[-1].trajectory, "app server")
    async with asyncio.timeout(60):
        assert await anext(following) is None, "it is to be loaded anew"
    await following.aclose()


async def test_a_newest_page_that_hardly_reaches_what_is_held_is_not_all_that_is_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("oh_tui.sources.server_runs.following.PACE", (0.0, 0.0, 0.0))
    history = [happened(n) for n in range(1, 300)]
    servers = Servers(stored=history[:200], status="PAUSED")
    source = ServerSource(over(servers), "test")
    (conversation,) = await source.get([ID])
    assert conversation is not None
    run = build(parsed(servers.stored))
    for new, whole in ((70, True), (98, False)):
        servers.stored = history[: 200 + new]
        following = source.runs.follow(conversation, run, "app server")
        async with asyncio.timeout(60):
            news = await anext(following)
        await following.aclose()
        assert (news is not None) == whole
        if news:
            assert [e.id for e in news] == [str(e["id"]) for e in history[200:270]]


async def test_reading_all_costs_pages_where_the_sandbox_is_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(from_app, "DOWNLOAD_LIMIT", 200)
    history = [happened(n) for n in range(1, 251)]
    servers = Servers(stored=history, silent=True)
    source, conversation, state = await read(servers)
    assert state.trajectory is not None
    cost = await source.runs.cost(conversation, state.trajectory)
    assert (cost.events, cost.calls) == (150, 2)
    servers.status = "PAUSED"  # as the record held does not know
    assert (await source.runs.cost(conversation, state.trajectory)).calls == 2
    servers.status, servers.silent, servers.inside = "RUNNING", False, history
    assert (await source.runs.cost(conversation, state.trajectory)).calls == 0
