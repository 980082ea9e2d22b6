"""What the app server offers for a start (tasks, repositories, branches, secrets), and what that of
OpenHands Cloud gives without a key: the conversations that are public. The paths and shapes of
these are those of the last public source of the Cloud, and not measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oh_tui.demo.runs.meter import SONNET
from oh_tui.demo.runs.stored_events import StoredEvent
from oh_tui.demo.servers.app_writes import PROVIDERS
from oh_tui.demo.servers.http import (
    Query,
    Refused,
    answer,
    crash,
    detail,
    offset,
    page_of,
    raw_page,
    refuse,
    uuid_or_none,
)
from oh_tui.demo.state import Conversation
from oh_tui.demo.world import World

TASKS = (
    ("acme/dates", 53, "OPEN_ISSUE", "Week 53 is missing in 2020 and 2026"),
    ("acme/dates", 61, "FAILING_CHECKS", "Parse ordinal dates"),
    ("acme/storefront", 412, "MERGE_CONFLICTS", "Move the cart to the new checkout"),
    ("acme/storefront", 398, "UNRESOLVED_COMMENTS", "Dark mode for the product page"),
    ("acme/storefront", 377, "OPEN_ISSUE", "Cart total is wrong with two vouchers"),
    ("acme/docs", 20, "OPEN_PR", "Describe the release process"),
)
"""Repository, number, kind and title of the tasks that it suggests."""

OTHERS = ("ada/notes", "acme/dates-web", "acme/sandbox")
"""Repositories that no conversation is about."""

BRANCHES = ("main", "develop", "release/2.4", "fix/week-53")

SECRETS = (("NPM_TOKEN", "publishes packages"), ("STAGING_DATABASE_URL", None))


class GitProviders:
    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self, api: str) -> list[Route]:
        get = {
            f"{api}/git/suggested-tasks/search": self.suggested_tasks,
            f"{api}/git/repositories/search": self.search_repositories,
            f"{api}/git/branches/search": self.search_branches,
            f"{api}/settings": self.settings,
            f"{api}/secrets/search": self.search_secrets,
        }
        return [Route(path, endpoint, methods=["GET"]) for path, endpoint in get.items()]

    async def suggested_tasks(self, request: Request) -> Response:
        self._require_token()
        rows = [
            {"git_provider": "github", "task_type": kind, "repo": repo, "issue_number": number,
             "title": title}
            for repo, number, kind, title in TASKS
        ]  # fmt: skip
        return _page(Query(request), rows)

    async def search_repositories(self, request: Request) -> Response:
        query = Query(request)
        provider = _provider(query)
        self._require_token()
        wanted = (query.text("query") or "").lower()
        used = {one.entry.repo: None for one in self._world.conversations.values()}
        names = [name for name in (*used, *OTHERS) if name and wanted in name.lower()]
        rows = [
            {"id": str(number), "full_name": name, "git_provider": provider, "is_public": False,
             "main_branch": "main"}
            for number, name in enumerate(names if provider == "github" else ())
        ]  # fmt: skip
        return _page(query, rows)

    async def search_branches(self, request: Request) -> Response:
        query = Query(request)
        _provider(query)
        for name in ("repository", "query"):
            if query.text(name) is None:
                raise refuse("query", name, "missing", "Field required", None)
        self._require_token()
        wanted = (query.text("query") or "").lower()
        entries = [one.entry for one in self._world.conversations.values()]
        used = [one.branch for one in entries if one.repo == query.text("repository")]
        names = dict.fromkeys([*BRANCHES, *used] if used else BRANCHES[:1])
        rows = [
            {"name": name, "commit_sha": f"{number:040x}", "protected": name == "main"}
            for number, name in enumerate(names)
            if name and wanted in name.lower()
        ]
        return _page(query, rows)

    async def settings(self, request: Request) -> Response:
        """Of the many fields those that a client may need."""
        return answer(
            {
                "agent_settings": {"llm": {"model": SONNET.name, "api_key": None}},
                "llm_api_key_set": True,
                "provider_tokens_set": {"github": None} if self._world.has_git_token else {},
            }
        )

    async def search_secrets(self, request: Request) -> Response:
        rows = [{"name": name, "description": about} for name, about in SECRETS]
        return _page(Query(request), rows)

    def _require_token(self) -> None:
        if not self._world.has_git_token:
            raise Refused(detail(403, "Git provider token required (such as GitHub)."))


def _provider(query: Query) -> str:
    if query.text("provider") is None:
        raise refuse("query", "provider", "missing", "Field required", None)
    return query.one_of("provider", PROVIDERS) or ""


def _page(query: Query, rows: Sequence[Mapping[str, object]]) -> Response:
    page, after = page_of(rows, 0, query.limit())
    return answer({"items": page, "next_page_id": after})


FIELDS = (
    "id", "created_by_user_id", "sandbox_id", "selected_repository", "selected_branch",
    "git_provider", "title", "pr_number", "llm_model", "metrics", "parent_conversation_id",
    "sub_conversation_ids", "created_at", "updated_at",
)  # fmt: skip
"""Those of the stored row that others get."""


class Shared:
    """The endpoints; `info` makes the stored row of a conversation."""

    def __init__(self, world: World, info: Callable[[Conversation], dict[str, object]]) -> None:
        self.world = world
        self._info = info

    def routes(self) -> list[Route]:
        return [
            Route("/api/shared-conversations", self.get_conversations),
            Route("/api/shared-events/search", self.search_events),
            Route("/api/shared-events/count", self.count_events),
        ]

    async def get_conversations(self, request: Request) -> Response:
        uuids = [uuid_or_none(each) for each in Query(request).many("ids")]
        if len(uuids) >= 100:
            return detail(400, f"Too many ids requested: {len(uuids)}, the maximum is 99")
        if None in uuids:
            return detail(400, "Invalid UUID format")
        found = [self._public(each.hex) for each in uuids if each]
        rows = [self._info(one) if one else None for one in found]
        return answer([row and {name: row[name] for name in FIELDS} for row in rows])

    async def search_events(self, request: Request) -> Response:
        query = Query(request)
        return page_of_events(query, self._events(query))

    async def count_events(self, request: Request) -> Response:
        return answer(len(self._events(Query(request))))

    def _events(self, query: Query) -> list[StoredEvent]:
        """Without the changes of state; none of a conversation that is not public."""
        (wanted, *_) = query.many("conversation_id")
        identifier = uuid_or_none(wanted)
        conversation = self._public(identifier.hex) if identifier else None
        events = self.world.app_events(conversation) if conversation else []
        return [event for event in events if event.kind != "ConversationStateUpdateEvent"]

    def _public(self, identifier: str) -> Conversation | None:
        conversation = self.world.row(identifier)
        return conversation if conversation and conversation.is_public else None


def page_of_events(query: Query, events: list[StoredEvent]) -> Response:
    """The page of events that the query asks for, by their timestamps."""
    limit, start = query.limit(), offset(query.text("page_id"))
    order = query.one_of("sort_order", ("TIMESTAMP", "TIMESTAMP_DESC"), "TIMESTAMP")
    if start is None:
        return crash()
    page, after = page_of(events[::-1] if order == "TIMESTAMP_DESC" else events, start, limit)
    return raw_page([event.raw for event in page], after)
