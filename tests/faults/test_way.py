"""The connection to a server: ports, certificates, proxies, redirects; limits on responses."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from oh_tui.api import Conversation, errors, paging
from oh_tui.demo import Demo
from tests.api.servers import closed_port
from tests.faults import faults
from tests.faults.conftest import KEY, client
from tests.faults.wire import Exchange, Fault, Wire, served
from tests.tui.explorer import NOW

MIB = 1 << 20


async def problem(url: str) -> errors.ApiError:
    async with client(url) as api:
        with pytest.raises(errors.ApiError) as caught:
            await api.search_conversations()
    assert KEY not in f"{caught.value} {caught.value.hint}"
    return caught.value


# Certificates


@pytest.fixture(scope="module")
def own_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made by nobody we know, for the name localhost alone."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl makes the certificate")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [program, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.fixture
def secure(own_certificate: Path) -> Iterator[Wire]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(own_certificate / "cert.pem", own_certificate / "key.pem")
    demo = Demo(NOW, "everything")
    demo.rate_limited = False
    with served(demo.app, ssl=context) as made:
        yield made


async def test_a_certificate_of_nobody_is_named_and_the_key_stays_here(secure: Wire) -> None:
    told = await problem(secure.url)
    host = secure.url.removeprefix("https://")
    assert told.sentence.startswith(
        f"Could not list conversations: the certificate of {host} is not valid here (self"
    )
    assert told.hint == "Check the address; for a private authority set SSL_CERT_FILE"
    assert secure.asked == []


async def test_a_private_authority_is_taken_for_its_own_name_alone(
    secure: Wire, own_certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(own_certificate / "cert.pem"))
    async with client(secure.url.replace("127.0.0.1", "localhost")) as api:
        assert (await api.search_conversations()).items
    told = await problem(secure.url)
    assert "is not valid here (IP address mismatch" in told.sentence


# Proxies


class Proxy:
    """Passes plain http on to the wire, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, exchange: Exchange) -> None:
        self.asked.append(exchange.target)
        await exchange.pass_on()


async def test_a_proxy_is_used_unless_the_host_is_excepted(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Proxy()
    wire.arm("GET http://*", proxy)
    monkeypatch.setenv("HTTP_PROXY", wire.url)
    async with client("http://oh.test") as api:
        assert (await api.search_conversations(limit=3)).items
    assert proxy.asked == ["http://oh.test/api/v1/app-conversations/search?limit=3"]
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with client(wire.url) as api:
        assert (await api.search_conversations(limit=3)).items
    assert len(proxy.asked) == 1
    assert wire.asked[-1] == "GET /api/v1/app-conversations/search"


async def test_a_proxy_that_is_not_there_is_named_and_not_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = closed_port()
    for scheme in ("http", "https"):
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", f"http://ada:{KEY}@127.0.0.1:{port}")
        told = await problem(f"{scheme}://oh.test")
        assert told.sentence == (
            f"Could not list conversations: the proxy 127.0.0.1:{port} on the way to oh.test "
            "cannot be reached"
        )
        assert told.hint == "Check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    told = await problem(f"http://127.0.0.1:{port}")
    assert f"nothing listens at 127.0.0.1:{port}" in told.sentence


# Another host


async def test_a_download_goes_on_elsewhere_without_the_key_and_its_faults_are_told_of_there(
    wire: Wire,
) -> None:
    demo = Demo(NOW, "everything")
    with served(demo.app) as other:
        wire.arm("GET */download", faults.to(f"{other.url}/store/run.zip"))
        host = other.url.removeprefix("http://")
        for fault, told in (
            (faults.detail(403, "Forbidden"), f"{host} does not allow this with this key (403)"),
            (faults.reset, f"the connection to {host} broke off"),
            (faults.says(200, faults.PAGE, "text/html"), f"{host} answered with a web page"),
        ):
            other.arm("GET /store/*", fault)
            async with client(wire.url) as api:
                with pytest.raises(errors.ApiError) as caught:
                    async with api.download("5f3a" * 8) as pieces:
                        [piece async for piece in pieces]
            assert told in caught.value.sentence
            other.disarm()
        assert set(other.keys) == {""}


# How much is read


ENDLESS: dict[str, Callable[[], Fault]] = {
    "one without an end": lambda: faults.endless(b" " * MIB),
    "a gzip bomb": lambda: faults.packed(faults.bomb(200 * MIB)),
}


@pytest.mark.parametrize("make", ENDLESS.values(), ids=ENDLESS)
async def test_an_answer_is_not_read_beyond_64_mib_and_costs_no_more(
    wire: Wire, make: Callable[[], Fault]
) -> None:
    wire.arm("GET /api/v1/app-conversations/search", make())
    async with client(wire.url) as api:
        await api.sandboxes.search()
        tracemalloc.start()
        try:
            with pytest.raises(errors.TooLarge, match="sent more than 64 MiB"):
                await api.search_conversations()
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert most < 96 * MIB
        assert (await api.sandboxes.search()).items


async def test_an_error_without_an_end_is_told_by_its_status(wire: Wire) -> None:
    async def endless_words(exchange: Exchange) -> None:
        await exchange.head(500, Content_Type="text/plain", Transfer_Encoding="chunked")
        while not exchange.reader.at_eof():
            await exchange.chunk(b"no luck " * 4096)

    wire.arm("GET /api/v1/app-conversations/search", endless_words)
    told = await problem(wire.url)
    assert told.status == 500
    assert "said: no luck no luck" in told.sentence and len(told.sentence) < 400


async def test_pages_without_an_end_are_given_up(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MAX_PAGES", 20)
    asked = 0

    async def another_page(exchange: Exchange) -> None:
        nonlocal asked
        asked += 1
        body = f'{{"items": [{{"id": "{asked:032x}"}}], "next_page_id": "{asked}"}}'
        await exchange.send(200, body, Content_Type="application/json")

    wire.arm("GET /api/*/search", another_page)
    async with client(wire.url) as api:
        for listing in (api.conversations().pages(), api.sandboxes.all()):
            asked = 0
            with pytest.raises(errors.BadAnswer, match="page after page without an end"):
                [one async for one in listing]
            assert asked == 20


async def test_pages_that_come_again_are_each_taken_once(wire: Wire) -> None:
    turn = 0

    async def in_a_circle(exchange: Exchange) -> None:
        nonlocal turn
        turn += 1
        row = turn % 3
        body = f'{{"items": [{{"id": "event-{row}"}}], "next_page_id": "event-{(turn + 1) % 3}"}}'
        await exchange.send(200, body, Content_Type="application/json")

    wire.arm("GET */events/search", in_a_circle)
    async with client(wire.url) as api:
        held = Conversation("c", conversation_url=f"{wire.url}/api/conversations/c")
        agent = api.agent_server(held)
        assert agent is not None
        rows = [event.id async for event in agent.events()]
    assert sorted(rows) == ["event-0", "event-1", "event-2"]
    assert turn <= 4


# A connection that was held


async def test_a_server_that_comes_again_is_read_from_the_connection_before(wire: Wire) -> None:
    """As after a sleep, or a restart: the pool holds connections that are dead."""
    listener: list[asyncio.StreamWriter] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listener.append(writer)
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
            writer.write(b"Content-Length: 1\r\n\r\n7")
            await writer.drain()
            if len(listener) == 1:
                writer.transport.abort()  # it dies behind our back
                return

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with client(f"http://127.0.0.1:{port}") as api:
            for _ in range(3):
                assert await api.count_conversations() == 7
        assert len(listener) == 2
        for writer in listener:
            writer.close()
