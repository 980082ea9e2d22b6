"""The agent servers' endpoints (/runtime/PORT/api), as agent server 1.34.0 answers them, or another
of `AgentVersion`."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import UUID

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from oh_tui.demo.runs.meter import combined
from oh_tui.demo.runs.stored_events import StoredEvent, select
from oh_tui.demo.servers.agent_setup import AgentSetups, agent_json, leaf_of, origin_of
from oh_tui.demo.servers.disks import Disks, git_changes, git_diff
from oh_tui.demo.servers.http import (
    Query,
    Refused,
    answer,
    body,
    broken,
    detail,
    invalid,
    path_uuid,
    raw_page,
    spoken,
    utc,
    zipped,
)
from oh_tui.demo.state import Conversation, Sandbox
from oh_tui.demo.world import AgentVersion, World

ROOT = "/runtime/{port:int}"
"""The address of the agent server of a sandbox."""

_SDK = "openhands.sdk.event"
CLASSES = {
    f"{_SDK}.{module}.{kind}": kind
    for module, kinds in {
        "acp_tool_call": "ACPToolCallEvent",
        "condenser": "Condensation CondensationRequest CondensationSummaryEvent",
        "conversation_error": "ConversationErrorEvent",
        "conversation_state": "ConversationStateUpdateEvent",
        "hook_execution": "HookExecutionEvent",
        "llm_completion_log": "LLMCompletionLogEvent",
        "llm_convertible.action": "ActionEvent",
        "llm_convertible.message": "MessageEvent",
        "llm_convertible.observation": "AgentErrorEvent ObservationEvent UserRejectObservation",
        "llm_convertible.system": "SystemPromptEvent",
        "streaming_delta": "StreamingDeltaEvent",
        "token": "TokenEvent",
        "user_action": "InterruptEvent PauseEvent",
    }.items()
    for kind in kinds.split()
}
"""The `kind` filter of 1.34.0 wants the class with its module; a short name finds nothing."""


WORKTREES = "/tmp/conversation-worktrees/"

AGE = 30 * 86_400.0
"""Seconds from the commit of a clone to the demo's start."""

COMMIT = {
    "sha": "9c1185a5c5e9fc54612808977ee8f548b2258d31",
    "short_sha": "9c1185a",
    "subject": "Say what the numbers mean",
    "author": "Ada",
}


