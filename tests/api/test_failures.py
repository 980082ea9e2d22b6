"""Each way a call can fail has its own error and a sentence for people."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl

import httpx
import pytest
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse

from oh_tui.api import errors
from oh_tui.api.http.connections import UNLIMITED
from oh_tui.api.http.http_errors import ApiCall, explanation, from_exception
from oh_tui.api.http.transport import MAX_JSON

from .servers import KEY, Script, closed_port, json, listening, over, over_network, raw

CALL = ApiCall("list conversations", "GET", "http://app.test/x", "app.test")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.InvalidRequest),
        (401, errors.AuthError),
        (403, errors.AuthError),
        (404, errors.NotFound),
        (405, errors.InvalidRequest),
        (409, errors.Conflict),
        (410, errors.NotFound),
        (413, errors.TooLarge),
        (418, errors.InvalidRequest),
        (422, errors.InvalidRequest),
        (429, errors.RateLimited),
        (500, errors.ServerError),
        (502, errors.ServerError),
        (503, errors.ServerError),
        (504, errors.ServerError),
        (304, errors.NotTheApi),
    ],
)
async def test_each_status_has_its_error_with_host_call_and_hint(
    status: int, kind: type[errors.ApiError]
) -> None:
    async with over(Script(Response(status_code=status))) as server:
        with pytest.raises(errors.ApiError) as caught:
            await server.search_conversations()
    error = caught.value
    assert type(error) is kind
    assert error.status == status
    assert error.sentence.startswith("Could not list conversations: app.test ")
    assert error.sentence.endswith(f"({status})")
    assert error.address == "GET http://app.test/api/v1/app-conversations/search"
    assert error.hint or kind is errors.TooLarge


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (json({"detail": "Sandbox is PAUSED."}, 409), "Sandbox is PAUSED"),
        (
            json({"detail": [{"loc": ["query", "limit"], "msg": "too large"}]}, 422),
            "limit: too large",
        ),
        (json({"error": "no settings"}, 404), "no settings"),
        (json({"message": "Too many requests"}, 429), "Too many requests"),
        (json("key is expired", 401), "key is expired"),
        (PlainTextResponse("boom \x1b[31mred", 500), "boom red"),
    ],
)
async def test_the_servers_own_words_are_in_the_sentence_and_harmless(
    answer: Response, said: str
) -> None:
    async with over(Script(answer)) as server:
        with pytest.raises(errors.ApiError) as caught:
            await server.users_me()
    assert f"app.test said: {said} (" in caught.value.sentence
    assert caught.value.detail.rstrip(".") == said


@pytest.mark.parametrize(
    ("body", "content_type", "said"),
    [
        (b"<html>oops</html>", "text/html", ""),
        (b"  <!doctype html>", "", ""),
        (b'{"detail": null, "error": "x"}', "", "x"),
        (b'{"detail": {"message": "inner"}}', "", "inner"),
        (b'{"detail": 5}', "", ""),
        (b"[]", "", ""),
        (b"\xff\xfe", "text/plain", "��"),
        (b"", "", ""),
    ],
)
def test_explanations_are_found_in_odd_bodies(body: bytes, content_type: str, said: str) -> None:
    assert explanation(body, content_type) == said


def test_a_deep_explanation_is_none() -> None:
    for depth in (100, 500, 900):
        body = b'{"detail":' + b"[" * depth + b'"x"' + b"]" * depth + b"}"
        assert explanation(body, "application/json") == ""


def test_a_long_explanation_is_cut() -> None:
    assert len(explanation(b"word " * 100_000, "text/plain")) <= 1000


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (HTMLResponse("<!doctype html><title>OpenHands</title>"), "a web page"),
        (PlainTextResponse("<html></html>"), "a web page"),
        (PlainTextResponse("it works"), "no JSON"),
        (Response(b""), "nothing"),
    ],
)
async def test_a_200_without_json_is_not_the_api(answer: Response, what: str) -> None:
    async with over(Script(answer)) as server:
        with pytest.raises(errors.NotTheApi) as caught:
            await server.search_conversations()
    asked = "http://app.test/api/v1/app-conversations/search"
    assert f"app.test answered with {what} at {asked}" in caught.value.sentence
    assert "such as https://app.all-hands.dev" in caught.value.hint


@pytest.mark.parametrize("value", [[], 5, "x", None, {"items": {}}, {"items": None}, {}])
async def test_json_of_another_shape_is_a_bad_answer(value: object) -> None:
    async with over(Script(json(value))) as server:
        with pytest.raises(errors.BadAnswer):
            await server.search_conversations()


async def test_a_refused_connection_says_that_nothing_listens() -> None:
    port = closed_port()
    async with over_network(f"http://127.0.0.1:{port}") as server:
        with pytest.raises(errors.Unreachable, match=f"nothing listens at 127.0.0.1:{port}"):
            await server.get("/x", "list conversations")


async def test_a_connection_reset_before_the_answer_is_unreachable() -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    async with raw(reset) as base, over_network(base) as server:
        with pytest.raises(errors.Unreachable, match="broke off"):
            await server.get("/x", "list conversations")


async def test_an_answer_that_stops_in_the_middle_is_unreachable() -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        await writer.drain()

    async with raw(half) as base, over_network(base) as server:
        with pytest.raises(errors.Unreachable, match="broke off"):
            await server.get("/x", "list conversations")


async def test_another_protocol_on_the_port_is_unreachable() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.test ESMTP\r\n")
        await writer.drain()

    async with raw(greet) as base, over_network(base) as server:
        with pytest.raises(errors.Unreachable):
            await server.get("/x", "list conversations")


async def test_a_silent_server_times_out_and_is_asked_once() -> None:
    asked = 0

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.read()

    async with raw(silent) as base, over_network(base) as server:
        with pytest.raises(errors.TimedOut, match="did not answer in time"):
            await server.get("/x", "list conversations", timeout=httpx.Timeout(0.1))
    assert asked == 1


async def test_https_towards_a_plain_server_speaks_of_the_certificate() -> None:
    async with (
        listening(Script(json({}))) as base,
        over_network(base.replace("http:", "https:")) as server,
    ):
        with pytest.raises(errors.Unreachable, match="certificate") as caught:
            await server.get("/x", "list conversations")
    assert "http://" in caught.value.hint


@pytest.mark.parametrize(
    ("cause", "kind", "words"),
    [
        (ssl.SSLCertVerificationError("self-signed"), errors.Unreachable, "certificate"),
        (socket.gaierror(-2, "Name not known"), errors.Unreachable, "no server named app.test"),
        (OSError("unreachable"), errors.Unreachable, "no connection"),
    ],
)
def test_the_reason_is_found_below_what_httpx_says(
    cause: OSError, kind: type[errors.ApiError], words: str
) -> None:
    error = httpx.ConnectError("All connection attempts failed")
    error.__context__ = ExceptionGroup("attempts", [cause])
    named = from_exception(CALL, error)
    assert type(named) is kind
    assert words in named.sentence


def test_every_exception_of_httpx_gets_a_name() -> None:
    kinds = [
        kind
        for kind in vars(httpx).values()
        if isinstance(kind, type) and issubclass(kind, httpx.TransportError | httpx.DecodingError)
    ]
    assert len(kinds) > 15
    for kind in kinds:
        named = from_exception(CALL, kind("secret words"))
        assert named.sentence.startswith("Could not list conversations: ")
        assert "secret words" not in named.sentence + named.hint


async def test_a_proxy_that_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with raw(refuse) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        async with over_network("https://app.test") as server:
            with pytest.raises(errors.Unreachable, match="proxy") as caught:
                await server.get("/x", "list conversations")
    assert "HTTPS_PROXY" in caught.value.hint


async def test_unusable_proxy_settings_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", f"gopher://user:{KEY}@proxy.test")
    async with over_network("https://app.test") as server:
        with pytest.raises(errors.Unreachable, match="proxy") as caught:
            await server.get("/x", "list conversations")
    assert KEY not in str(caught.value)


async def test_a_body_that_cannot_be_unpacked_is_a_bad_answer() -> None:
    broken = Response(b"no gzip at all", headers={"Content-Encoding": "gzip"})
    async with over(Script(broken)) as server:
        with pytest.raises(errors.BadAnswer, match="unpacked"):
            await server.search_conversations()


async def test_packed_json_is_read() -> None:
    packed = Response(gzip.compress(b"7"), headers={"Content-Encoding": "gzip"})
    async with over(Script(packed)) as server:
        assert await server.count_conversations() == 7


async def test_an_answer_without_end_is_cut_off_at_64_mib() -> None:
    sent = 0

    async def endless() -> object:
        nonlocal sent
        while True:
            sent += 1 << 20
            yield b" " * (1 << 20)

    app = Script(StreamingResponse(endless(), media_type="application/json"))  # type: ignore[arg-type]
    async with over(app) as server:
        with pytest.raises(errors.TooLarge, match="more than 64 MiB"):
            await server.search_conversations()
    assert MAX_JSON < sent < MAX_JSON + (8 << 20)


async def test_words_that_no_url_can_hold_are_an_invalid_request() -> None:
    async with over(Script(json(0))) as server:
        with pytest.raises(errors.InvalidRequest):
            await server.search_conversations(title__contains="\ud800")
        with pytest.raises(errors.InvalidRequest):
            await server.search_conversations(title__contains="x" * 100_000)


async def test_an_app_that_fails_in_this_process_is_unreachable() -> None:
    async def broken(scope: object, receive: object, send: object) -> None:
        raise RuntimeError(KEY)

    async with over(broken) as server:
        with pytest.raises(errors.Unreachable) as caught:
            await server.users_me()
    assert KEY not in str(caught.value)


async def test_a_closed_server_says_so() -> None:
    server = over(Script(json(0)))
    async with server:
        await server.count_conversations()
    with pytest.raises(errors.Unreachable, match="closed"):
        await server.count_conversations()


def test_only_the_agents_pause_waits_without_end() -> None:
    assert UNLIMITED.read is None
    assert UNLIMITED.connect == 5.0
