"""Agent Canvas is found by its own answer; nothing else on its port learns a key."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from oh_tui.api.errors import AuthError, Unreachable
from oh_tui.api.http import loopback
from oh_tui.settings.canvas import CanvasFiles, read_canvas_files
from oh_tui.sources import canvas, listeners
from oh_tui.sources.this_machine import ThisMachine
from oh_tui.text.problem import Problem
from tests.canvas.here import (
    ALL,
    KEY,
    LOOPBACK,
    home_with,
    page,
    proc,
    program,
    running_canvas,
    server_info,
)
from tests.hostile.server import serving


@pytest.fixture
def files(tmp_path: Path) -> CanvasFiles:
    home_with(tmp_path)
    return read_canvas_files({"HOME": str(tmp_path)})


async def test_its_runs_are_listed_with_its_key(
    files: CanvasFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_canvas(monkeypatch) as here:
        source = canvas.open_canvas(files)
        assert isinstance(source, canvas.CanvasSource)
        assert here.paths == ["/server_info"] and not here.holds(KEY)
        assert len((await source.newest()).items) > 20
        await source.close()
        first, *others = here.asked
        assert "x-session-api-key" not in first.headers and "cookie" not in first.headers
        assert {one.headers.get("x-session-api-key") for one in others} == {KEY}
        assert not any("authorization" in one.headers for one in here.asked)
        assert "/api/v1/app-conversations/search" not in here.paths, "what it is, is known"
        assert source.remarks == (
            f"Canvas at 127.0.0.1:{here.port}, agent server 1.49.1, key from "
            f"{files.key_from.removeprefix('the file ')}",
        )
        assert source.canvas.automations == f"{here.url}/api/automation"


NO_CANVAS: dict[str, Response] = {
    "an agent server": JSONResponse({"title": "OpenHands Agent Server", "version": "1.58.2"}),
    "another program": PlainTextResponse("hello"),
    "none of JSON": PlainTextResponse("{" * 50_000),
    "a list": JSONResponse([{"runtime_services": {"mode": "agent-canvas"}}]),
    "another mode": JSONResponse({"runtime_services": {"mode": "sandbox"}}),
    "no text": JSONResponse({"runtime_services": {"mode": ["agent-canvas"]}}),
    "a list of services": JSONResponse({"runtime_services": ["agent-canvas"]}),
    "an error": JSONResponse(server_info(), 500),
    "a redirect": RedirectResponse("/other"),
    "packed": JSONResponse(server_info(), headers={"Content-Encoding": "gzip"}),
    "huge": JSONResponse({**server_info(), "more": "x" * (1 << 19)}),
}


@pytest.mark.parametrize("what", NO_CANVAS)
def test_another_program_is_asked_once_and_learns_no_key(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home_with(tmp_path, runs=False)
    (tmp_path / ".openhands/agent-canvas/dev_conversations").rmdir()
    with program(monkeypatch, server_info=NO_CANVAS[what]) as here:
        assert canvas.open_canvas(read_canvas_files({"HOME": str(tmp_path)})) is None
        assert here.paths == ["/server_info"] and not here.holds(KEY)


ODD: list[dict[str, Any]] = [
    {"runtime_services": {"mode": "docker"}},
    {"runtime_services": {"mode": "dev:full", "services": None}},
    {"runtime_services": {"mode": "agent-canvas", "services": [1]}, "version": {"a": 1}},
    {"runtime_services": {"mode": "agent-canvas", "services": {"ingress": "x", "automation": 1}}},
    {"runtime_services": {"mode": "agent-canvas", "services": {"ingress": {"url_from_agent": 3}}}},
    {
        "runtime_services": {
            "mode": "agent-canvas",
            "services": {
                "ingress": {"url_from_agent": "http://[::1"},
                "agent_server": {"url_from_agent": "http://203.0.113.5:8000"},
                "automation": {"api_prefix": {}},
            },
        }
    },
]


@pytest.mark.parametrize("told", ODD)
def test_what_it_says_beside_its_name_may_be_anything(
    told: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with program(monkeypatch, server_info=JSONResponse(told)) as here:
        found = canvas.look()
        assert found is not None and found.address == here.url
        assert found.addresses == (here.url,), "no other address is believed"
        assert (found.version, found.automations) == (None, None)


def test_what_a_container_calls_localhost_is_not_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = server_info()
    told["runtime_services"]["mode"] = "docker"
    with program(monkeypatch, server_info=JSONResponse(told)) as here:
        found = canvas.look()
        assert found is not None and found.addresses == (here.url,)
        assert found.automations == f"{here.url}/api/automation"


def test_a_slow_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def drip(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(1000):
            await asyncio.sleep(0.02)
            await send({"type": "http.response.body", "body": b" ", "more_body": True})

    with serving(drip) as url:
        monkeypatch.setattr(canvas, "PORTS", (int(url.rpartition(":")[2]),))
        began = time.monotonic()
        assert canvas.look() is None
        assert time.monotonic() - began < 3, "0.3 s, on a machine that is busy"


def test_no_proxy_of_the_environment_is_asked(
    files: CanvasFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_canvas(monkeypatch) as here, serving(PlainTextResponse("a proxy")) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy)
        source = canvas.open_canvas(files)
        assert isinstance(source, canvas.CanvasSource)
        assert here.paths == ["/server_info"]


async def test_a_key_of_its_own_is_asked_for_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("", "of-before-1234"):
        home = tmp_path / (key or "none")
        home_with(home, key)
        with running_canvas(monkeypatch) as here:
            source = canvas.open_canvas(read_canvas_files({"HOME": str(home)}))
            assert source is not None
            with pytest.raises(AuthError) as caught:
                await source.newest()
            await source.close()
        assert f"127.0.0.1:{here.port}" in caught.value.sentence
        assert caught.value.hint == ("Canvas has a key of its own: set LOCAL_BACKEND_API_KEY to it")


# Whose port it is


@pytest.mark.parametrize(
    ("users", "why"),
    [
        ((os.getuid(),), ""),
        ((0,), ""),
        ((54321,), "port 8000 is another user's"),
        ((os.getuid(), 54321), "port 8000 is another user's"),
        ((), "this machine does not tell who listens on port 8000"),
    ],
)
def test_a_key_goes_to_a_port_of_this_user_or_of_root_only(
    users: tuple[int, ...], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = proc(tmp_path, (ALL, 8001, 54321), *((ALL, 8000, user) for user in users))
    monkeypatch.setattr(listeners, "PROC", folder)
    assert listeners.why_not_ours(8000) == why


def test_without_proc_nobody_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listeners, "PROC", tmp_path / "none")
    assert listeners.why_not_ours(8000) == "" and listeners.is_open_to_all(8000) is None


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="a system without /proc")
def test_the_kernel_of_this_machine_tells_of_a_port_of_ours() -> None:
    with serving(PlainTextResponse("")) as url:
        port = int(url.rpartition(":")[2])
        assert listeners.why_not_ours(port) == "" and listeners.is_open_to_all(port) is False


def test_a_canvas_of_another_user_gets_no_key_and_own_runs_are_read_from_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home_with(tmp_path, runs=True)
    with running_canvas(monkeypatch) as here:
        monkeypatch.setattr(listeners, "PROC", proc(tmp_path / "net", (ALL, here.port, 54321)))
        source = canvas.open_canvas(read_canvas_files({"HOME": str(tmp_path)}))
        assert isinstance(source, ThisMachine)
        assert f"gets no key: port {here.port} is another user's" in source.remarks[0]
        with pytest.raises(Problem, match="gets no key"):
            canvas.open_canvas(CanvasFiles())
        assert set(here.paths) == {"/server_info"} and not here.holds(KEY)


async def test_who_takes_its_port_later_gets_no_key(
    files: CanvasFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_canvas(monkeypatch) as here:
        ours = proc(tmp_path / "ours", (LOOPBACK, here.port, os.getuid()))
        monkeypatch.setattr(listeners, "PROC", ours)
        source = canvas.open_canvas(files)
        assert isinstance(source, canvas.CanvasSource)
        taken = proc(tmp_path / "taken", (LOOPBACK, here.port, 54321))
        monkeypatch.setattr(listeners, "PROC", taken)
        with pytest.raises(Unreachable, match=f"port {here.port} is another user's"):
            await source.newest()
        await source.close()
        assert here.paths == ["/server_info"] and not here.holds(KEY)


# Where it does not run


async def test_its_runs_are_read_from_disk_and_said(tmp_path: Path) -> None:
    folder = home_with(tmp_path, runs=True)
    before = written(folder)
    source = canvas.open_canvas(read_canvas_files({"HOME": str(tmp_path)}))
    assert isinstance(source, ThisMachine) and source.agents is None
    (run,) = (await source.newest()).items
    assert run.id.startswith("1281a4fe")
    assert source.label.startswith("canvas  ") and source.remembered_as == "canvas"
    assert source.remarks == [
        "Canvas does not run at 127.0.0.1:8000; its runs from disk, read only"
    ]
    assert written(folder) == before, "nothing is written there"


def written(folder: Path) -> dict[Path, float]:
    return {path: path.stat().st_mtime for path in folder.rglob("*")}


# Its page


@pytest.mark.parametrize(
    ("address", "told", "gives"),
    [(ALL, page(), True), (ALL, page(""), False), (LOOPBACK, page(), False)],
)
def test_it_is_known_whether_it_gives_its_key_away(
    address: str,
    told: Response,
    gives: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with running_canvas(monkeypatch) as here:
        here.answers["/"] = told
        monkeypatch.setattr(listeners, "PROC", proc(tmp_path, (address, here.port, os.getuid())))
        found = canvas.look()
        assert found is not None and canvas.gives_key_away(found) is gives
        asked = [path for path in here.paths if path == "/"]
        assert len(asked) == (address == ALL), "where nobody else reaches it, it is not asked"


# One server


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("http://localhost:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000/", "http://127.0.0.1:8000"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://LOCALHOST:80", "http://127.0.0.1"),
        ("https://App.All-Hands.dev:443", "https://app.all-hands.dev"),
        ("http://[2001:db8::1]:3000/oh", "http://[2001:db8::1]:3000/oh"),
    ],
)
def test_one_form_for_all_addresses_of_a_server(written: str, form: str) -> None:
    assert canvas.normal(written) == form


def test_the_other_ports_of_canvas_are_canvas(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_canvas(monkeypatch) as here:
        found = canvas.look()
        assert found is not None
        assert canvas.normal(here.url.replace("127.0.0.1", "localhost")) in found.addresses
        assert canvas.normal("http://localhost:3001") in found.addresses
        assert canvas.normal("http://localhost:3000") not in found.addresses


@pytest.fixture
def closed() -> Iterator[int]:
    with serving(PlainTextResponse("")) as url:
        port = int(url.rpartition(":")[2])
    yield port


def test_a_closed_port_answers_nothing_at_once(closed: int) -> None:
    assert loopback.ask(closed, "/server_info", 1000, 5.0) is None
