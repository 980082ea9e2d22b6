"""What an app server tells of conversations, served over an agent server that was started alone.

oh-tui reads and acts on an agent server at the address that its app server names. Where there is
none this one names it, and hands on the few calls that the app server answers itself: starts,
messages, lists. Everything else goes to the agent server directly, as it does in real use.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import AsyncIterator
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.listener import at_once

from .model import NAME

SANDBOX = "alone"
"""The id of the one sandbox that the agent server passes for."""


class Front:
    """Serves until it is closed. `agent` is the agent server's address, `key` its session key,
    `model` the address of the model and `folder` the one that agents work in."""

    def __init__(self, agent: str, key: str, model: str, folder: str) -> None:
        self._agent, self._key, self._model, self._folder = agent, key, model, folder
        self._tasks: dict[str, dict[str, Any]] = {}
        self._client = httpx.AsyncClient(
            base_url=f"{agent}/api", headers={"X-Session-API-Key": key}, timeout=60, trust_env=False
        )
        v1 = "/api/v1"
        app = Starlette(
            routes=[
                Route(f"{v1}/users/me", self.nobody),
                Route(f"{v1}/app-conversations", self.start, methods=["POST"]),
                Route(f"{v1}/app-conversations", self.batch),
                Route(f"{v1}/app-conversations/search", self.search),
                Route(f"{v1}/app-conversations/count", self.count),
                Route(f"{v1}/app-conversations/start-tasks", self.tasks),
                Route(f"{v1}/app-conversations/{{id}}/send-message", self.send, methods=["POST"]),
                Route(
                    f"{v1}/app-conversations/{{id}}/switch_profile", self.switch, methods=["POST"]
                ),
                Route(f"{v1}/settings/profiles", self.profiles),
                Route(f"{v1}/app-conversations/{{id}}/download", self.download),
                Route(f"{v1}/conversation/{{id}}/events/{{what}}", self.events),
                Route(f"{v1}/sandboxes", self.sandboxes),
                Route(f"{v1}/sandboxes/search", self.sandboxes),
            ],
            lifespan=self._life,
            exception_handlers={httpx.HTTPStatusError: _refused},
        )
        listening = socket.create_server(("127.0.0.1", 0))
        at_once(listening)
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        config = uvicorn.Config(app, log_level="error")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listening],))
        self._thread.start()

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()

    @contextlib.asynccontextmanager
    async def _life(self, app: Starlette) -> AsyncIterator[None]:
        async with self._client:
            yield

    async def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        answer = await self._client.request(method, path, **more)
        return answer.raise_for_status()

    def _told(self, record: dict[str, Any]) -> dict[str, Any]:
        """A conversation of the agent server as the app server tells of it."""
        bare = record["id"].replace("-", "")
        kept = ("title", "execution_status", "created_at", "updated_at", "sub_conversation_ids")
        return {name: record.get(name) for name in kept} | {
            "id": bare,
            "sandbox_id": SANDBOX,
            "sandbox_status": "RUNNING",
            "llm_model": record["agent"]["llm"]["model"],
            "conversation_url": f"{self._agent}/api/conversations/{bare}",
            "session_api_key": self._key,
        }

    async def nobody(self, request: Request) -> Response:
        return JSONResponse({})

    async def start(self, request: Request) -> Response:
        asked = await request.json()
        llm = {
            "model": asked.get("llm_model") or NAME,
            "api_key": "sk-scripted",
            "base_url": self._model,
            "usage_id": "agent",
            "num_retries": 0,
        }
        names = ["terminal", "file_editor", "task_tracker"]
        first = json.dumps(asked.get("initial_message"))
        if "script:parent" in first or "script:files" in first:
            names.append("task_tool_set")
        modules = {}
        if "script:files" in first:
            names.append("apply_patch")
            modules = {"apply_patch": "openhands.tools.apply_patch"}
        tools = [{"name": name} for name in names]
        body = {
            "agent": {"kind": "Agent", "llm": llm, "tools": tools},
            "workspace": {"kind": "LocalWorkspace", "working_dir": self._folder},
            "tool_module_qualnames": modules,
        }
        if message := asked.get("initial_message"):
            body["initial_message"] = message | {"role": "user", "run": True}
        record = (await self._ask("POST", "/conversations", json=body)).json()
        task = {
            "id": record["id"],
            "status": "READY",
            "app_conversation_id": record["id"].replace("-", ""),
            "sandbox_id": SANDBOX,
            "created_at": record["created_at"],
        }
        self._tasks[task["id"]] = task
        return JSONResponse(task)

    async def tasks(self, request: Request) -> Response:
        return JSONResponse([self._tasks.get(one) for one in request.query_params.getlist("ids")])

    async def batch(self, request: Request) -> Response:
        ids = request.query_params.getlist("ids")
        found = (await self._ask("GET", "/conversations", params={"ids": ids})).json()
        return JSONResponse([record and self._told(record) for record in found])

    async def search(self, request: Request) -> Response:
        asked = {k: v for k, v in request.query_params.items() if k in ("page_id", "limit")}
        page = (await self._ask("GET", "/conversations/search", params=asked)).json()
        return JSONResponse(page | {"items": [self._told(one) for one in page["items"]]})

    async def count(self, request: Request) -> Response:
        return _same(await self._ask("GET", "/conversations/count"))

    async def send(self, request: Request) -> Response:
        path = f"/conversations/{request.path_params['id']}/events"
        await self._ask("POST", path, json=json.loads(await request.body()) | {"role": "user"})
        return JSONResponse({"success": True, "sandbox_status": "RUNNING", "message": None})

    async def switch(self, request: Request) -> Response:
        path = f"/conversations/{request.path_params['id']}/switch_profile"
        return _same(await self._ask("POST", path, json=json.loads(await request.body())))

    async def profiles(self, request: Request) -> Response:
        return _same(await self._ask("GET", "/profiles"))

    async def download(self, request: Request) -> Response:
        path = f"/file/download-trajectory/{request.path_params['id']}"
        return _same(await self._ask("GET", path))

    async def events(self, request: Request) -> Response:
        path = f"/conversations/{request.path_params['id']}/events/{request.path_params['what']}"
        return _same(await self._ask("GET", path, params=dict(request.query_params)))

    async def sandboxes(self, request: Request) -> Response:
        box = {"id": SANDBOX, "status": "RUNNING", "session_api_key": self._key}
        if ids := request.query_params.getlist("id"):
            return JSONResponse([box if one == SANDBOX else None for one in ids])
        return JSONResponse({"items": [box], "next_page_id": None})


def _same(answer: httpx.Response) -> Response:
    """An answer of the agent server, handed on."""
    return Response(
        answer.content, answer.status_code, media_type=answer.headers.get("content-type")
    )


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, httpx.HTTPStatusError)
    return _same(error.response)
