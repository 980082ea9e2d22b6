"""The app server's endpoints (/api/v1), with the measured behaviour of app server 1.11.0."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from oh_tui.demo.runs.recorder import fixed_uuid
from oh_tui.demo.runs.stored_events import StoredEvent, select
from oh_tui.demo.servers.agent_server import CLASSES, AgentServers
from oh_tui.demo.servers.agent_setup import model_of, profiles_json
from oh_tui.demo.servers.app_writes import AppWrites
from oh_tui.demo.servers.disks import Disks
from oh_tui.demo.servers.git_providers import GitProviders, Shared, page_of_events
from oh_tui.demo.servers.http import (
    Query,
    Refused,
    answer,
    aware,
    crash,
    detail,
    offset,
    page_of,
    path_uuid,
    utc,
    uuid_or_none,
    zipped,
)
from oh_tui.demo.servers.network import RateLimit
from oh_tui.demo.servers.sandbox_server import SandboxServers
from oh_tui.demo.state import Conversation, Sandbox
from oh_tui.demo.world import World

DOWNLOAD_LIMIT = 10_000

KINDS = ("ServerErrorEvent", *CLASSES.values())


class AppServer:
    """The endpoints that read, and pause and resume; `AppWrites` has the others."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.writes = AppWrites(self.world, self._conversation)

    def routes(self) -> list[Route]:
        api = "/api/v1"
        talks, box = f"{api}/app-conversations", f"{api}/sandboxes"
        events = f"{api}/conversation/{{id}}/events"
        get: dict[str, Callable[[Request], Awaitable[Response]]] = {
            "/alive": self.alive,
            f"{api}/users/me": self.users_me,
            f"{talks}/search": self.search_conversations,
            f"{talks}/count": self.count_conversations,
            talks: self.get_conversations,
            f"{talks}/{{id}}/download": self.download,
            f"{events}/search": self.search_events,
            f"{events}/count": self.count_events,
            events: self.get_events,
            f"{api}/settings/profiles": self.profiles,
            f"{box}/search": self.search_sandboxes,
            box: self.get_sandboxes,
        }
        return [
            *self.writes.routes(talks),
            *GitProviders(self.world).routes(api),
            *Shared(self.world, self.info).routes(),
            *(Route(path, endpoint, methods=["GET"]) for path, endpoint in get.items()),
            Route(f"{box}/{{id}}/pause", self.pause_sandbox, methods=["POST"]),
            Route(f"{box}/{{id}}/resume", self.resume_sandbox, methods=["POST"]),
        ]

    async def alive(self, request: Request) -> Response:
        return answer({"status": "ok"})

    async def users_me(self, request: Request) -> Response:
        return answer(
            {
                "id": "demo",
                "email": "ada@acme.example",
                "email_verified": True,
                "git_user_name": "ada",
                "git_user_email": "ada@acme.example",
                "language": "en",
                "v1_enabled": True,
                "sandbox_grouping_strategy": "NO_GROUPING",
            }
        )

    async def profiles(self, request: Request) -> Response:
        return answer(profiles_json())

    # conversations --------------------------------------------------------------------------

    async def search_conversations(self, request: Request) -> Response:
        query = Query(request)
        limit, subs = query.limit(), query.flag("include_sub_conversations")
        found = [c for c in self._filtered(query) if subs or c.entry.parent is None]
        page, after = page_of(found, offset(query.text("page_id")) or 0, limit)
        items = [self._conversation(request, conversation) for conversation in page]
        return answer({"items": items, "next_page_id": after})

    async def count_conversations(self, request: Request) -> Response:
        return answer(len(self._filtered(Query(request))))

    async def get_conversations(self, request: Request) -> Response:
        ids = Query(request).many("ids")
        if len(ids) >= 100:
            return detail(400, f"Too many ids requested: {len(ids)}, the maximum is 99")
        uuids = [uuid_or_none(each) for each in ids]
        if None in uuids:
            return detail(400, "Invalid UUID format")
        self.writes.start_tasks.all()
        found = [self.world.row(each.hex) for each in uuids if each]
        return answer([self._conversation(request, each) if each else None for each in found])

    async def download(self, request: Request) -> Response:
        """The trajectory as a zip; 413 for more events than it may hold."""
        identifier = path_uuid(request)
        conversation = self.world.row(identifier.hex)
        if conversation is None:
            return detail(404, f"Conversation not found: {identifier}")
        events = self.world.app_events(conversation)
        if len(events) > DOWNLOAD_LIMIT:
            return detail(
                413,
                f"Conversation export contains {len(events)} events, exceeding the "
                f"limit of {DOWNLOAD_LIMIT}",
            )
        headers = {
            "Content-Disposition": f'attachment; filename="conversation_{identifier}.zip"',
            "Cache-Control": "no-store",
        }
        body = zipped(self.info(conversation), events)
        return StreamingResponse(body, headers=headers, media_type="application/zip")

    def _filtered(self, query: Query) -> list[Conversation]:
        """By creation, newest first: the only order of the server."""
        words, sandbox = query.text("title__contains"), query.text("sandbox_id__eq")
        bounds = {
            name: query.time(name)
            for name in ("created_at__gte", "created_at__lt", "updated_at__gte", "updated_at__lt")
        }

        def fits(conversation: Conversation) -> bool:
            entry = conversation.entry
            if words is not None and words.lower() not in (conversation.title or "").lower():
                return False
            if sandbox is not None and sandbox != entry.sandbox_id:
                return False
            for name, bound in bounds.items():
                if bound is None:
                    continue
                when = conversation.created
                if name.startswith("updated"):
                    when = self.world.updated(conversation)
                if (when >= aware(bound)) is not name.endswith("gte"):
                    return False
            return True

        self.writes.start_tasks.all()
        every = self.world.conversations.values()
        found = [each for each in every if each.is_listed and fits(each)]
        return sorted(found, key=lambda each: -each.created)

    def info(self, conversation: Conversation) -> dict[str, object]:
        """The stored row, which has neither status nor address nor key."""
        entry = conversation.entry
        parent = entry.parent and fixed_uuid("conversation", entry.parent).hex
        subs = [
            each.entry.id
            for each in self.world.conversations.values()
            if each.entry.parent == entry.slug
        ]
        return {
            "id": entry.id,
            "created_by_user_id": "demo",
            "sandbox_id": entry.sandbox_id,
            "selected_repository": entry.repo,
            "selected_branch": entry.branch if entry.repo else None,
            "git_provider": "github" if entry.repo else None,
            "title": conversation.title,
            "trigger": entry.trigger,
            "pr_number": list(entry.pr),
            "llm_model": model_of(conversation).name,
            "agent_kind": entry.agent_kind,
            "metrics": self.world.metrics(conversation),
            "parent_conversation_id": parent,
            "sub_conversation_ids": subs,
            "public": conversation.is_public,
            "tags": conversation.tags,
            "created_at": utc(conversation.created),
            "updated_at": utc(max(conversation.created, self.world.updated(conversation))),
            "acp_server": "codex" if entry.agent_kind == "acp" else None,
            "launched_agent_profile": None,
        }

    def _conversation(self, request: Request, conversation: Conversation) -> dict[str, object]:
        box = conversation.sandbox
        status = self.world.status(box)
        url = key = None
        if box is not None and status == "RUNNING":
            url = f"{_runtime(request, box)}/api/conversations/{conversation.entry.id}"
            key = box.key
        return {
            **self.info(conversation),
            "sandbox_status": status,
            "execution_status": self.world.execution_status(conversation),
            "conversation_url": url,
            "session_api_key": key,
        }

    # events ---------------------------------------------------------------------------------

    async def search_events(self, request: Request) -> Response:
        query = Query(request)
        events = self._events(request, query)
        return crash() if events is None else page_of_events(query, events)

    async def count_events(self, request: Request) -> Response:
        events = self._events(request, Query(request))
        return crash() if events is None else answer(len(events))

    async def get_events(self, request: Request) -> Response:
        ids = Query(request).many("id")
        if len(ids) > 100:
            return detail(400, f"Too many ids requested: {len(ids)}, the maximum is 100")
        uuids = [uuid_or_none(each) for each in ids]
        owner = uuid_or_none(request.path_params["id"])
        if owner is None or None in uuids:
            return crash()
        conversation = self.world.row(owner.hex)
        events = self.world.app_events(conversation) if conversation else []
        known = {event.id: event.raw for event in events}
        items = [known.get(str(each), b"null") for each in uuids]
        return Response(b"[" + b",".join(items) + b"]", media_type="application/json")

    def _events(self, request: Request, query: Query) -> list[StoredEvent] | None:
        """The requested events, bounds compared as text; None for an id that is no UUID."""
        kind = query.one_of("kind__eq", KINDS)
        since, before = query.time("timestamp__gte"), query.time("timestamp__lt")
        identifier = uuid_or_none(request.path_params["id"])
        if identifier is None:
            return None
        conversation = self.world.row(identifier.hex)
        if conversation is None:
            return []
        return select(
            self.world.app_events(conversation),
            kind=kind,
            since=since.isoformat() if since else None,
            before=before.isoformat() if before else None,
        )

    # sandboxes ------------------------------------------------------------------------------

    async def search_sandboxes(self, request: Request) -> Response:
        query = Query(request)
        boxes = sorted(self.world.sandboxes.values(), key=lambda box: -box.created)
        page, after = page_of(boxes, offset(query.text("page_id")) or 0, query.limit())
        items = [self._sandbox(request, box) for box in page]
        return answer({"items": items, "next_page_id": after})

    async def get_sandboxes(self, request: Request) -> Response:
        found = [self.world.sandbox(each) for each in Query(request).many("id")]
        return answer([self._sandbox(request, box) if box else None for box in found])

    async def pause_sandbox(self, request: Request) -> Response:
        done = self.world.pause(request.path_params["id"])
        return answer({"success": True}) if done else detail(404, "Not Found")

    async def resume_sandbox(self, request: Request) -> Response:
        done = self.world.resume(request.path_params["id"])
        return answer({"success": True}) if done else detail(404, "Not Found")

    def _sandbox(self, request: Request, box: Sandbox) -> dict[str, object]:
        status = self.world.status(box)
        running = status == "RUNNING"
        url = _runtime(request, box)
        return {
            "id": box.id,
            "created_by_user_id": "demo",
            "sandbox_spec_id": f"ghcr.io/openhands/agent-server:{self.world.agent_version}-python",
            "status": status,
            "session_api_key": box.key if running else None,
            "exposed_urls": [{"name": "AGENT_SERVER", "url": url, "port": box.port}]
            if running
            else None,
            "created_at": utc(box.created),
        }


def make_app(world: World, *, limits: Callable[[], bool]) -> Starlette:
    """Both servers as one app: `/api/v1` and, under `/runtime/PORT`, one agent server a sandbox.
    Each call asks `limits` whether the rate limit is on."""
    disks = Disks(world)
    agents = AgentServers(world, disks)
    sandboxes = SandboxServers(world, disks, agents.sandbox)
    routes = [*AppServer(world).routes(), *agents.routes(), *sandboxes.routes()]
    return Starlette(
        routes=routes,
        middleware=[Middleware(RateLimit, limits=limits)],
        exception_handlers={Refused: refused, HTTPException: http_error},
    )


def refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return error.response


def http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return detail(error.status_code, error.detail)


def _runtime(request: Request, box: Sandbox) -> str:
    return f"{str(request.base_url).rstrip('/')}/runtime/{box.port}"
