"""Raw calls to a demo in this process, and the servers' own schemas to check its responses."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator

from oh_tui.demo import Demo
from oh_tui.demo.catalog import ENTRIES
from oh_tui.demo.state import Conversation

NOW = datetime(2026, 3, 9, 15, 49, 30, tzinfo=UTC)
API = "/api/v1"
TALKS = f"{API}/app-conversations"
BOXES = f"{API}/sandboxes"
SCHEMAS = Path(__file__).parents[1] / "openapi"
IDS = {entry.slug: entry.id for entry in ENTRIES}


def events_of(slug: str) -> str:
    return f"{API}/conversation/{IDS[slug]}/events"


def at_rest() -> Demo:
    """A demo whose clock stands still, without a limit of calls."""
    demo = Demo(NOW, "everything")
    demo.rate_limited = False
    return demo


def talk(demo: Demo, slug: str) -> Conversation:
    return demo.world.conversations[IDS[slug]]


@asynccontextmanager
async def connect(demo: Demo) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=demo.app)
    async with httpx.AsyncClient(transport=transport, base_url=demo.base_url) as client:
        yield client


async def conversation(client: httpx.AsyncClient, slug: str) -> dict[str, Any]:
    answer = await client.get(TALKS, params={"ids": IDS[slug]})
    (value,) = answer.json()
    assert isinstance(value, dict)
    return value


async def sandbox(client: httpx.AsyncClient, slug: str) -> dict[str, Any]:
    """The sandbox of the conversation `slug`."""
    identifier = (await conversation(client, slug))["sandbox_id"]
    (value,) = (await client.get(BOXES, params={"id": identifier})).json()
    assert isinstance(value, dict)
    return value


async def agent(client: httpx.AsyncClient, slug: str) -> tuple[str, dict[str, str]]:
    """Address and headers for the agent server of a conversation."""
    value = await conversation(client, slug)
    return value["conversation_url"], {"X-Session-API-Key": value["session_api_key"]}


async def all_pages(
    client: httpx.AsyncClient, url: str, headers: dict[str, str] | None = None, **params: Any
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        answer = await client.get(url, params=params, headers=headers)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["items"]
        if page["next_page_id"] is None:
            return found
        params["page_id"] = page["next_page_id"]


# schemas ----------------------------------------------------------------------------------------

OPEN = ("Event-Output", "Action-Output", "Observation-Output")
"""Unions of dozens of shapes: here `kind` chooses the shape, which is quicker and says more."""


@cache
def document(server: str) -> dict[str, Any]:
    (path,) = SCHEMAS.glob(f"{server}-*.json")
    value: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return value


@cache
def validator(server: str, where: str) -> Draft202012Validator:
    """Of the answer to "get /path", or of the schema with that name."""
    whole = document(server)
    schemas = {name: ({} if name in OPEN else schema) for name, schema in _schemas(whole)}
    if where.startswith(("get ", "post ")):
        method, path = where.split(" ")
        responses = whole["paths"][path][method]["responses"]
        (response,) = (responses[code] for code in responses if code.startswith("2"))
        schema = response["content"]["application/json"]["schema"]
    else:
        schema = {"$ref": f"#/components/schemas/{where}"}
    return Draft202012Validator({**schema, "components": {"schemas": schemas}})


def check(server: str, where: str, value: Any) -> None:
    problems = [f"{'/'.join(map(str, e.path))}: {e.message}" for e in _errors(server, where, value)]
    assert not problems, f"{where}: {problems[:3]}"


def check_event(event: dict[str, Any]) -> None:
    """An event of the app server, with the action or observation inside it."""
    check("app-server", f"{event['kind']}-Output", event)
    for name in ("action", "observation"):
        if event.get(name):
            check("app-server", f"{event[name]['kind']}-Output", event[name])


def known(name: str) -> bool:
    """Whether the app server of this version knows a kind."""
    return f"{name}-Output" in document("app-server")["components"]["schemas"]


def _schemas(whole: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from whole["components"]["schemas"].items()


def _errors(server: str, where: str, value: Any) -> Iterator[Any]:
    yield from validator(server, where).iter_errors(value)
