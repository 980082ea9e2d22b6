"""What Canvas is to a client: an agent server and an automation server behind one address."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.listener import at_once

from .alone import KEY, AgentServerAlone
from .model import NAME, ScriptedModel
from .proxy import DROPPED
from .server import CACHE, clean_environment, end_groups, free_port, wait_for

STACKS = {"1.13.1": "1.49.1", "1.26.0": "1.58.2"}
"""Version of the automation server -> that of the agent server beside it."""

PREFIX = "/api/automation"


def programs(version: str) -> Path:
    """The folder with the Python of an automation server, and uv, of scripts/live_setup.py."""
    return CACHE / f"venv-automation-{version}" / "bin"


class CanvasStack:
    """Serves until it is closed; both servers take the same key.

    `folder` must be private to it and have a short path; what both log goes there.
    """

    def __init__(self, version: str, folder: Path, work: Path, model: ScriptedModel) -> None:
        tools = {
            "PATH": f"{programs(version)}:{os.environ['PATH']}",
            "UV_CACHE_DIR": str(CACHE / "uv"),  # shared, or each run installs anew
            "OH_SECRET_KEY": "secret-key-of-the-live-tests",
        }
        agent = folder / "agent"
        self._agent = AgentServerAlone(STACKS[version], agent, work, model, tools)
        self._place = folder / "automation"
        (self._place / "tmp").mkdir(parents=True)
        self._automation_url = f"http://127.0.0.1:{free_port()}"
        listening = socket.create_server(("127.0.0.1", 0))
        at_once(listening)
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self._process = self._started(version)
        every = ["GET", "POST", "PATCH", "DELETE"]
        app = Starlette(routes=[Route("/{path:path}", self._handed_on, methods=every)])
        self._ingress = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        self._thread = threading.Thread(target=self._ingress.run, args=([listening],))
        self._thread.start()
        try:
            wait_for(self._alive, f"automation server {version} to start", 120)
            self._use(model.url)
        except BaseException:
            self.close()
            raise

    def _started(self, version: str) -> subprocess.Popen[bytes]:
        port = self._automation_url.rpartition(":")[2]
        own = {
            "AUTOMATION_AGENT_SERVER_URL": self._agent.agent_url,
            "AUTOMATION_AGENT_SERVER_API_KEY": KEY,
            "AUTOMATION_LOCAL_API_KEY": KEY,
            "AUTOMATION_KV_SECRET": "kv-secret-of-the-live-tests",
            "AUTOMATION_DB_URL": f"sqlite+aiosqlite:///{self._place / 'automations.db'}",
            "AUTOMATION_BASE_URL": self._automation_url,
            "AUTOMATION_WORKSPACE_BASE": str(self._place / "workspaces"),
            "AUTOMATION_DISPATCHER_INTERVAL_SECONDS": "2",
            "AUTOMATION_WATCHDOG_INTERVAL_SECONDS": "5",
            "FILE_STORE": "local",
            "LOCAL_STORAGE_PATH": str(self._place / "storage"),
        }
        python = str(programs(version) / "python")
        app = ("-m", "uvicorn", "openhands.automation.app:app", "--host", "127.0.0.1")
        with (self._place / "automation.log").open("ab") as log:
            return subprocess.Popen(
                [python, *app, "--port", port],
                cwd=self._place,
                env=clean_environment(self._place) | own,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _alive(self) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError(f"the automation server ended, see {self._place / 'automation.log'}")
        try:
            return httpx.get(f"{self._automation_url}{PREFIX}/ready", trust_env=False).is_success
        except httpx.TransportError:
            return False

    def _use(self, model: str) -> None:
        llm = {"model": NAME, "base_url": model, "api_key": "sk-scripted"}
        headers = {"X-Session-API-Key": KEY}
        with httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False) as wire:
            kept = {"agent_settings_diff": {"llm": llm}}
            wire.patch("/api/settings", json=kept).raise_for_status()
            wire.post("/api/profiles/scripted", json={"llm": llm}).raise_for_status()

    async def _handed_on(self, request: Request) -> Response:
        """The ingress: both servers, at one address."""
        path = request.url.path
        base = self._automation_url if path.startswith(f"{PREFIX}/") else self._agent.agent_url
        headers = [(k, v) for k, v in request.headers.items() if k.lower() not in DROPPED]
        async with httpx.AsyncClient(base_url=base, timeout=60, trust_env=False) as client:
            answer = await client.request(
                request.method,
                path,
                params=tuple(request.query_params.multi_items()),
                headers=headers,
                content=await request.body(),
            )
        kind = answer.headers.get("content-type", "")
        return Response(answer.content, answer.status_code, media_type=kind)

    def close(self) -> None:
        self._ingress.should_exit = True
        self._thread.join()
        end_groups([self._process.pid], self._place / "tmp")
        self._process.wait()
        self._agent.close()
