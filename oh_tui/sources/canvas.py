"""Agent Canvas on this machine: found by its own answer, and opened as what it is, an agent server;
where it does not run, the runs that it left.

Facts without another source are measured on Agent Canvas 1.20.0.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from oh_tui.api import bare_server
from oh_tui.api.http import loopback
from oh_tui.settings.canvas import KEY_VARIABLE, CanvasFiles
from oh_tui.settings.config import CANVAS
from oh_tui.settings.paths import tilde
from oh_tui.sources import agent_server, listeners, this_machine
from oh_tui.sources.source import Source
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.events import decode_json

if TYPE_CHECKING:
    from oh_tui.api.http.connections import Watch

PORT = 8000
PORTS: Sequence[int] = (PORT, 3001)
"""Of its entry, and of its pages, which lead to the same servers when the entry was moved."""

DEADLINE = 0.3
"""Seconds for one of them; a closed port answers in 0.004."""

MOST = 1 << 18
"""Bytes of an answer; one has 3,000."""

_LOOPBACK = ("127.0.0.1", "localhost", "::1", "0.0.0.0")

_PAGE_KEY = b'__AGENT_CANVAS_SESSION_API_KEY__="'
"""In the page, before the key."""


class Canvas(msgspec.Struct, frozen=True):
    """A Canvas that answers, as it says of itself."""

    port: int
    version: str | None
    """Of its agent server; it does not tell its own."""
    automations: str | None
    """The address of its automations' routes, through the port that answered: in Docker no other is
    to be reached. None if it has none."""
    addresses: tuple[str, ...]
    """All that lead to it, in their `normal` form."""

    @property
    def address(self) -> str:
        return f"http://{loopback.HOST}:{self.port}"

    @property
    def host(self) -> str:
        return self.address.partition("://")[2]

    @property
    def words(self) -> str:
        server = f", agent server {self.version}" if self.version else ""
        return f"Canvas at {self.host}{server}"


class CanvasSource(agent_server.AgentServerSource):
    def __init__(self, api: bare_server.BareAgentServer, found: Canvas, files: CanvasFiles) -> None:
        super().__init__(api, f"{CANVAS}  {found.host}", address=found.address)
        self.canvas = found
        place = files.key_from.removeprefix("the file ")
        key = f"key from {place}" if files.key else files.skipped or "no key found"
        is_open = listeners.is_open_to_all(found.port)
        more = "; its port listens to other machines: oh-tui whoami" if is_open else ""
        self.remarks = (f"{found.words}, {key}{more}",)


def normal(address: str) -> str:
    """One form for all addresses of a server as people write them: localhost, 127.0.0.1 and [::1]
    are one host, and the usual port is left out."""
    parts = urlsplit(address.rstrip("/"))
    host = (parts.hostname or "").lower()
    host = loopback.HOST if host in _LOOPBACK else f"[{host}]" if ":" in host else host
    is_usual = parts.port in (None, {"http": 80, "https": 443}.get(parts.scheme))
    return f"{parts.scheme}://{host}{'' if is_usual else f':{parts.port}'}{parts.path}"


def look() -> Canvas | None:
    """The Canvas that answers here, asked without a key. Takes DEADLINE for each of PORTS at most,
    and loads httpx: call it in a thread. Another program there gets this one request."""
    for port in PORTS:
        body = loopback.ask(port, "/server_info", MOST, DEADLINE)
        if body and (found := _read(body, port)):
            return found
    return None


def gives_key_away(found: Canvas) -> bool | None:
    """Whether its page has the key in clear and other machines reach its port; None: not told. It
    is so by default. Takes one request."""
    if (is_open := listeners.is_open_to_all(found.port)) is not True:
        return is_open
    page = loopback.ask(found.port, "/", MOST, 1.0, cut=True)
    return None if page is None else page.partition(_PAGE_KEY)[2][:1] not in (b"", b'"')


def open_canvas(files: CanvasFiles, watch: Watch | None = None) -> Source | None:
    """The Canvas that runs, else the runs that it left, read only; None for neither.

    The key goes to a port of this user or of root only, and to no proxy. Raises Problem for a
    Canvas at another one, if it left no runs.
    """
    found = look()
    why = f"Canvas does not run at {loopback.HOST}:{PORT}"
    if found:
        if not (other := listeners.why_not_ours(found.port)):
            hint = f"Canvas has a key of its own: set {KEY_VARIABLE} to it"
            hint += f". {files.skipped}" if files.skipped else ""
            api = bare_server.BareAgentServer(
                found.address,
                key=files.key,
                auth="session",
                watch=watch,
                hint=hint,
                direct=True,
                # Canvas may end, and another user take its port
                distrust=partial(listeners.why_not_ours, found.port),
            )
            return CanvasSource(api, found, files)
        why = f"{found.words} gets no key: {other}"
    if files.folders:
        told = f"{why}; its runs from disk, read only"
        where = ", ".join(tilde(folder, os.environ) for folder in files.folders)
        return this_machine.ThisMachine(*files.folders, name=CANVAS, where=where, told=told)
    if found:
        raise Problem(why, f"if it is yours, name it: --server {found.address}")
    return None


def _read(body: bytes, port: int) -> Canvas | None:
    """What an answer says, if it names Canvas."""
    try:
        told = decode_json(body)
    except ValueError:
        return None
    services = told.get("runtime_services") if isinstance(told, dict) else None
    if not isinstance(services, dict):
        return None
    mode = services.get("mode")
    if not isinstance(mode, str) or not (
        mode in ("agent-canvas", "docker") or mode.startswith("dev:")  # the others [source]
    ):
        return None
    own = services.get("services")
    each = own if isinstance(own, dict) else {}
    each = {name: one for name, one in each.items() if isinstance(one, dict)}
    home = f"http://{loopback.HOST}:{port}"
    # what a container calls localhost is not this machine, where its ports may be another program's
    leading = [] if mode == "docker" else ["ingress", "agent_server", "frontend"]
    addresses = [_loopback(each.get(name, {}).get("url_from_agent")) for name in leading]
    prefix = each.get("automation", {}).get("api_prefix", "/api/automation")
    has = "automation" in each and isinstance(prefix, str) and prefix.startswith("/")
    version = told.get("version")
    return Canvas(
        port,
        safe_line(version, 40) if isinstance(version, str) else None,
        home + safe_line(prefix, 100).rstrip("/") if has else None,
        tuple(dict.fromkeys([home, *filter(None, addresses)])),
    )


def _loopback(address: object) -> str:
    """The normal form of an address on this machine; "" for any other, which is not believed."""
    try:
        found = normal(address) if isinstance(address, str) else ""
    except ValueError:
        return ""
    return found if urlsplit(found).hostname == loopback.HOST else ""
