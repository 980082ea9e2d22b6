"""Every method of the API client has a route in the demo and a test in the contract."""

from __future__ import annotations

import ast
import contextlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from oh_tui.api import ApiError, AppServer, BareAgentServer, Conversation, StartRequest
from oh_tui.api.automation_models import Automation
from oh_tui.api.models import ConfirmationPolicy
from oh_tui.demo import BASE_URL, Demo
from oh_tui.demo.servers.alone import make_alone
from oh_tui.demo.servers.automations import make_canvas
from oh_tui.demo.servers.http import detail

from .fixtures import UNKNOWN

LOCAL = {
    f"{kind}.{name}"
    for kind in ("AppServer", "BareAgentServer")
    for name in ("aclose", "agent_server")
}
"""Methods that send nothing."""

ARGUMENTS: dict[str, Any] = {
    "accept": True,
    "automation": Automation(UNKNOWN),
    "automation_id": UNKNOWN,
    "body": {},
    "command": "true",
    "command_id": UNKNOWN,
    "content": b"text",
    "conversation_id": UNKNOWN,
    "ids": [UNKNOWN],
    "name": "fast",
    "path": "/workspace/notes.txt",
    "policy": ConfirmationPolicy("NeverConfirm"),
    "profile": UNKNOWN,
    "provider": "github",
    "repository": "acme/dates",
    "question": "Why?",
    "enabled": True,
    "request": StartRequest(),
    "run_id": UNKNOWN,
    "sandbox_id": "Sandbox",
    "sha": "0" * 40,
    "tags": {"kind": "bug"},
    "text": "Go on",
    "title": "A title",
}
"""A value for each parameter that some method requires."""


def clients(api: AppServer) -> dict[str, Any]:
    """Every object of the client that sends requests, by the attribute under which tests reach it:
    `api`, what hangs on it, and the same of an agent server."""
    conversation = Conversation(
        UNKNOWN,
        sandbox_status="RUNNING",
        conversation_url=f"{BASE_URL}/runtime/8001/api/conversations/{UNKNOWN}",
    )
    found: dict[str, Any] = {"api": api, "agent": api.agent_server(conversation)}
    for one in tuple(found.values()):
        found |= {name: part for name, part in vars(one).items() if hasattr(part, "_http")}
    return found


def methods(client: Any) -> list[str]:
    kind = type(client)
    names = [name for name, value in vars(kind).items() if inspect.isfunction(value)]
    return [n for n in names if not n.startswith("_") and f"{kind.__name__}.{n}" not in LOCAL]


METHODS = [
    (holder, name)
    for holder, client in clients(AppServer(BASE_URL, app=Demo().app)).items()
    for name in methods(client)
]

ALONE = methods(BareAgentServer(BASE_URL))
"""Those of an agent server that is the server, on which tests reach them by `api` too."""


def used_in_the_contract() -> set[tuple[str, str]]:
    """Each method that a test of the contract names, with the attribute or variable it is on."""
    found: set[tuple[str, str]] = set()
    for file in Path(__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                on = node.value
                found.add((str(getattr(on, "attr", getattr(on, "id", ""))), node.attr))
    return found


def test_the_contract_calls_every_method() -> None:
    assert len(METHODS) > 30
    own = {("api", name) for name in ALONE}
    assert sorted((set(METHODS) | own) - used_in_the_contract()) == []


@pytest.mark.parametrize(("holder", "name"), METHODS)
async def test_the_demo_has_a_route_for_every_method(holder: str, name: str) -> None:
    # an automation server stands beside an agent server
    app = make_canvas(Demo().world) if holder == "automations" else Demo().app
    await require_route(app, lambda api: clients(api)[holder], AppServer, name)


@pytest.mark.parametrize("name", ALONE)
async def test_the_demo_of_an_agent_server_has_one_too(name: str) -> None:
    await require_route(make_alone(Demo().world), lambda api: api, BareAgentServer, name)


async def require_route(
    app: Any, client: Callable[[Any], Any], connect: Callable[..., Any], name: str
) -> None:
    sent: list[str] = []
    served = False

    async def recording(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal served
        sent.append(f"{scope['method']} {scope['path']}")
        served |= any(route.matches(scope)[0] is Match.FULL for route in app.routes)
        await detail(404, "recorded")(scope, receive, send)

    async with connect(BASE_URL, app=recording) as api:
        method = getattr(client(api), name)
        required = [
            each.name
            for each in inspect.signature(method).parameters.values()
            if each.default is each.empty and each.kind is not each.VAR_KEYWORD
        ]
        with contextlib.suppress(ApiError):
            await finished(method(*(ARGUMENTS[each] for each in required)))
    assert sent, "no request was sent"
    assert served, f"the demo has no route for {', '.join(sent)}"


async def finished(answer: Any) -> None:
    """Waits for the first answer of a coroutine, of an iterator or of a context manager."""
    if inspect.isawaitable(answer):
        await answer
    elif hasattr(answer, "__aenter__"):
        async with answer:
            pass
    else:
        await anext(aiter(answer))
