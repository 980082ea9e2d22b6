"""Forks: conversations that begin with the events of another, as agent servers make them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oh_tui.demo.catalog import Entry
from oh_tui.demo.runs.run import Run
from oh_tui.demo.runs.stored_events import StoredEvent
from oh_tui.demo.servers.http import answer, body, detail, invalid
from oh_tui.demo.state import Conversation
from oh_tui.demo.world import AgentVersion, World

_WITHOUT_TREE = (AgentVersion.OLD, AgentVersion.WHOLE)


@dataclass(frozen=True, slots=True)
class Forked(Entry):
    """A conversation that a visitor forked."""

    origin: str = ""
    """The id of the conversation that it was made of."""
    at: str | None = None
    """The event that was asked for; None for all."""
    taken: tuple[StoredEvent, ...] = field(default=(), compare=False)
    files: dict[str, str] = field(default_factory=dict, compare=False)
    has_key: bool = True

    def write(self, run: Run) -> None:
        run.has_key = self.has_key
        run.go_on_from(self.taken, self.files)


class Forks:
    """The endpoint below that of a conversation; `find` gives the conversation of a request,
    `record` the record of one."""

    def __init__(
        self,
        world: World,
        find: Callable[[Request, Response | None], Conversation],
        record: Callable[[Conversation], dict[str, object]],
    ) -> None:
        self.world = world
        self._find = find
        self._record = record

    def routes(self, base: str) -> list[Route]:
        """The routes of Starlette, below the address of a conversation."""
        return [Route(f"{base}/fork", self.fork, methods=["POST"])]

    async def fork(self, request: Request) -> Response:
        """Make a new conversation of the events up to one. Waits for the end of the current
        step."""
        if self.world.agent_version == AgentVersion.OLD:
            return detail(404, "Not Found")
        payload = await body(request)
        conversation = self._find(request, detail(404, "Source conversation not found"))
        title, event_id = payload.get("title"), payload.get("from_event_id")
        if title is not None and len(title) > 200:
            raise invalid("title", "string_too_long", "String should have at most 200 characters")
        if self.world.execution_status(conversation) == "running":
            until = self.world.step_end(conversation)
            await self.world.wait_until(conversation, lambda: until)
        made = _forked(self.world, conversation, event_id, title, payload.get("tags"))
        if made is None:
            return detail(404, f"Unknown from_event_id: {event_id}")
        return answer(self._record(made), 201)


def _forked(
    world: World,
    source: Conversation,
    event_id: str | None,
    title: str | None,
    tags: dict[str, str] | None,
) -> Conversation | None:
    """A new conversation with the events up to one, or with all; None for an unknown event."""
    events = world.agent_events(source)
    at = event_id if world.agent_version != AgentVersion.WHOLE else None
    taken = list(events) if at is None else _path(events, at)
    if taken is None:
        return None
    count = sum(isinstance(one.entry, Forked) for one in world.conversations.values())
    entry = Forked(
        slug=f"forked {count + 1}",
        title=title,
        age=world.clock.start - world.clock.now(),
        sandbox=source.entry.sandbox,
        repo=source.entry.repo,
        branch=source.entry.branch,
        model=source.entry.model,
        trigger=None,
        agent_kind=source.entry.agent_kind,
        live=True,
        origin=source.entry.id,
        at=at,
        taken=tuple(replace(event, taken=True) for event in taken),
        files=world.files_now(source),
        has_key=world.agent_version != AgentVersion.NEW,
    )
    made = Conversation(entry, world.clock.now(), source.sandbox, is_listed=False)
    made.agent_tags = dict(tags or {})
    if title is not None and world.agent_version != AgentVersion.NEW:
        made.agent_tags["title"] = title  # measured
    return world.add(made)


def origin_of(world: World, conversation: Conversation) -> dict[str, str | None]:
    """What records say of where a conversation comes from, from 1.31 on."""
    if world.agent_version in _WITHOUT_TREE:
        return {}
    entry = conversation.entry
    origin, at = (entry.origin, entry.at) if isinstance(entry, Forked) else ("", None)
    return {
        "forked_from_conversation_id": str(UUID(origin)) if origin else None,
        "forked_from_event_id": at,
    }


def has_key(conversation: Conversation) -> bool:
    """Whether its agent has the key of the model, which 1.58.2 leaves out of a fork."""
    acts = conversation.interventions.acts
    given = any(act.what == "switch" for act in acts)
    return given or getattr(conversation.entry, "has_key", True)


def leaf_of(world: World, conversation: Conversation) -> dict[str, str | None]:
    """What a record says of the event that the next one follows, from 1.31 on."""
    if world.agent_version in _WITHOUT_TREE:
        return {}
    states = "ConversationStateUpdateEvent"
    events = reversed(world.agent_events(conversation))
    return {"leaf_event_id": next((one.id for one in events if one.kind != states), None)}


def _path(events: Sequence[StoredEvent], event_id: str) -> list[StoredEvent] | None:
    """The events from the first to one, each the parent of the next; None without that one."""
    known = {event.id: event for event in events}
    found: list[StoredEvent] = []
    at: str | None = event_id
    while at is not None:
        if at not in known:
            return None
        found.append(known[at])
        at = msgspec.json.decode(known[at].raw)["parent_id"]
    return found[::-1]
