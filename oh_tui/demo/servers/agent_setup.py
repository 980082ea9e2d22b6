"""What an agent works with, and a question to it, as agent server 1.34.0 answers, or another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oh_tui.demo.runs.meter import GEMINI, HAIKU, LOCAL, SONNET, Meter, Model
from oh_tui.demo.servers.forks import has_key
from oh_tui.demo.servers.http import Refused, answer, body, detail, invalid
from oh_tui.demo.state import Conversation
from oh_tui.demo.world import AgentVersion, World

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
    """The endpoints below that of a conversation; `find` gives the conversation of a request."""

    def __init__(self, world: World, find: Find) -> None:
        self.world = world
        self.in_sandbox = True
        self._find = find

    def routes(self, root: str, base: str) -> list[Route]:
        """The routes of Starlette, below the address of an agent server and of a conversation."""
        found = {
            f"{base}/ask_agent": self.ask_agent,
            f"{base}/condense": self.condense,
            f"{base}/confirmation_policy": self.set_policy,
            f"{base}/switch_profile": self.switch_profile,
        }
        return [
            *(Route(path, endpoint, methods=["POST"]) for path, endpoint in found.items()),
            Route(f"{root}/api/profiles", self.profiles, methods=["GET"]),
        ]

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
            return answer({"detail": "Internal Server Error", "exception": why}, 500)
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
                return answer({"detail": "Internal Server Error", "exception": told}, 500)
            expected = f"Expected one of: {list(POLICIES)}"
            raise invalid(
                "policy", "value_error", f"Value error, Unknown kind '{kind}'; {expected}"
            )
        conversation = self._find(request, detail(404, "Not Found"))
        if self.world.execution_status(conversation) == "running":
            until = self.world.step_end(conversation)
            await self.world.wait_until(conversation, lambda: until)
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
    """The model that its agent uses now."""
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
