"""Forks, what an agent works with, and a question to it, as agent server 1.34.0 answers, or
another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oh_tui.demo.catalog import Entry
from oh_tui.demo.runs.meter import GEMINI, HAIKU, LOCAL, SONNET, Meter, Model
from oh_tui.demo.runs.run import Run
from oh_tui.demo.runs.stored_events import StoredEvent
from oh_tui.demo.servers.http import Refused, answer, body, broken, detail, invalid
from oh_tui.demo.state import Conversation
from oh_tui.demo.world import AgentVersion, World

_WITHOUT_TREE = (AgentVersion.OLD, AgentVersion.WHOLE)


@dataclass(frozen=True, slots=True)
class Forked(Entry):
    origin: str = ""
    """The id of the conversation that it was made of."""
    at: str | None = None
    """The event that was asked for; None for all."""
    taken: tuple[StoredEvent, ...] = field(default=(), compare=False)
    files: dict[str, str] = field(default_factory=dict, compare=False)
    has_key: bool = True
    folder: str = ""

    def write(self, run: Run) -> None:
        run.root = self.folder
        run.has_key = self.has_key
        run.go_on_from(self.taken, self.files)


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
        folder=world.root(source),
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


PROFILES = {"careful": SONNET, "fast": HAIKU, "local": LOCAL, "long-context": GEMINI}
"""The LLM profiles that all servers of the demo keep."""

POLICIES = ("AlwaysConfirm", "ConfirmRisky", "NeverConfirm")

THINKS = 0.3
"""Seconds until a question is answered."""

ANSWER = """\
No model answers in the demo. The agent of a real run would say here what it knows of it:

- why it made a call, or **did not** make it
- what it is about to do

