"""The app server's calls: requests, paging, and decoded responses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from oh_tui.api import AppServer, Conversation, OpenHands, Page, Secret, errors
from oh_tui.conversation import bare_id

from .servers import AT_ONCE, KEY, Script, json, listening, over, page

ID = "0123456789abcdef0123456789abcdef"
DASHED = "01234567-89ab-cdef-0123-456789abcdef"


def hexadecimal(number: int) -> str:
    return f"{number:032x}"


@pytest.mark.parametrize(
    ("call", "method", "path", "answer"),
    [
        (lambda s: s.users_me(), "GET", "users/me", {}),
        (lambda s: s.search_conversations(), "GET", "app-conversations/search", {"items": []}),
        (lambda s: s.count_conversations(), "GET", "app-conversations/count", 0),
        (lambda s: s.get_conversations([ID]), "GET", "app-conversations", [None]),
        (lambda s: s.search_events(ID), "GET", f"conversation/{ID}/events/search", {"items": []}),
        (lambda s: s.count_events(ID), "GET", f"conversation/{ID}/events/count", 0),
        (lambda s: s.sandboxes.search(), "GET", "sandboxes/search", {"items": []}),
        (lambda s: s.sandboxes.get(["s"]), "GET", "sandboxes", [None]),
        (lambda s: s.sandboxes.pause("s"), "POST", "sandboxes/s/pause", {"success": True}),
        (lambda s: s.sandboxes.resume("s"), "POST", "sandboxes/s/resume", {"success": True}),
        (lambda s: s.start_tasks.get([ID]), "GET", "app-conversations/start-tasks", [None]),
    ],
)
async def test_each_call_asks_its_endpoint_once(
    call: Callable[[AppServer], Awaitable[Any]], method: str, path: str, answer: Any
) -> None:
    app = Script(json(answer))
    async with over(app) as server:
        await call(server)
    assert [request.method for request in app.asked] == [method]
    assert app.paths == [f"/api/v1/{path}"]


async def test_filters_go_as_the_server_wants_them() -> None:
    app = Script(page())
    async with over(app) as server:
        await server.search_conversations(
            title__contains="a&b",
            created_at__gte=datetime(2025, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))),
            updated_at__lt="2025-01-02T03:04:05",
            created_at__lt="whenever",
            sandbox_id__eq="s1",
            include_sub_conversations=True,
            page_id="100",
            limit=7,
        )
        await server.search_conversations()
    assert dict(app.asked[0].query_params) == {
        "title__contains": "a&b",
        "created_at__gte": "2025-01-02T01:04:05Z",
        "updated_at__lt": "2025-01-02T03:04:05Z",
        "created_at__lt": "whenever",
        "sandbox_id__eq": "s1",
        "include_sub_conversations": "true",
        "page_id": "100",
        "limit": "7",
    }
    assert dict(app.asked[1].query_params) == {"limit": "100"}


@pytest.mark.parametrize("limit", [0, -1, 101])
async def test_a_limit_no_server_takes_is_refused_here(limit: int) -> None:
    app = Script(page())
    async with over(app) as server:
        with pytest.raises(errors.InvalidRequest, match="1 to 100"):
            await server.search_conversations(limit=limit)
        with pytest.raises(errors.InvalidRequest, match="1 to 100"):
            await server.search_events(ID, limit=limit)
    assert not app.asked


# pages


async def gathered(pages: AsyncIterator[Page[Any]]) -> list[list[str]]:
    return [[item.id for item in page.items] async for page in pages]


def rows(*ids: str) -> list[dict[str, str]]:
    return [{"id": identifier} for identifier in ids]


async def test_pages_follow_the_cursor_and_drop_rows_seen_before() -> None:
    app = Script(
        page(*rows("a", "b", "b"), next_page_id="2"),
        page(*rows("b", "c"), next_page_id="4"),
        page(*rows("d")),
    )
    async with over(app) as server:
        assert await gathered(server.conversations(limit=2).pages()) == [["a", "b"], ["c"], ["d"]]
    asked = [request.query_params.get("page_id") for request in app.asked]
    assert asked == [None, "2", "4"]


async def test_items_come_one_by_one_and_each_iteration_starts_anew() -> None:
    app = Script(
        page(*rows("a", "b"), next_page_id="2"), page(*rows("b", "c")), page(*rows("d")), page()
    )
    async with over(app) as server:
        listing = server.conversations(limit=2)
        items = aiter(listing)
        assert (await anext(items)).id == "a" and len(app.asked) == 1, "no page ahead"
        assert [one.id async for one in items] == ["b", "c"]
        assert [one.id async for one in listing] == ["d"]
        assert [one async for one in server.events("c")] == []


async def test_a_repeated_cursor_ends_the_pages() -> None:
    counter = iter(range(1000))

    def answer(request: Request) -> Response:
        return page(*rows(str(next(counter))), next_page_id="same")

    app = Script(answer)
    async with over(app) as server:
        assert await gathered(server.conversations().pages()) == [["0"], ["1"]]


async def test_a_page_without_news_ends_the_pages() -> None:
    counter = iter(range(1000))

    def answer(request: Request) -> Response:
        return page(*rows("a", "b"), next_page_id=str(next(counter)))

    app = Script(answer)
    async with over(app) as server:
        assert await gathered(server.sandboxes.all().pages()) == [["a", "b"]]
    assert len(app.asked) == 2


async def test_unreadable_rows_are_counted_and_do_not_end_the_pages() -> None:
    app = Script(page(5, {"no": "id"}, next_page_id="2"), page(*rows("a")))
    async with over(app) as server:
        pages = [page async for page in server.conversations().pages()]
    assert [(len(page.items), page.unreadable) for page in pages] == [(0, 2), (1, 0)]


async def test_an_empty_listing_is_one_empty_page() -> None:
    async with over(Script(page())) as server:
        assert await gathered(server.conversations().pages()) == [[]]


@pytest.mark.parametrize(("given", "cursor"), [(5, "5"), ("", None), ([], None), (True, None)])
async def test_a_cursor_of_an_odd_type_does_no_harm(given: Any, cursor: str | None) -> None:
    async with over(Script(json({"items": [], "next_page_id": given}))) as server:
        assert (await server.search_conversations()).next_page_id == cursor


# batches


async def test_many_conversations_are_asked_for_99_at_a_time() -> None:
    def answer(request: Request) -> Response:
        ids = request.query_params.getlist("ids")
        # as measured: known ids without dashes, null for what is unknown
        return json([{"id": bare_id(i)} if int(bare_id(i), 16) % 2 else None for i in ids])

    app = Script(answer)
    ids = [hexadecimal(number) for number in range(200)]
    async with over(app) as server:
        found = await server.get_conversations(ids)
    sizes = [len(request.query_params.getlist("ids")) for request in app.asked]
    assert sizes == [99, 99, 2]
    assert [one.id if one else None for one in found] == [
        identifier if number % 2 else None for number, identifier in enumerate(ids)
    ]


async def test_ids_are_taken_with_and_without_dashes_and_asked_for_once() -> None:
    app = Script(json([{"id": ID, "title": "one"}]))
    async with over(app) as server:
        found = await server.get_conversations([DASHED, ID.upper(), DASHED, "f" * 32])
        assert await server.get_conversations([]) == []
    assert [one.title if one else None for one in found] == ["one", "one", "one", None]
    assert len(app.asked) == 1


async def test_sandboxes_and_start_tasks_keep_the_order_asked_for() -> None:
    app = Script(
        json([{"id": "b"}, None, {"id": "a"}]),
        json([{"id": DASHED, "status": "READY", "app_conversation_id": "c"}, None]),
    )
    async with over(app) as server:
        sandboxes = await server.sandboxes.get(["a", "x", "b"])
        tasks = await server.start_tasks.get([ID, "x"])
    assert [one.id if one else None for one in sandboxes] == ["a", None, "b"]
    assert tasks[0] is not None
    assert tasks[0].app_conversation_id == "c"
    assert tasks[1] is None


# pause, resume, download


@pytest.mark.parametrize("verb", ["pause", "resume"])
async def test_a_404_of_pause_or_resume_asks_for_a_refresh(verb: str) -> None:
    async with over(Script(json({"detail": "Not Found"}, 404))) as server:
        with pytest.raises(errors.NotFound, match=f"Could not {verb} the sandbox s1") as caught:
            await getattr(server.sandboxes, verb)("s1")
    assert caught.value.hint.startswith("Refresh")


async def test_a_pause_that_did_not_work_is_a_conflict() -> None:
    async with over(Script(json({"success": False}))) as server:
        with pytest.raises(errors.Conflict, match="did not work"):
            await server.sandboxes.pause("s1")


async def test_a_download_arrives_in_pieces_over_the_network() -> None:
    go_on = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"PK\3\4"
        await go_on.wait()
        yield b"rest"

    app = Script(StreamingResponse(body(), media_type="application/zip"))
    async with (
        listening(app) as base,
        AppServer(base, retries=AT_ONCE) as server,
        server.download(ID) as pieces,
    ):
        assert await anext(pieces) == b"PK\3\4"
        go_on.set()
        assert [piece async for piece in pieces] == [b"rest"]
    assert app.paths == [f"/api/v1/app-conversations/{ID}/download"]


async def test_a_download_that_is_left_early_stops_the_server() -> None:
    stopped = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1000

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await StreamingResponse(body())(scope, receive, send)
        finally:
            stopped.set()

    async with over(app) as server, server.download(ID) as pieces:
        await anext(pieces)
    assert stopped.is_set()


async def test_a_download_that_breaks_off_says_so_and_is_not_begun_again() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"PK"
        raise RuntimeError("gone")

    app = Script(StreamingResponse(body()))
    received = b""
    async with over(app) as server:
        with pytest.raises(errors.Unreachable, match="broke off"):
            async with server.download(ID) as pieces:
                async for piece in pieces:
                    received += piece
    assert received == b"PK"
    assert len(app.asked) == 1


@pytest.mark.parametrize(
    ("status", "kind", "word"),
    [
        (404, errors.NotFound, "start task"),
        (409, errors.Conflict, "already"),
        (413, errors.TooLarge, "page by page"),
        (503, errors.ServerError, "again"),
    ],
)
async def test_a_refused_download_says_what_to_do(
    status: int, kind: type[errors.ApiError], word: str
) -> None:
    async with over(Script(json({"detail": "no"}, status))) as server:
        with pytest.raises(kind) as caught:
            async with server.download(ID):
                pass
    assert word in caught.value.hint


async def test_an_error_of_the_callers_own_passes_a_download_unchanged() -> None:
    app = Script(Response(b"PK"))
    async with over(app) as server:
        with pytest.raises(errors.NotFound) as caught:
            async with server.download(ID):
                raise errors.NotFound("mine", "my hint")
    assert caught.value.hint == "my hint"


async def test_a_web_page_is_no_download() -> None:
    async with over(Script(Response("<html>", media_type="text/html"))) as server:
        with pytest.raises(errors.NotTheApi):
            async with server.download(ID):
                pass


# the way to the agent server


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        (f"https://x1.host.test/api/conversations/{DASHED}", "https://x1.host.test"),
        (
            f"https://host.test/runtime/8002/api/conversations/{ID}",
            "https://host.test/runtime/8002",
        ),
        (f"http://localhost:8002/api/conversations/{ID}/", "http://localhost:8002"),
        (f"https://host.test/api/conversations/{ID}?x=1#y", "https://host.test"),
        (f"/api/conversations/{ID}", "http://app.test"),
        (f"/runtime/8002/api/conversations/{ID}", "http://app.test/runtime/8002"),
        ("https://host.test", "https://host.test"),
        ("https://host.test/api", "https://host.test"),
        ("https://host.test/api/conversations/..", "https://host.test"),
    ],
)
async def test_the_agent_server_is_found_from_every_form_of_address(
    address: str, asked: str
) -> None:
    app = Script(json(0))
    conversation = Conversation(ID, conversation_url=address, session_api_key=Secret("agent-key"))
    async with over(app, key=KEY) as server:
        agent = server.agent_server(conversation)
        assert agent is not None
        await agent.count_events()
    url = app.asked[0].url
    sent = str(url).split("/api/conversations/")
    assert sent[0] == asked
    assert bare_id(sent[1].split("/")[0]) == ID
    assert app.keys() == [(None, "agent-key")]


@pytest.mark.parametrize("address", [None, "", "  "])
def test_without_an_address_there_is_no_agent_server(address: str | None) -> None:
    assert over(Script(json(0))).agent_server(Conversation(ID, conversation_url=address)) is None


@pytest.mark.parametrize(
    "address",
    ["ftp://x/api/conversations/1", "file:///x", "javascript:alert(1)", "x", "http://[::"],
)
def test_an_address_that_is_none_is_a_bad_answer(address: str) -> None:
    with pytest.raises(errors.BadAnswer, match="not an http or https address"):
        over(Script(json(0))).agent_server(Conversation(ID, conversation_url=address))


async def test_without_a_key_of_its_own_the_agent_server_gets_none() -> None:
    app = Script(json("no", 401))
    async with over(app, key=KEY) as server:
        agent = server.agent_server(Conversation(ID, conversation_url=f"/api/conversations/{ID}"))
        assert agent is not None
        with pytest.raises(errors.AuthError):
            await agent.count_events()
    assert app.keys() == [(None, None)]


# the environment


@pytest.mark.parametrize(
    ("environment", "base", "key"),
    [
        ({}, "https://app.all-hands.dev", None),
        ({"OPENHANDS_API_KEY": "one", "OPENHANDS_CLOUD_API_KEY": "two"}, None, "one"),
        ({"OPENHANDS_CLOUD_API_KEY": "two", "OPENHANDS_API_KEY": ""}, None, "two"),
        ({"OPENHANDS_BASE_URL": "http://localhost:3000/api/v1"}, "http://localhost:3000", None),
    ],
)
def test_the_environment_names_server_and_key(
    environment: dict[str, str], base: str | None, key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    server = OpenHands()
    assert server.base_url == (base or "https://app.all-hands.dev")
    assert server._http._key == (Secret(key) if key else None)


async def test_arguments_come_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENHANDS_API_KEY", "from-environment")
    monkeypatch.setenv("OPENHANDS_BASE_URL", "http://environment.test")
    app = Script(page({"id": "c"}))
    async with listening(app) as base, OpenHands(base, "given") as server:
        found = await server.search_conversations(limit=5)
    assert [one.id for one in found.items] == ["c"]
    assert app.keys() == [("Bearer given", None)]
