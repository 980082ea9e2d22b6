"""Canvas: an agent server with an automation server beside it, as openhands-automation 1.26.0
answers. What it runs lies in `scenarios/automations.toml`."""

from __future__ import annotations

import math
import tomllib
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

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
    refuse,
    utc,
    uuid_or_none,
)
from oh_tui.demo.world import AgentVersion, World

FILE = Path(__file__).parents[1] / "scenarios" / "automations.toml"

BASE = "/api/automation/v1"

DISPATCHED = 10.0
"""Seconds until a run that waits is begun."""

_WANTS_KEY = (
    "Authentication required: provide Bearer token, X-Session-API-Key header, or session cookie"
)


class AutomationServer:
    """The endpoints of the automation server; it wants `key` if there is one."""

    def __init__(self, world: World, key: str) -> None:
        self.world = world
        self._key = key
        self.starts = False
        """It is not up yet: the ingress answers for it."""
        self.automations: dict[str, dict[str, Any]] = {}
        self.runs: dict[str, list[dict[str, Any]]] = {}
        """By automation, the newest first."""
        self.printed: dict[str, Output] = {}
        for facts in tomllib.loads(FILE.read_text("utf-8"))["automation"]:
            self._add(facts)

    def _add(self, facts: dict[str, Any]) -> None:
        start = self.world.clock.start
        identifier = str(fixed_uuid("automation", facts["slug"]))
        runs = [self._run(identifier, facts, n, one) for n, one in enumerate(facts["runs"])]
        self.runs[identifier] = runs
        off = facts.get("off")
        reason: str | None = None
        told: dict[str, Any] | None = None
        if off:
            reason, told = "manual", {"reason": "manual", "source": "user"}
        if off and "rule" in off:
            why = runs[0]["status_detail"]
            formatted = f"{why['code']}: {why['detail']} [kind={why['kind']}, source=environment]"
            reason = (
                f"Paused automatically: {why['kind']} — {formatted}. This failed the last 3 runs "
                "and needs a configuration fix."
            )
            told = {"reason": reason, "source": off["rule"], "threshold": 3, "status_detail": why}
        self.automations[identifier] = {
            "id": identifier,
            "name": facts["name"],
            "model": None,
            "prompt": facts["prompt"],
            "trigger": facts["trigger"],
            "tags": facts.get("tags", []),
            "timeout": facts["timeout"],
            "enabled": not off,
            "state": "INACTIVE" if off else "ACTIVE",
            "disabled_reason": reason,
            "disabled_detail": told,
            "disabled_at": utc(start - off["ago"]) if off else None,
            "last_triggered_at": runs[0]["created_at"] if runs else None,
            "created_at": utc(start - facts["made"]),
        }

    def _run(
        self, automation: str, facts: dict[str, Any], number: int, told: dict[str, Any]
    ) -> dict[str, Any]:
        identifier = str(fixed_uuid("automation run", facts["slug"], number))
        made = self.world.clock.start - told["ago"]
        run = self._new_run(automation, identifier, made, told["source"])
        run["status"], run["current_phase"] = told["status"], told.get("phase")
        if "phase" in told:
            run["started_at"] = utc(made + 2)
            run["timeout_at"] = utc(made + facts["timeout"] + 2)
            run["bash_command_id"] = fixed_uuid("command", identifier).hex
        if "took" in told:
            run["completed_at"] = utc(made + told["took"])
        if "why" in told:
            keys = {"kind": told["kind"], "detail": told["why"], "code": told.get("code")}
            run["status_detail"] = {"phase": "execution", **keys, "transient": False}
            run["error_detail"] = "Timed out: " * (told["kind"] == "timeout") + told["why"]
        elif told["status"] == "CANCELLED":
            run["error_detail"] = "Cancelled by user"
        if "tells" in told:
            run["run_metadata"] = {"finish_tool_response": told["tells"] | {"summary": "finish"}}
            run["cost"] = told.get("cost", 0.0)
        if run["bash_command_id"]:
            self._print(run["bash_command_id"], told)
        entry = fixed_uuid("conversation", told.get("conversation"))
        if conversation := self.world.conversation(entry.hex):
            names = {"trigger": "automation", "id": automation, "name": facts["name"]}
            tags = {f"automation{name}": text for name, text in names.items()}
            tags["automationrunid"] = identifier
            conversation.agent_tags |= tags
            conversation.tags |= tags
            run["conversation_id"] = str(entry) if told.get("ended") else None
        return run

    def _new_run(
        self, automation: str, identifier: str, made: float, source: str
    ) -> dict[str, Any]:
        unset = (
            "error_detail", "status_detail", "current_phase", "conversation_id", "cost",
            "timeout_at", "sandbox_id", "bash_command_id", "run_metadata", "started_at",
            "completed_at",
        )  # fmt: skip
        known = {
            "id": identifier, "automation_id": automation, "status": "PENDING",
            "trigger_source": source, "created_at": utc(made),
        }  # fmt: skip
        return {**known, **dict.fromkeys(unset)}

    def _print(self, command: str, told: dict[str, Any]) -> None:
        part = {
            "id": fixed_uuid("output", command).hex,
            "timestamp": utc(self.world.clock.start - told["ago"] + told.get("took", 1)),
            "command_id": command,
            "order": 0,
            "exit_code": told.get("exit", int(told["status"] == "FAILED")),
            "stdout": told.get("log"),
            "stderr": told.get("error"),
            "kind": "BashOutput",
        }
        goes_on = told["status"] == "RUNNING" and "exit" not in told
        self.printed[command] = Output((part,), math.inf if goes_on else self.world.clock.ticks())

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
        if self.starts:
            raise Refused(Response("Bad Gateway: connect ECONNREFUSED 127.0.0.1:18001", 502))
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        given = bearer or request.headers.get("X-Session-API-Key")
        if self._key and given != self._key:
            raise Refused(detail(401, "Invalid API key" if given else _WANTS_KEY))

    def _automation(self, request: Request) -> dict[str, Any]:
        self._require_key(request)
        found = self.automations.get(self._uuid(request, "id", "automation_id"))
        if found is None:
            raise Refused(detail(404, "Automation not found"))
        return found

    def _uuid(self, request: Request, parameter: str, name: str) -> str:
        value = request.path_params[parameter]
        identifier: UUID | None = uuid_or_none(value)
        if identifier is None:
            raise refuse("path", name, "uuid_parsing", "Input should be a valid UUID", value)
        return str(identifier)

    def _page(self, request: Request, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        query = Query(request)
        limit = query.limit() if query.text("limit") else 50
        start = int(query.text("offset") or 0)
        return [*rows][start : start + limit]

    async def all(self, request: Request) -> Response:
        self._require_key(request)
        rows = self._page(request, self.automations.values())
        return answer({"automations": rows, "total": len(self.automations)})

    async def one(self, request: Request) -> Response:
        automation = self._automation(request)
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
        automation = self._automation(request)
        runs = self.runs[automation["id"]]
        for run in runs:
            self._begin(automation, run)
        counts = Counter(run["status"] for run in runs)
        found = {"runs": self._page(request, runs), "total": len(runs), "status_counts": counts}
        return answer(found)

    def _begin(self, automation: dict[str, Any], run: dict[str, Any]) -> None:
        """The dispatcher begins a run that waits, which then installs what it needs."""
        begun = aware(datetime.fromisoformat(run["created_at"])) + DISPATCHED
        if run["status"] == "PENDING" and self.world.clock.now() >= begun:
            over = utc(begun + automation["timeout"])
            run |= {"status": "RUNNING", "started_at": utc(begun), "timeout_at": over}
            run["bash_command_id"] = fixed_uuid("command", run["id"]).hex
            run["current_phase"] = "Installing dependencies"

    async def dispatch(self, request: Request) -> Response:
        automation = self._automation(request)
        runs, now = self.runs[automation["id"]], self.world.clock.now()
        identifier = str(fixed_uuid("dispatched", automation["id"], len(runs)))
        run = self._new_run(automation["id"], identifier, now, "manual")
        runs.insert(0, run)
        automation["last_triggered_at"] = utc(now)
        return answer(run, 201)

    async def cancel(self, request: Request) -> Response:
        self._require_key(request)
        wanted = self._uuid(request, "run", "run_id")
        every = (run for runs in self.runs.values() for run in runs)
        run = next((one for one in every if one["id"] == wanted), None)
        if run is None:
            return detail(404, "Run not found")
        if run["status"] not in ("PENDING", "RUNNING"):
            words = f"Run is {run['status']}, only PENDING or RUNNING runs can be cancelled"
            return detail(409, words)
        run |= {"status": "CANCELLED", "error_detail": "Cancelled by user", "status_detail": None}
        run["completed_at"] = utc(self.world.clock.now())
        return answer(run)


def make_canvas(world: World, key: str = "", *, starts: bool = False) -> Starlette:
    """The world on Canvas: an agent server and an automation server behind one address; the latter
    is not up yet with `starts`."""
    world.agent_version = AgentVersion.NEW
    beside = AutomationServer(world, key)
    beside.starts = starts
    app = make_alone(world, key, _FACE, beside.printed)
    app.router.routes.extend(beside.routes())
    return app


_FACE = {
    "runtime_services": {
        "mode": "agent-canvas",
        "services": {
            "agent_server": {"url_from_agent": "http://localhost:18000"},
            "ingress": {"url_from_agent": "http://localhost:8000"},
            "automation": {
                "url_from_agent": "http://localhost:18001",
                "api_prefix": "/api/automation",
            },
        },
    }
}
"""What `/server_info` says of a Canvas, as far as anybody reads it (measured, 1.20.0)."""