You asked: “{}”
"""

Find = Callable[[Request, Response | None], Conversation]
"""The conversation of a request; ends it with the response for one that is not there."""


class AgentSetups:
    """The endpoints below that of a conversation; `find` gives that of a request, `record` its
    record."""

    def __init__(
        self, world: World, find: Find, record: Callable[[Conversation], dict[str, object]]
    ) -> None:
        self.world = world
        self.in_sandbox = True
        self._find, self._record = find, record

    def routes(self, root: str, base: str) -> list[Route]:
        found = {
            f"{base}/ask_agent": self.ask_agent,
            f"{base}/condense": self.condense,
            f"{base}/fork": self.fork,
            f"{base}/confirmation_policy": self.set_policy,
            f"{base}/switch_profile": self.switch_profile,
        }
        return [
            *(Route(path, endpoint, methods=["POST"]) for path, endpoint in found.items()),
            Route(f"{root}/api/profiles", self.profiles, methods=["GET"]),
        ]

    async def fork(self, request: Request) -> Response:
        """Make a conversation of the events up to one, at the end of the current step."""
        if self.world.agent_version == AgentVersion.OLD:
            return detail(404, "Not Found")
        payload = await body(request)
        conversation = self._find(request, detail(404, "Source conversation not found"))
        title, event_id = payload.get("title"), payload.get("from_event_id")
        if title is not None and len(title) > 200:
            raise invalid("title", "string_too_long", "String should have at most 200 characters")
        await self.world.let_step_end(conversation)
        made = _forked(self.world, conversation, event_id, title, payload.get("tags"))
        if made is None:
            return detail(404, f"Unknown from_event_id: {event_id}")
        return answer(self._record(made), 201)

    async def ask_agent(self, request: Request) -> Response:
        """Answer a question about the run. Nothing of it is kept but the cost."""
        payload = await body(request)
        question = _text(payload.get("question"), "question")
        unknown = detail(500, "Internal Server Error")
        if self.world.agent_version == AgentVersion.NEW:
            unknown = detail(404, "Conversation not found")
        conversation = self._find(request, unknown)
        await asyncio.sleep(THINKS)
        model = model_of(conversation)
        if conversation.asked is None:
            conversation.asked = Meter(model)
        name = f"chatcmpl-ask-{len(conversation.asked.usages)}"
        conversation.asked.add(self.world.clock.now(), name, THINKS, 30_000, 28_000, 120, 0)
        return answer({"response": ANSWER.format(question[:2_000])})

    async def condense(self, request: Request) -> Response:
        """Condense the context when the step is over; calls without a result run instead."""
        conversation = self._find(request, detail(404, "Conversation not found"))
        if conversation.entry.agent_kind == "acp":
            why = "Cannot condense conversation: No condenser configured"
            if self.world.agent_version == AgentVersion.NEW:
                return detail(409, why)
            return broken(why)
        act = self.world.act(conversation, "condense")
        await self.world.wait_until(conversation, lambda: self.world.shows(conversation, act))
        return answer({"success": True})

    async def set_policy(self, request: Request) -> Response:
        policy = (await body(request)).get("policy")
        if not isinstance(policy, dict):
            raise invalid("policy", "missing", "Field required")
        kind = policy.get("kind")
        if kind not in POLICIES:
            if self.world.agent_version == AgentVersion.OLD:
                told = "Object of type ValueError is not JSON serializable"
                return broken(told)
            expected = f"Expected one of: {list(POLICIES)}"
            raise invalid(
                "policy", "value_error", f"Value error, Unknown kind '{kind}'; {expected}"
            )
        conversation = self._find(request, detail(404, "Not Found"))
        await self.world.let_step_end(conversation)
        usual = {"threshold": "HIGH", "confirm_unknown": True} if kind == "ConfirmRisky" else {}
        conversation.policy = usual | policy
        return answer({"success": True})

    async def profiles(self, request: Request) -> Response:
        """From 1.22 on."""
        self._require_newer()
        return answer(profiles_json())

    async def switch_profile(self, request: Request) -> Response:
        """From 1.18 on. In a sandbox 1.34.0 looks for them in another folder (measured)."""
        self._require_newer()
        name = _text((await body(request)).get("profile_name"), "profile_name")
        conversation = self._find(request, detail(404, "Not Found"))
        lost = self.in_sandbox and self.world.agent_version == AgentVersion.USUAL
        if lost or name not in PROFILES:
            return detail(404, f"Profile '{name}' not found")
        switch(self.world, conversation, name)
        return answer({"success": True})

    def _require_newer(self) -> None:
        if self.world.agent_version == AgentVersion.OLD:
            raise Refused(detail(404, "Not Found"))


def profiles_json() -> dict[str, object]:
    profiles = [
        {"name": name, "model": model.name, "base_url": None, "api_key_set": name != "local"}
        for name, model in PROFILES.items()
    ]
    return {"profiles": profiles, "active_profile": "careful"}


def switch(world: World, conversation: Conversation, name: str) -> None:
    """Let its agent use a profile, from which a fork of 1.58.2 gets a key."""
    conversation.profile = name
    if not has_key(conversation):
        world.act(conversation, "switch")


def model_of(conversation: Conversation) -> Model:
    return PROFILES.get(conversation.profile, conversation.entry.model)


def agent_json(conversation: Conversation, *, kept: bool = False) -> dict[str, object]:
    """The agent in a record, which never tells of the key; with `kept` as it is written down."""
    name = conversation.profile
    usage = f"profile:{name}" if name else "agent"
    key = "**********" if kept and has_key(conversation) else None
    llm = {"model": model_of(conversation).name, "api_key": key, "usage_id": usage}
    if conversation.entry.agent_kind == "acp":
        return {"llm": llm, "tools": [], "kind": "ACPAgent"}
    condenser = {"kind": "LLMSummarizingCondenser", "max_size": 240, "keep_first": 2}
    return {"llm": llm, "tools": [], "condenser": condenser, "kind": "Agent"}


def _text(value: object, name: str) -> str:
    if value is None:
        raise invalid(name, "missing", "Field required")
    if not isinstance(value, str):
        raise invalid(name, "string_type", "Input should be a valid string")
    return value
