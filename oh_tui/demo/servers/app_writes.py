"""The app server's endpoints that write: starts, messages and records."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oh_tui.demo.runs.recorder import fixed_uuid
from oh_tui.demo.servers.agent_setup import PROFILES, switch
from oh_tui.demo.servers.http import (
    Query,
    answer,
    body,
    crash,
    detail,
    invalid,
    page_of,
    path_uuid,
    spoken,
    utc,
    uuid_or_none,
)
from oh_tui.demo.servers.start_tasks import StartTask, StartTasks
from oh_tui.demo.state import Conversation
from oh_tui.demo.world import AgentVersion, World

PATIENCE = 30.0
"""Seconds that the app server waits for an agent server to take a message."""

START_TASKS = (
    ("PREPARING_REPOSITORY", None, "dark-mode", "docs"),
    ("READY", None, "flaky-ci", "storefront-ci"),
    ("ERROR", "500: Sandbox not found: nope", None, None),
)
"""Status, detail, conversation and sandbox of the start tasks that exist from the beginning."""

START_TASK_IDS = tuple(str(fixed_uuid("start task", n)) for n in range(len(START_TASKS)))

_TEXTS = ("sandbox_id", "llm_model", "selected_repository", "selected_branch", "title")
PROVIDERS = (
    "github",
    "gitlab",
    "bitbucket",
    "bitbucket_data_center",
    "forgejo",
    "azure_devops",
    "enterprise_sso",
)


class AppWrites:
    """The endpoints that write; `show` makes the row of a conversation."""

    def __init__(
        self, world: World, show: Callable[[Request, Conversation], dict[str, object]]
    ) -> None:
        self.world = world
        self.start_tasks = StartTasks(world)
        self._show = show

    def routes(self, talks: str) -> list[Route]:
        return [
            Route(f"{talks}/start-tasks/search", self.search_start_tasks, methods=["GET"]),
            Route(f"{talks}/start-tasks", self.get_start_tasks, methods=["GET"]),
            Route(talks, self.start, methods=["POST"]),
            Route(f"{talks}/{{id}}/send-message", self.send_message, methods=["POST"]),
            Route(f"{talks}/{{id}}/switch_profile", self.switch_profile, methods=["POST"]),
            Route(f"{talks}/{{id}}", self.change_record, methods=["PATCH"]),
            Route(f"{talks}/{{id}}", self.delete_record, methods=["DELETE"]),
        ]

    # starts ---------------------------------------------------------------------------------

    async def start(self, request: Request) -> Response:
        payload = await body(request)
        for name in _TEXTS:
            if not isinstance(payload.get(name, ""), str | None):
                raise invalid(name, "string_type", "Input should be a valid string")
        if payload.get("git_provider") not in (None, *PROVIDERS):
            raise invalid("git_provider", "enum", "Input should be 'github' or another provider")
        if payload.get("agent_type") not in (None, "default", "plan"):
            raise invalid("agent_type", "enum", "Input should be 'default' or 'plan'")
        if task := payload.get("suggested_task"):
            if payload.get("initial_message") or task.get("task_type") == "OPEN_PR":
                return crash()  # it writes the message itself, and has none for these (source)
            payload = {**payload, **_of_task(task)}
        parent = payload.get("parent_conversation_id")
        if parent is not None and uuid_or_none(str(parent)) is None:
            raise invalid("parent_conversation_id", "uuid_parsing", "Input should be a valid UUID")
        start = self.start_tasks.begin(payload)
        # here alone the times have their zone (measured)
        return answer({**self._task(start), "created_at": utc(start.began)})

    async def get_start_tasks(self, request: Request) -> Response:
        uuids = [uuid_or_none(each) for each in Query(request).many("ids")]
        if None in uuids:
            return detail(400, "Invalid UUID format")
        return answer([self._find(str(each)) for each in uuids])

    async def search_start_tasks(self, request: Request) -> Response:
        query = Query(request)
        limit, wanted = query.limit(), uuid_or_none(query.text("conversation_id__eq") or "")
        tasks = [self._task(start) for start in self.start_tasks.all()]
        tasks += [task for name in START_TASK_IDS if (task := self._find(name))]
        if wanted is not None:
            tasks = [task for task in tasks if task["app_conversation_id"] == wanted.hex]
        page, after = page_of(tasks, int(query.text("page_id") or 0), limit)
        return answer({"items": page, "next_page_id": after})

    def _find(self, identifier: str) -> dict[str, object] | None:
        start = self.start_tasks.find(identifier)
        if start is not None:
            return self._task(start)
        if identifier not in START_TASK_IDS:
            return None
        status, why, slug, box = START_TASKS[START_TASK_IDS.index(identifier)]
        if box and box not in self.world.sandboxes:
            return None
        sandbox = self.world.sandboxes[box] if box else None
        if status != "ERROR" and self.world.status(sandbox) == "RUNNING":
            status = "READY"
        began = self.world.clock.start - 60
        return self._task(StartTask(0, began, {}, sandbox, status=status)) | {
            "id": identifier.replace("-", ""),
            "detail": why,
            "app_conversation_id": fixed_uuid("conversation", slug).hex
            if status == "READY" and slug
            else None,
            "sandbox_id": sandbox.id if sandbox else "nope",
        }

    def _task(self, start: StartTask) -> dict[str, object]:
        made = start.conversation
        return {
            "id": start.id,
            "created_by_user_id": "demo",
            "status": start.status,
            "detail": start.failure[1] if start.failure and start.status == "ERROR" else None,
            "app_conversation_id": made.entry.id if made else None,
            "sandbox_id": start.sandbox.id if start.sandbox and start.status != "WORKING" else None,
            "agent_server_url": None,
            "request": start.request,
            "created_at": utc(start.began).removesuffix("Z"),
            "updated_at": utc(start.moved).removesuffix("Z"),
        }

    # messages and records -------------------------------------------------------------------

    async def send_message(self, request: Request) -> Response:
        identifier = uuid_or_none(request.path_params["id"])
        if identifier is None:
            raise invalid("conversation_id", "uuid_parsing", "Input should be a valid UUID", "path")
        payload = await body(request)
        words = spoken(payload, "content")
        conversation = self.world.row(identifier.hex)
        if conversation is None:
            return detail(404, f"Conversation {identifier} not found")
        box = conversation.sandbox
        status = self.world.status(box)
        if box is None:
            return detail(404, f"Sandbox not found for conversation {identifier}")
        if status == "ERROR":
            return detail(503, "Sandbox is in an error state and cannot accept messages.")
        if status != "RUNNING" or self.world.is_frozen(conversation):
            path = f"/api/v1/sandboxes/{box.id}/resume"
            status = "PAUSED" if status == "RUNNING" else status
            return detail(409, f"Sandbox is {status}. Use POST {path} to resume it first.")
        act = self.world.act(conversation, "message", words, run=payload.get("run", True))
        shows = partial(self.world.shows, conversation, act)
        if not await self.world.wait_until(conversation, shows, PATIENCE):
            return detail(502, "Failed to reach agent server.")
        return answer({"success": True, "sandbox_status": "RUNNING", "message": None})

    async def switch_profile(self, request: Request) -> Response:
        """Hand the model of a profile to the agent, in the way of an agent server of any age."""
        payload = await body(request)
        name = payload.get("profile_name")
        if not isinstance(name, str) or not name:
            raise invalid("profile_name", "string_too_short", "String should have 1 character")
        if name not in PROFILES:
            return detail(404, f"Profile '{name}' not found")
        identifier = path_uuid(request)
        conversation = self.world.conversation(identifier.hex)
        if conversation is None:
            return detail(404, f"Conversation {identifier} is not reachable")
        if self.world.status(conversation.sandbox) != "RUNNING":
            return detail(409, "Sandbox is paused; resume it before switching profiles.")
        if self.world.agent_version == AgentVersion.OLD:
            return detail(502, "Agent server error: 404")
        switch(self.world, conversation, name)
        return answer({"success": True})

    async def change_record(self, request: Request) -> Response:
        identifier = uuid_or_none(request.path_params["id"])
        if identifier is None:
            return crash()
        payload = await body(request)
        conversation = self.world.row(identifier.hex)
        if conversation is None:
            return detail(404, "unknown_app_conversation")
        if "title" in payload:
            conversation.title = payload["title"]
        if isinstance(payload.get("public"), bool | None) and "public" in payload:
            conversation.is_public = payload["public"]
        return answer(self._show(request, conversation))

    async def delete_record(self, request: Request) -> Response:
        conversation = self.world.row(path_uuid(request).hex)
        if conversation is None:
            return detail(404, "unknown_app_conversation")
        self.world.delete(conversation)
        return answer({"success": True})


def _of_task(task: dict[str, object]) -> dict[str, object]:
    repository = task.get("repo")
    text = f"Please work on #{task.get('issue_number')} of {repository}."
    return {
        "initial_message": {"content": [{"type": "text", "text": text}]},
        "selected_repository": repository,
    }
