"""An agent server that is the server: the demo's conversations on one, without an app server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oh_tui.demo.runs.recorder import fixed_uuid
from oh_tui.demo.runs.run import Run
from oh_tui.demo.servers.agent_server import WORKTREES, AgentServers
from oh_tui.demo.servers.agent_setup import agent_json, origin_of
from oh_tui.demo.servers.app_server import http_error, refused
from oh_tui.demo.servers.disks import Disks, Output
from oh_tui.demo.servers.http import (
    Query,
    Refused,
    answer,
    body,
    broken,
    detail,
    invalid,
    utc,
    uuid_or_none,
)
from oh_tui.demo.servers.sandbox_server import SandboxServers
from oh_tui.demo.servers.start_tasks import StartTasks
from oh_tui.demo.state import Conversation, Sandbox
from oh_tui.demo.world import AgentVersion, World

BOX = "alone"
"""The slug of the sandbox that stands for the machine of the agent server."""

PROFILE = str(fixed_uuid("agent profile", "default"))

PROFILES = {PROFILE: "default", str(fixed_uuid("agent profile", "careful")): "careful"}
"""Id of each agent profile -> its name."""

SORTS = ("CREATED_AT", "UPDATED_AT", "CREATED_AT_DESC", "UPDATED_AT_DESC")


class AgentServerAlone(AgentServers):
    """The endpoints for one conversation, and those of the server as a whole."""

    def __init__(self, world: World, disks: Disks, key: str) -> None:
        super().__init__(world, disks)
        self._key = key
        self.services: dict[str, Any] = {}
        """What it says of the servers beside it."""
        self.setups.in_sandbox = False
        self._box = Sandbox(BOX, "RUNNING", world.clock.start, 8_000)
        world.sandboxes = {BOX: self._box}
        for conversation in world.conversations.values():
            conversation.sandbox = self._box
        self._starts = StartTasks(world)
        self._without_commit: set[str] = set()
        """Folders in which agents were started."""
        self.profile: str | None = PROFILE
        """The active agent profile; the server has no key of a model without one."""

    def routes(self, root: str = "") -> list[Route]:
        talks = "/api/conversations"
        kept = [
            Route("/api/settings", self.settings, methods=["GET"]),
            Route("/api/agent-profiles", self.profiles, methods=["GET"]),
        ]
        return [
            Route(f"{talks}/search", self.search, methods=["GET"]),
            Route(f"{talks}/count", self.count, methods=["GET"]),
            Route(talks, self.batch, methods=["GET"]),
            Route(talks, self.start, methods=["POST"]),
            *(() if self.world.agent_version == AgentVersion.OLD else kept),
            *super().routes(root),
        ]

    def sandbox(self, request: Request) -> Sandbox:
        if self._key and request.headers.get("X-Session-API-Key") != self._key:
            raise Refused(detail(401, "Unauthorized"))
        return self._box

    async def server_info(self, request: Request) -> Response:
        """It wants no key."""
        return answer(self.info() | self.services)

    # conversations --------------------------------------------------------------------------

    async def search(self, request: Request) -> Response:
        self.sandbox(request)
        query = Query(request)
        limit = query.limit(most=None)
        order = query.one_of("sort_order", SORTS, "CREATED_AT_DESC") or ""
        found = self._all(query.text("status"))
        if order.startswith("UPDATED"):
            found.sort(key=self.world.updated)
        if order.endswith("DESC"):
            found.reverse()
        # a page begins at the conversation with its id; an unknown id gives page 1
        wanted = uuid_or_none(query.text("page_id") or "")
        bare = wanted.hex if wanted else ""
        first = next((n for n, one in enumerate(found) if one.entry.id == bare), 0)
        page, rest = found[first : first + limit], found[first + limit :]
        after = str(UUID(rest[0].entry.id)) if rest else None
        return answer({"items": [self._row(one) for one in page], "next_page_id": after})

    async def count(self, request: Request) -> Response:
        self.sandbox(request)
        return answer(len(self._all(Query(request).text("status"))))

    async def batch(self, request: Request) -> Response:
        self.sandbox(request)
        ids = [UUID(one) for one in Query(request).many("ids") if uuid_or_none(one)]
        found = [self.world.conversation(one.hex) for one in ids]
        return answer([self._row(one) if one else None for one in found])

    def _all(self, status: str | None) -> list[Conversation]:
        """By creation, oldest first."""
        found = sorted(self.world.conversations.values(), key=lambda one: one.created)
        return [one for one in found if status in (None, self.world.execution_status(one))]

    def _row(self, conversation: Conversation) -> dict[str, object]:
        """The record in a list. Its stats list no answers, so that no run has to be played."""
        entry = conversation.entry
        every = [one.entry for one in self.world.conversations.values()]
        parent = entry.parent and str(fixed_uuid("conversation", entry.parent))
        subs = [str(UUID(one.id)) for one in every if one.parent == entry.slug]
        own = {"parent_conversation_id": parent, "sub_conversation_ids": subs}
        return {
            "id": str(UUID(entry.id)),
            "title": conversation.agent_title,
            "workspace": {"working_dir": entry.folder or Run.root, "kind": "LocalWorkspace"},
            "agent": agent_json(conversation),
            "execution_status": self.world.execution_status(conversation),
            "stats": {"usage_to_metrics": self.world.usages(conversation)},
            "metrics": None,
            "tags": conversation.agent_tags,
            "created_at": utc(conversation.created),
            "updated_at": utc(max(conversation.created, self.world.updated(conversation))),
            **(own if self.world.agent_version == AgentVersion.NEW else {}),
            **origin_of(self.world, conversation),
        }

    # starting -------------------------------------------------------------------------------

    async def settings(self, request: Request) -> Response:
        self.sandbox(request)
        llm = {"model": "gpt-5.5", "api_key": None, "base_url": None}
        return answer(
            {
                "agent_settings": {"agent_kind": "openhands", "llm": llm},
                "llm_api_key_is_set": self.profile is not None,
                "active_profile": None,
                "active_agent_profile_id": None,
            }
        )

    async def profiles(self, request: Request) -> Response:
        self.sandbox(request)
        rows = [
            {"id": identifier, "name": name, "agent_kind": "openhands", "revision": 1}
            for identifier, name in (PROFILES if self.profile else {}).items()
        ]
        return answer({"profiles": rows, "active_agent_profile_id": self.profile})

    async def start(self, request: Request) -> Response:
        self.sandbox(request)
        payload = await body(request)
        if not isinstance(payload.get("workspace"), dict):
            raise invalid("workspace", "missing", "Field required")
        profile = payload.get("agent_profile_id")
        own = isinstance(payload.get("agent"), dict)
        if profile is None and not own:
            raise invalid("body", "value_error", "One of `agent`, … must be provided")
        if not own and not (self.profile and profile in PROFILES):
            return detail(404, f"Agent profile not found: {profile}")
        folder, files = self._place(payload)
        made = self._starts.at_once(payload, self._box, folder, files)
        return answer(self._row(made), 201)

    def _place(self, payload: dict[str, Any]) -> tuple[str, dict[str, str]]:
        """The folder that a start works in, and the files there. The server runs `git init` in one
        that is no repository; a worktree of that fails later on (measured)."""
        folder = str(payload["workspace"].get("working_dir"))
        folder = folder if folder.startswith("/") else Run.root
        options = payload.get("worktree_options") or {}
        is_new = self.world.agent_version == AgentVersion.NEW
        if is_new and options.get("base", "head") not in ("default_branch", "head", "ref"):
            raise invalid("worktree_options", "literal_error", "Input should be 'head', …")
        has_commit = self.is_clone(self._box, folder)
        if payload.get("worktree") and folder in self._without_commit and not has_commit:
            raise Refused(broken("Git command failed: git worktree add -b openhands/… … HEAD"))
        if not has_commit:
            self._without_commit.add(folder)
            return folder, {}
        disk = self.disks.of(self._box)
        there = disk.cloned if payload.get("worktree") else disk.files
        files = {
            path.removeprefix(f"{folder}/"): content.decode("utf-8", "replace")
            for path, content in there.items()
            if path.startswith(f"{folder}/") and "/.git/" not in path
        }
        if payload.get("worktree"):
            name = folder.rpartition("/")[2]
            folder = f"{WORKTREES}{UUID(self._starts.next_id())}/{name}"
        return folder, files


def make_alone(
    world: World,
    key: str = "",
    services: dict[str, Any] | None = None,
    printed: Mapping[str, Output] | None = None,
) -> Starlette:
    """The world on one agent server, which wants the key if there is one. It has `printed` what
    others ran on it."""
    disks = Disks(world, printed)
    server = AgentServerAlone(world, disks, key)
    server.services = services or {}
    sandbox = SandboxServers(world, disks, server.sandbox)
    return Starlette(
        routes=[*server.routes(), *sandbox.routes("")],
        exception_handlers={Refused: refused, HTTPException: http_error},
    )
