"""The shell and the files of a sandbox: whole outputs, whole files, older servers."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import IO, Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from oh_tui.api import AppServer, errors, requests
from oh_tui.api.models import BashOutput
from oh_tui.api.sandbox_server import SandboxServer

from .servers import Script, json, listening, over, page, raw
from .test_agent_server import agent_of

BINARY = bytes(range(256)) * 5_000


async def form_file(request: Request) -> bytes:
    """The file in a form; the test's own reading of it, not the one of the code under test."""
    boundary = request.headers["content-type"].partition("boundary=")[2].encode()
    body = await request.body()
    found = re.fullmatch(
        rb"--%b\r\n(?:[^\r\n]+\r\n)+\r\n(.*)\r\n--%b--\r\n" % (boundary, boundary), body, re.S
    )
    assert found, body[:200]
    assert b'name="file"; filename="' in body[:200]
    return found[1]


class Files:
    """An agent server's file calls over a dict. `form` says where the path is: "query" (1.20 on),
    "both" (1.14 to 1.19), "address" (before)."""

    def __init__(self, form: str, *, tells_size: bool = False, keeps: int | None = None) -> None:
        self.kept: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.tells_size = tells_size
        self.keeps = keeps
        routes = []
        if form != "address":
            routes += self._routes("")
        if form != "query":
            routes += self._routes("/{path:path}")
        self.app = Starlette(routes=routes)

    def _routes(self, more: str) -> list[Route]:
        return [
            Route(f"/api/file/upload{more}", self.upload, methods=["POST"]),
            Route(f"/api/file/download{more}", self.download, methods=["GET"]),
        ]

    def _path(self, request: Request) -> str:
        self.asked.append("address" if request.path_params else "query")
        return str(request.path_params.get("path") or request.query_params["path"])

    async def upload(self, request: Request) -> Response:
        path = self._path(request)
        data = await form_file(request)
        if not path.startswith("/"):
            return json({"detail": "Path must be absolute"}, 400)
        self.kept[path] = data[: self.keeps]
        size = {"file_size": len(self.kept[path])} if self.tells_size else {}
        return json({"success": True, **size})

    async def download(self, request: Request) -> Response:
        path = self._path(request)
        if not path.startswith("/"):
            return json({"detail": "Path must be absolute"}, 400)
        if path not in self.kept:
            return json({"detail": "File not found"}, 404)
        return Response(self.kept[path], media_type="application/octet-stream")


def sandbox_of(server: AppServer) -> SandboxServer:
    return agent_of(server).sandbox


async def got(server: SandboxServer, path: str) -> bytes:
    async with server.download_file(path) as pieces:
        return b"".join([piece async for piece in pieces])


@pytest.mark.parametrize(
    ("form", "asked"),
    [("query", {"query"}), ("both", {"query"}), ("address", {"address"})],
)
@pytest.mark.parametrize("path", ["/workspace/a.bin", "/workspace/über uns/50% & more?.bin"])
async def test_files_go_in_and_out_of_servers_of_all_ages(
    form: str, asked: set[str], path: str
) -> None:
    files = Files(form)
    async with over(files.app) as server:
        sandbox = sandbox_of(server)
        assert await sandbox.upload_file(path, BINARY) == len(BINARY)
        assert await got(sandbox, path) == BINARY
        assert await sandbox.file_size(path) == len(BINARY)
    assert files.kept == {path: BINARY}
    assert set(files.asked) == asked


@pytest.mark.parametrize("form", ["query", "both", "address"])
async def test_a_file_that_is_not_there_is_not_found_by_any_server(form: str) -> None:
    files = Files(form)
    async with over(files.app) as server:
        with pytest.raises(errors.NotFound, match="File not found"):
            await got(sandbox_of(server), "/no/such")
        with pytest.raises(errors.InvalidRequest, match="absolute"):
            await got(sandbox_of(server), "relative")
    assert len(files.asked) == 2


@pytest.mark.parametrize("status", [404, 405, 422])
async def test_each_refusal_of_the_query_is_followed_by_the_older_form(status: int) -> None:
    app = Script(json({"detail": "Not Found"}, status), Response(b"data"))
    async with over(app) as server:
        assert await got(sandbox_of(server), "/a/b") == b"data"
    assert [request.scope["raw_path"] for request in app.asked] == [
        b"/api/file/download",
        b"/api/file/download/%2Fa%2Fb",
    ]


async def test_other_failures_are_not_taken_for_an_older_server() -> None:
    for status in (401, 403, 409, 500, 503):
        app = Script(json({"detail": "no"}, status))
        async with over(app) as server:
            with pytest.raises(errors.ApiError) as caught:
                await sandbox_of(server).upload_file("/a", b"x")
            assert caught.value.status == status
        assert len(app.asked) == 1


async def test_a_local_file_is_sent_and_its_progress_told(tmp_path: Path) -> None:
    local = tmp_path / "big.bin"
    local.write_bytes(BINARY)
    files, told = Files("query"), list[int]()
    async with listening(files.app) as base, AppServer(base) as server:
        sandbox = SandboxServer(server._http)
        assert await sandbox.upload_file("/w/big.bin", local, progress=told.append) == len(BINARY)
        assert await got(sandbox, "/w/big.bin") == BINARY
    assert told == sorted(told)
    assert len(told) > 3
    assert told[-1] == len(BINARY)


