"""Canvas: an agent server with an automation server beside it, as openhands-automation 1.26.0
answers. What it runs lies in `scenarios/automations.json`."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oh_tui.demo.runs.recorder import fixed_uuid
from oh_tui.demo.servers.alone import make_alone
from oh_tui.demo.servers.disks import Output
from oh_tui.demo.servers.http import (
    Query,
    Refused,
    answer,
    aware,
    body,
    detail,
    offset,
    page_of,
    refuse,
    utc,
    uuid_or_none,
)
from oh_tui.demo.world import AgentVersion, World

FILE = Path(__file__).parents[1] / "scenarios" / "automations.json"

BASE = "/api/automation/v1"

DISPATCHED = 10.0
"""Seconds until a run that waits is begun."""

FIELDS = (
    "error_detail status_detail current_phase conversation_id cost timeout_at sandbox_id "
    "bash_command_id run_metadata started_at completed_at"
)
"""Of a run, all null at first."""

_WANTS_KEY = (
    "Authentication required: provide Bearer token, X-Session-API-Key header, or session cookie"
)


class AutomationServer:
    """The endpoints of the automation server; it wants `key` if there is one. While it `starts` the
    ingress answers for it."""

    def __init__(self, world: World, key: str, *, starts: bool = False) -> None:
        self.world = world
        told = json.loads(FILE.read_text("utf-8"), object_hook=self._dated)
        self._key, self._starts = key, starts
        self.runs = {one["id"]: one.pop("runs") for one in told["automations"]}
        """By automation, the newest first."""
        self.automations = {one["id"]: one for one in told["automations"]}
        self.printed = {
            one["command_id"]: Output((one,), math.inf if one.pop("goes_on", False) else 0.0)
            for one in told["printed"]
        }
        for slug, tags in told["conversations"].items():
            if conversation := world.conversation(fixed_uuid("conversation", slug).hex):
                conversation.agent_tags |= tags
                conversation.tags |= tags

    def _dated(self, told: dict[str, Any]) -> dict[str, Any]:
        """With its times, which the file has in seconds before the demo begins; it leaves out what
        is null of a run."""
        start = self.world.clock.start
        if "automation_id" in told:
            told = dict.fromkeys(FIELDS.split()) | told
        times = {name for name in told if name.endswith("_at") or name == "timestamp"}
        return told | {one: utc(start - told[one]) for one in times if told[one] is not None}

    # endpoints ------------------------------------------------------------------------------

    def routes(self) -> list[Route]:
        one = f"{BASE}/{{id}}"
        return [
            Route(BASE, self.all, methods=["GET"]),
            Route(f"{BASE}/runs/{{run}}/cancel", self.cancel, methods=["POST"]),
            Route(one, self.one, methods=["GET", "PATCH"]),
            Route(f"{one}/runs", self.runs_of, methods=["GET"]),
            Route(f"{one}/dispatch", self.dispatch, methods=["POST"]),
        ]

    def _require_key(self, request: Request) -> None:
        if self._starts:
            raise Refused(Response("Bad Gateway: connect ECONNREFUSED 127.0.0.1:18001", 502))
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        given = bearer or request.headers.get("X-Session-API-Key")
        if self._key and given != self._key:
            raise Refused(detail(401, "Invalid API key" if given else _WANTS_KEY))

    def _found(self, request: Request, kind: str = "Automation") -> dict[str, Any]:
        self._require_key(request)
        among: dict[str, dict[str, Any]] = self.automations
        if kind == "Run":
            among = {run["id"]: run for runs in self.runs.values() for run in runs}
        ((name, value),) = request.path_params.items()
        identifier = uuid_or_none(value)
        if identifier is None:
            raise refuse("path", name, "uuid_parsing", "Input should be a valid UUID", value)
        if str(identifier) not in among:
            raise Refused(detail(404, f"{kind} not found"))
        return among[str(identifier)]

    def _page(self, request: Request, rows: Iterable[Any]) -> Sequence[Any]:
        query = Query(request)
        limit = query.limit() if query.text("limit") else 50
        return page_of([*rows], offset(query.text("offset")) or 0, limit)[0]

    async def all(self, request: Request) -> Response:
        self._require_key(request)
        rows = self._page(request, self.automations.values())
        return answer({"automations": rows, "total": len(self.automations)})

    async def one(self, request: Request) -> Response:
        automation = self._found(request)
        if request.method == "PATCH":
            state = (await body(request)).get("state")
            if state not in ("ACTIVE", "INACTIVE"):
                raise refuse("body", "state", "enum", "Input should be 'ACTIVE' or …", state)
            off = state == "INACTIVE"
            by_hand = {"reason": "manual", "source": "user"}
            automation |= {
                "state": state,
                "enabled": not off,
                "disabled_reason": "manual" if off else None,
                "disabled_detail": by_hand if off else None,
                "disabled_at": utc(self.world.clock.now()) if off else None,
            }
        return answer(automation)

    async def runs_of(self, request: Request) -> Response:
        automation = self._found(request)
        runs = self.runs[automation["id"]]
        for run in runs:  # the dispatcher begins one that waits, which then installs what it needs
            begun = aware(datetime.fromisoformat(run["created_at"])) + DISPATCHED
            if run["status"] == "PENDING" and self.world.clock.now() >= begun:
                over = utc(begun + automation["timeout"])
                run |= {"status": "RUNNING", "started_at": utc(begun), "timeout_at": over}
                run["bash_command_id"] = fixed_uuid("command", run["id"]).hex
                run["current_phase"] = "Installing dependencies"
        counts = Counter(run["status"] for run in runs)
        page = self._page(request, runs)
        return answer({"runs": page, "total": len(runs), "status_counts": counts})

    async def dispatch(self, request: Request) -> Response:
        automation = self._found(request)
        runs, now = self.runs[automation["id"]], self.world.clock.now()
        run = dict.fromkeys(FIELDS.split()) | {
            "id": str(fixed_uuid("dispatched", automation["id"], len(runs))),
            "automation_id": automation["id"], "status": "PENDING",
            "trigger_source": "manual", "created_at": utc(now),
        }  # fmt: skip
        runs.insert(0, run)
        automation["last_triggered_at"] = utc(now)
        return answer(run, 201)

    async def cancel(self, request: Request) -> Response:
        run = self._found(request, "Run")
        if run["status"] not in ("PENDING", "RUNNING"):
            only = "only PENDING or RUNNING runs can be cancelled"
            return detail(409, f"Run is {run['status']}, {only}")
        run |= {"status": "CANCELLED", "error_detail": "Cancelled by user", "status_detail": None}
        run["completed_at"] = utc(self.world.clock.now())
        return answer(run)


def make_canvas(world: World, key: str = "", *, starts: bool = False) -> Starlette:
    """The world on Canvas: an agent server and an automation server behind one address; the latter
    is not up yet with `starts`."""
    world.agent_version = AgentVersion.NEW
    beside = AutomationServer(world, key, starts=starts)
    app = make_alone(world, key, _FACE, beside.printed)
    app.router.routes.extend(beside.routes())
    return app


_PORTS = {"agent_server": 18000, "ingress": 8000, "automation": 18001}
_SERVICES = {name: {"url_from_agent": f"http://localhost:{at}"} for name, at in _PORTS.items()}
_SERVICES["automation"]["api_prefix"] = "/api/automation"

_FACE = {"runtime_services": {"mode": "agent-canvas", "services": _SERVICES}}
"""What `/server_info` says of a Canvas, as far as anybody reads it (measured, 1.20.0)."""