class AgentServers:
    """The endpoints of all agent servers; the port in the path says which sandbox is meant."""

    def __init__(self, world: World, disks: Disks) -> None:
        self.world = world
        self.disks = disks
        self.setups = AgentSetups(world, self._conversation, self.record_of)

    def routes(self, root: str = ROOT) -> list[Route]:
        base = f"{root}/api/conversations/{{id}}"
        return [
            Route(f"{base}/events/search", self.search_events, methods=["GET"]),
            Route(f"{base}/events/count", self.count_events, methods=["GET"]),
            Route(f"{base}/events/respond_to_confirmation", self.respond, methods=["POST"]),
            Route(f"{base}/events", self.send_message, methods=["POST"]),
            Route(f"{base}/run", self.run, methods=["POST"]),
            Route(f"{base}/pause", self.pause, methods=["POST"]),
            Route(f"{base}/interrupt", self.interrupt, methods=["POST"]),
            Route(base, self.record, methods=["GET"]),
            Route(base, self.change, methods=["PATCH"]),
            Route(base, self.delete, methods=["DELETE"]),
            Route(f"{root}/api/file/download-trajectory/{{id}}", self.trajectory, methods=["GET"]),
            Route(f"{root}/api/git/changes", self.git_changes, methods=["GET"]),
            Route(f"{root}/api/git/diff", self.git_diff, methods=["GET"]),
            Route(f"{root}/api/git/commits", self.git_commits, methods=["GET"]),
            Route(f"{root}/api/git/commits/{{sha}}/changes", self.commit_changes, methods=["GET"]),
            Route(f"{root}/server_info", self.server_info, methods=["GET"]),
            *self.setups.routes(root, base),
        ]

    async def server_info(self, request: Request) -> Response:
        self.sandbox(request)
        return answer(self.info())

    def info(self) -> dict[str, object]:
        clock = self.world.clock
        return {
            "uptime": clock.now() - clock.start,
            "idle_time": 0.0,
            "title": "OpenHands Agent Server",
            "version": self.world.agent_version.value,
        }

    async def trajectory(self, request: Request) -> Response:
        conversation = self._conversation(request)
        headers = {"Content-Disposition": f'attachment; filename="{path_uuid(request)}.zip"'}
        parts = zipped(
            self.record_of(conversation, kept=True),
            self.world.agent_events(conversation),
            head="base_state.json",
            name="events/event-{number:05}-{id}.json",
        )
        return StreamingResponse(parts, headers=headers, media_type="application/zip")

    async def search_events(self, request: Request) -> Response:
        conversation = self._conversation(request)
        query = Query(request)
        limit = query.limit(most=None)
        if limit > 100:
            return detail(500, "Internal Server Error")
        order = query.one_of("sort_order", ("TIMESTAMP", "TIMESTAMP_DESC"), "TIMESTAMP")
        events = self._events(conversation, query)
        if order == "TIMESTAMP_DESC":
            events = events[::-1]
        # a page begins at the event with its id; an unknown id gives page 1
        page_id = query.text("page_id")
        start = next((n for n, event in enumerate(events) if event.id == page_id), 0)
        page, rest = events[start : start + limit], events[start + limit :]
        is_new = self.world.agent_version == AgentVersion.NEW
        items = [event.agent_json(names_parent=is_new) for event in page]
        return raw_page(items, rest[0].id if rest else None)

    async def count_events(self, request: Request) -> Response:
        return answer(len(self._events(self._conversation(request), Query(request))))

    async def record(self, request: Request) -> Response:
        """The conversation as the agent server keeps it, with all stats."""
        return answer(self.record_of(self._conversation(request)))

    def record_of(self, conversation: Conversation, *, kept: bool = False) -> dict[str, object]:
        """The record; with `kept` as the server writes it down, with the key of the model."""
        stats = self.world.stats(conversation)
        folder = "." if self.world.has_processes else self.world.root(conversation)
        return {
            "id": str(UUID(conversation.entry.id)),
            "title": conversation.agent_title,
            "tags": conversation.agent_tags,
            "workspace": {"working_dir": folder, "kind": "LocalWorkspace"},
            "agent": agent_json(conversation, kept=kept),
            "execution_status": self.world.execution_status(conversation),
            "confirmation_policy": conversation.policy,
            "security_analyzer": None,
            "stats": stats,
            "metrics": combined(stats),
            **origin_of(self.world, conversation),
            **leaf_of(self.world, conversation),
            "created_at": utc(conversation.created),
            "updated_at": utc(self.world.updated(conversation)),
        }

    async def change(self, request: Request) -> Response:
        """Change the title and all tags, after the current step; then the row is made anew."""
        payload = await body(request)
        title, tags = payload.get("title"), payload.get("tags")
        if title is not None:
            self._require_title(title)
        if tags is not None:
            self._require_tags(tags)
        is_new = self.world.agent_version == AgentVersion.NEW
        self.sandbox(request)
        unknown = detail(404, "Not Found") if is_new else answer({"success": False})
        conversation = self._conversation(request, unknown)
        await self.world.let_step_end(conversation)
        if title is not None:
            conversation.agent_title = title.strip()
        if tags is not None:
            conversation.agent_tags = dict(tags)
        conversation.tags = conversation.tags | conversation.agent_tags
        self.world.rebuild_row(conversation)
        return answer({"success": True})

    async def delete(self, request: Request) -> Response:
        """Delete a conversation, and its worktree; before 1.58.2 that stays (measured)."""
        conversation = self._conversation(request)
        folder = self.world.root(conversation)
        if WORKTREES in folder and self.world.agent_version == AgentVersion.NEW:
            files = self.disks.of(self.sandbox(request)).files
            for path in files.below(folder):
                del files[path]
        self.world.delete(conversation)
        return answer({"success": True})

    def _require_title(self, title: object) -> None:
        """422 as pydantic words it; before 1.58.2 blanks make a title."""
        if not isinstance(title, str):
            raise invalid("title", "string_type", "Input should be a valid string")
        if not title:
            raise invalid("title", "string_too_short", "String should have at least 1 character")
        if len(title) > 200:
            raise invalid("title", "string_too_long", "String should have at most 200 characters")
        if self.world.agent_version == AgentVersion.NEW and not title.strip():
            raise invalid("title", "value_error", "Value error, title must not be blank")

    def _require_tags(self, tags: object) -> None:
        """422 as pydantic words it; 1.17.0 fails to word it (measured)."""
        if not isinstance(tags, dict):
            raise invalid("tags", "dict_type", "Input should be a valid dictionary")
        for key, value in tags.items():
            why = ""
            if not re.match(r"^[a-z0-9]+$", key):
                why = f"Tag key '{key}' is invalid: keys must be lowercase alphanumeric only"
            elif len(value) > 256:
                why = f"Tag value for '{key}' exceeds maximum length of 256 characters"
            if why and self.world.agent_version == AgentVersion.OLD:
                told = "Object of type ValueError is not JSON serializable"
                raise Refused(broken(told))
            if why:
                raise invalid("tags", "value_error", f"Value error, {why}")

    # what acts on the agent -----------------------------------------------------------------

    async def respond(self, request: Request) -> Response:
        conversation = self._conversation(request)
        payload = await body(request)
        if not isinstance(payload.get("accept"), bool):
            raise invalid("accept", "missing", "Field required")
        if not payload["accept"]:
            reason = str(payload.get("reason", "User rejected the action."))
            self._do(conversation, "reject", reason)
        elif await self._free(conversation):
            self._do(conversation, "run")
        return answer({"success": True})

    async def run(self, request: Request) -> Response:
        """Make an idle agent run; 409 when it runs already."""
        conversation = self._conversation(request, detail(404, "Not Found"))
        if not await self._free(conversation):
            words = "Conversation already running. Wait for completion or pause first."
            return detail(409, words)
        self._do(conversation, "run")
        return answer({"success": True})

    def _do(self, conversation: Conversation, what: str, text: str = "") -> None:
        act = self.world.act(conversation, what, text)
        self.world.show(conversation, self.world.shows(conversation, act))

    async def _free(self, conversation: Conversation) -> bool:
        """Whether the agent is idle. A running agent answers when its step is over; it still runs
        in the first moments of waiting for the user, and in the step in which it was stopped (all
        measured)."""
        if self.world.is_finishing_step(conversation):
            return False
        return not await self.world.let_step_end(conversation)

    async def send_message(self, request: Request) -> Response:
        """Write to the agent; answers when it has read the message."""
        conversation = self._conversation(request)
        payload = await body(request)
        words = spoken(payload, "content") if payload.get("content") else ""
        act = self.world.act(conversation, "message", words, run=payload.get("run", False))
        await self.world.wait_until(conversation, lambda: self.world.shows(conversation, act))
        return answer({"success": True})

    async def pause(self, request: Request) -> Response:
        """Answers when the current call has ended, as the real server does."""
        conversation = self._conversation(request, self._cannot_stop)
        running = self.world.execution_status(conversation) == "running"
        act = self.world.act(conversation, "stop")
        await self.world.wait_until(conversation, lambda: self.world.shows(conversation, act))
        self.world.show(conversation, 0.0, anew=running)
        return answer({"success": True})

    async def interrupt(self, request: Request) -> Response:
        """Stop the agent in the middle of its step; before 1.24 nothing can."""
        if self.world.agent_version == AgentVersion.OLD:
            raise Refused(detail(404, "Not Found"))
        conversation = self._conversation(request, self._cannot_stop)
        running = self.world.execution_status(conversation) == "running"
        self._do(conversation, "interrupt")
        self.world.show(conversation, 0.0, anew=running)
        return answer({"success": True})

    @property
    def _cannot_stop(self) -> Response | None:
        is_new = self.world.agent_version == AgentVersion.NEW
        return None if is_new else detail(400, "Bad Request")

    async def git_changes(self, request: Request) -> Response:
        """Changes in the repository at `path`, by any conversation that works there."""
        box = self.sandbox(request)
        path = Query(request).many("path")[-1]
        roots = {self.world.root(one) for one in self.world.inside(box)}
        if self.world.agent_version == AgentVersion.OLD and path not in roots:
            is_folder = any(root.startswith(f"{path.rstrip('/')}/") for root in roots)
            why = "Not a git repository" if is_folder else "Directory does not exist"
            return broken(f"{why}: {path}")
        disk = self.disks.of(box)
        return answer(git_changes(path, disk.cloned, disk.files) if path in roots else [])

    async def git_diff(self, request: Request) -> Response:
        """A file of a repository, now and as it was cloned."""
        box = self.sandbox(request)
        path = Query(request).many("path")[-1]
        disk, version = self.disks.of(box), self.world.agent_version
        is_there = path in disk.files or disk.files.is_folder(path)
        if not is_there and not (version == AgentVersion.NEW and path in disk.cloned):
            return self._no_diff(f"File does not exist: {path}")
        roots = (self.world.root(one) for one in self.world.inside(box))
        if any(path.startswith(f"{root}/") for root in roots):
            return answer(git_diff(path, disk.cloned, disk.files))
        if version == AgentVersion.OLD:
            return self._no_diff(f"File is not in a git repository: {path}")
        return answer({"modified": None, "original": None})

    def _no_diff(self, why: str) -> Response:
        if self.world.agent_version == AgentVersion.OLD:
            return broken(why)
        return detail(400, why)

    async def git_commits(self, request: Request) -> Response:
        """The one that was cloned: no agent of the demo commits anything."""
        box = self.sandbox(request)
        self._require_commits()
        path = Query(request).many("path")[-1]
        commits = [COMMIT | {"timestamp": utc(self.world.clock.start - AGE)}]
        return answer({"commits": commits if self.is_clone(box, path) else [], "has_more": False})

    def is_clone(self, box: Sandbox, path: str) -> bool:
        """Whether a folder is a repository with a commit, or a worktree of one."""
        return any(
            self.world.root(one) == path and bool(one.entry.repo or WORKTREES in path)
            for one in self.world.inside(box)
        )

    def _require_commits(self) -> None:
        if self.world.agent_version not in (AgentVersion.CANVAS, AgentVersion.NEW):
            raise Refused(detail(404, "Not Found"))

    async def commit_changes(self, request: Request) -> Response:
        """Nothing is known of any commit."""
        self.sandbox(request)
        self._require_commits()
        Query(request).many("path")
        return detail(400, f"Git command failed: git cat-file {request.path_params['sha']}")

    def sandbox(self, request: Request) -> Sandbox:
        """The sandbox of the request: it must be up, and the key its own."""
        port = request.path_params["port"]
        box = next((box for box in self.world.sandboxes.values() if box.port == port), None)
        up = box is not None and self.world.status(box) == "RUNNING"
        # a frozen sandbox can be read until it reports PAUSED, but takes no writes
        if box is None or not up or (request.method != "GET" and box.frozen_at is not None):
            raise Refused(PlainTextResponse("no server is available to handle this request", 503))
        if request.headers.get("X-Session-API-Key") != box.key:
            raise Refused(detail(401, "Unauthorized"))
        return box

    def _conversation(self, request: Request, missing: Response | None = None) -> Conversation:
        """The conversation of the request; `missing` is the endpoint's own refusal, if any."""
        box = self.sandbox(request)
        identifier = path_uuid(request)
        conversation = self.world.conversation(identifier.hex)
        if conversation is None or conversation.sandbox is not box:
            raise Refused(missing or detail(404, f"Conversation not found: {identifier}"))
        return conversation

    def _events(self, conversation: Conversation, query: Query) -> list[StoredEvent]:
        kind = query.text("kind")
        events = self.world.agent_events(conversation)
        if self.world.agent_version == AgentVersion.OLD:  # its stats are in its record alone
            events = [event for event in events if b'"key":"stats"' not in event.raw]
        return select(
            events,
            kind=None if kind is None else CLASSES.get(kind, ""),
            source=query.text("source"),
            since=_naive(query.time("timestamp__gte")),
            before=_naive(query.time("timestamp__lt")),
        )


def _naive(bound: datetime | None) -> str | None:
    """A bound in the server's own zone, which is UTC here."""
    if bound is None:
        return None
    return (bound.astimezone(UTC).replace(tzinfo=None) if bound.tzinfo else bound).isoformat()
