"""What the app server of OpenHands Cloud gives without a key: the conversations that are public.

The paths and shapes are those of the last public source of the Cloud; nothing here is measured.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oh_tui.demo.runs.stored_events import StoredEvent
from oh_tui.demo.servers.http import (
    Query,
    answer,
    crash,
    detail,
    offset,
    page_of,
    raw_page,
    uuid_or_none,
)
from oh_tui.demo.state import Conversation
from oh_tui.demo.world import World

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
        return answer([self._record(each.hex) for each in uuids if each])

    def _record(self, identifier: str) -> dict[str, object] | None:
        conversation = self._public(identifier)
        if conversation is None:
            return None
        row = self._info(conversation)
        return {name: row[name] for name in FIELDS}

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