async def test_a_local_file_is_sent_again_to_an_older_server(tmp_path: Path) -> None:
    local = tmp_path / "local"
    local.write_bytes(b"abcabcabc")
    files = Files("address")
    async with over(files.app) as server:
        assert await sandbox_of(server).upload_file("/w/x", local) == 9
    assert files.kept == {"/w/x": b"abcabcabc"}


async def test_a_local_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    app = Script(json({}))
    async with over(app) as server:
        for path in (tmp_path, tmp_path / "none"):
            with pytest.raises(errors.InvalidRequest, match="cannot be read"):
                await sandbox_of(server).upload_file("/w/x", path)
    assert app.asked == []


@pytest.mark.parametrize("size", [5, 500])
async def test_a_file_that_changes_while_it_is_sent_is_not_put(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, local = Files("query"), tmp_path / "local"
    local.write_bytes(b"x" * size)

    def changed(file: IO[bytes]) -> bytes:
        local.write_bytes(b"x" * 100)
        return file.read()

    monkeypatch.setattr(requests, "_read", changed)
    async with listening(files.app) as base, AppServer(base) as server:
        with pytest.raises(errors.InvalidRequest, match="no longer"):
            await SandboxServer(server._http).upload_file("/w/x", local)
    assert files.kept == {}


@pytest.mark.parametrize("tells_size", [False, True])
async def test_a_server_that_kept_half_of_it_is_found_out(tells_size: bool) -> None:
    files = Files("query", tells_size=tells_size, keeps=700)
    async with over(files.app) as server:
        with pytest.raises(errors.BadAnswer, match="kept 700 of 1,000 bytes"):
            await sandbox_of(server).upload_file("/w/x", b"y" * 1000)
    assert len(files.asked) == (1 if tells_size else 2)


async def test_half_a_download_is_an_error() -> None:
    async def half(_reader: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 400)
        await writer.drain()

    async with raw(half) as base, AppServer(base) as server:
        with pytest.raises(errors.Unreachable):
            await got(SandboxServer(server._http), "/w/x")


async def test_half_a_download_within_this_process_is_an_error_too() -> None:
    short = Response(b"x" * 400, headers={"Content-Length": "1000"})
    async with over(Script(short)) as server:
        with pytest.raises(errors.Unreachable, match="after 400 of 1,000 bytes"):
            await got(sandbox_of(server), "/w/x")


# the shell

COMMAND = {"id": "c1", "command": "make", "cwd": None, "timeout": 300, "kind": "BashCommand"}


def part(order: int, out: str | None = None, code: int | None = None, **more: Any) -> Any:
    return {
        "id": more.pop("id", f"p{order}"),
        "command_id": "c1",
        "order": order,
        "exit_code": code,
        "stdout": out,
        "kind": "BashOutput",
        **more,
    }


async def test_an_output_in_many_parts_is_joined_by_their_numbers() -> None:
    app = Script(
        json(COMMAND),
        page(),
        page(part(1, "b"), part(0, "a"), next_page_id="p2"),
        page(part(2, None, stderr="e")),
        page(part(3, "c", 7)),
    )
    seen: list[BashOutput] = []
    async with over(app) as server:
        result = await sandbox_of(server).run_command("make", progress=seen.append)
    assert (result.exit_code, result.stdout, result.stderr) == (7, "abc", "e")
    assert [one.order for one in seen] == [0, 1, 2, 3]
    queries = [dict(request.query_params) for request in app.asked[1:]]
    assert [query.get("order__gt") for query in queries] == [None, None, None, "2"]
    assert queries[2]["page_id"] == "p2"


async def test_a_server_that_ignores_the_numbers_repeats_nothing() -> None:
    app = Script(
        page(part(0, "a")), page(part(0, "a"), part(1, "b")), page(part(0, "a"), part(2, "c", 0))
    )
    async with over(app) as server:
        found = [one.stdout async for one in sandbox_of(server).bash_output("c1")]
    assert found == ["a", "b", "c"]


async def test_parts_that_share_a_number_are_all_found() -> None:
    """Two streams that grow at once: the second 0 came after the first had been read."""
    everything = page(part(0, "a"), part(0, None, id="q0", stderr="e"), part(2, "b", 0))
    app = Script(page(part(0, "a")), page(part(2, "b", 0)), everything)
    async with over(app) as server:
        parts = [one async for one in sandbox_of(server).bash_output("c1")]
    assert "".join(one.stdout or "" for one in parts) == "ab"
    assert "".join(one.stderr or "" for one in parts) == "e"
    assert parts[-1].exit_code == 0
    assert "order__gt" not in app.asked[-1].query_params


async def test_an_end_that_is_never_told_is_not_waited_for_for_ever() -> None:
    async with over(Script(page())) as server:
        with pytest.raises(errors.TimedOut, match="no end"):
            async for _ in sandbox_of(server).bash_output("c1", timeout=0.3):
                pass


def hanging() -> ASGIApp:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(60)

    return app


async def test_an_agent_server_that_hangs_is_a_sentence_within_6_seconds() -> None:
    async with over(hanging()) as server:
        agent = agent_of(server)
        async with asyncio.timeout(6):
            outcomes = await asyncio.gather(
                agent.respond_to_confirmation(True),
                agent.run(),
                agent.sandbox.start_bash_command("true"),
                agent.conversation(),
                return_exceptions=True,
            )
    assert [type(outcome) for outcome in outcomes] == [errors.TimedOut] * 4
