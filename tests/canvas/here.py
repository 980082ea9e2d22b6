"""A home with what Agent Canvas keeps in it, and a program on a port of loopback that answers as
Canvas does, or as another one."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from oh_tui.demo import Demo
from oh_tui.sources import canvas
from tests.hostile.server import serving
from tests.tui.explorer import NOW

SAMPLES = Path(__file__).parent / "samples"
KEY = "9f4c" * 16
"""64 characters of hexadecimal digits, as Canvas makes them."""

OPEN = ("/server_info", "/")
"""What Canvas answers without a key."""


def server_info() -> dict[str, Any]:
    """What Canvas 1.20.0 answers on its port 8000."""
    told: dict[str, Any] = json.loads((SAMPLES / "server_info.json").read_text())
    return told


@dataclass
class Program:
    """`answers` by path; all else goes to the embedded agent server, with the right key alone."""

    answers: dict[str, Response] = field(default_factory=dict)
    key: str = KEY
    asked: list[Request] = field(default_factory=list)
    url: str = ""

    def __post_init__(self) -> None:
        demo = Demo(NOW, "everything")
        demo.rate_limited = False
        self._server: ASGIApp = demo.app_like("agent")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.asked.append(request)
        path = request.url.path
        answers: ASGIApp = self._server
        if path in self.answers:
            answers = self.answers[path]
        elif path not in OPEN and request.headers.get("x-session-api-key") != self.key:
            answers = JSONResponse({"detail": "Unauthorized"}, 401)
        await answers(scope, receive, send)

    @property
    def paths(self) -> list[str]:
        return [request.url.path for request in self.asked]

    def holds(self, secret: str) -> bool:
        """Whether any header or address of what was asked has it."""
        return any(secret in f"{request.url} {request.headers.values()}" for request in self.asked)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


def page(key: str = KEY) -> Response:
    """The page of Canvas in its default mode."""
    return HTMLResponse(
        f'<html><script>window.__AGENT_CANVAS_SESSION_API_KEY__="{key}"</script></html>'
    )


@contextmanager
def program(monkeypatch: pytest.MonkeyPatch, **answers: Any) -> Iterator[Program]:
    """Listens where Canvas is looked for; `answers` by the last name of a path."""
    made = Program({f"/{name}": answer for name, answer in answers.items()})
    with serving(made) as made.url:
        monkeypatch.setattr(canvas, "PORTS", (made.port,))
        yield made


@contextmanager
def running_canvas(monkeypatch: pytest.MonkeyPatch, **beside: Any) -> Iterator[Program]:
    """Canvas, whose answer names the port that it has here; `beside` goes into that answer."""
    with program(monkeypatch) as made:
        told = server_info()
        for name in ("ingress", "agent_server"):
            told["runtime_services"]["services"][name]["url_from_agent"] = made.url
        made.answers = {"/server_info": JSONResponse({**told, **beside}), "/": page()}
        yield made


def home_with(home: Path, key: str = KEY + "\n", *, runs: bool = False) -> Path:
    """The folder of Canvas in a home, as npm's `agent-canvas` leaves it; "" for no key file."""
    folder = home / ".openhands" / "agent-canvas"
    (folder / "dev_conversations").mkdir(parents=True)
    if key:
        (folder / "api-key.txt").write_text(key)
        (folder / "api-key.txt").chmod(0o600)
    if runs:
        with zipfile.ZipFile(SAMPLES / "run.zip") as archive:
            archive.extractall(folder / "dev_conversations")
    return folder


def proc(folder: Path, *listeners_of: tuple[str, int, int]) -> Path:
    """A folder as /proc/net, of addresses in the kernel's form, ports and users."""
    folder.mkdir(exist_ok=True)
    lines = ["  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid"]
    lines += [
        f"   0: {address}:{port:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000  "
        f"{user}        0 624 1 0000000049278387 100 0 0 10 0"
        for address, port, user in listeners_of
    ]
    (folder / "tcp").write_text("\n".join([*lines, "", "what is this", "1: x"]))
    return folder


ALL, LOOPBACK = "00000000", "0100007F"
