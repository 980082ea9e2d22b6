"""Helpers for tests of calls that act: conversations in the required state, and waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from oh_tui.actions.agent_actions import Agents
from oh_tui.api import (
    AgentServer,
    AppServer,
    BareAgentServer,
    Conflict,
    Conversation,
    StartRequest,
    StartTask,
)
from oh_tui.sources.agent_server import AgentServerSource
from oh_tui.sources.server import ServerSource
from oh_tui.trajectory.model.events import Event

from .fixtures import ServerUnderTest

T = TypeVar("T")


def agents_of(api: AppServer | BareAgentServer) -> Agents:
    if isinstance(api, BareAgentServer):
        return AgentServerSource(api, "test").agents
    return ServerSource(api, "test").agents


ENDED = ("finished", "error", "stuck", "paused", "waiting_for_confirmation", "idle")


@dataclass(frozen=True)
class Prompts:
    """What to say to this server's agent to make it do something."""

    short: str
    """Ends at once."""
    slow: str
    """Makes a call that takes longer than 5 s, then ends."""
    gated: str
    """Wants to run a command that asks for confirmation, then ends."""
    reply: str
    """Is answered with a message."""
    thinks: str
    """Makes a call after a second and more of thinking, then ends."""


@dataclass(frozen=True)
class Stage:
    """A server to act on, and its clock."""

    api: AppServer
    prompts: Prompts
    sandbox_id: str | None
    """The sandbox to start in; None for a new one each time."""
    confirms: Callable[[Conversation], Awaitable[None]]
    """Makes a conversation ask before each call."""
    ran: Callable[[Conversation], bool]
    """Whether the gated command of a conversation was run."""
    sleep: Callable[[float], Awaitable[None]]
    """Lets time pass on the server."""
    folder: str
    """A folder of the sandbox to put files in."""
    keeps_profile: Callable[[Conversation, str], Awaitable[None]]
    """Keeps an LLM profile of this name on the server that a conversation is on."""
    interrupts: bool = True
    """Whether the agent server can stop a running call; those before 1.24 cannot."""

    async def until(self, what: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
        """Until something is so; `seconds` are those of the server."""
        for _ in range(int(seconds / 0.5)):
            if await what():
                return
            await self.sleep(0.5)
        raise AssertionError(f"not so within {seconds} s: {what}")

    async def task(self, request: StartRequest, seconds: float = 90) -> tuple[StartTask, list[str]]:
        """A start to its end, and the stages that were seen."""
        task = await self.api.start_tasks.begin(request)
        seen = [task.status or ""]

        async def over() -> bool:
            nonlocal task
            (found,) = await self.api.start_tasks.get([task.id])
            assert found is not None
            task = found
            if seen[-1] != task.status:
                seen.append(task.status or "")
            return task.status in ("READY", "ERROR")

        await self.until(over, seconds)
        return task, seen

    async def started(self, message: str = "") -> Conversation:
        """A conversation that was just started; a second try for a start that hangs, which one in
        some dozens does: the server's first word of it and the sandbox's collide (measured)."""
        request = StartRequest(message=message, sandbox_id=self.sandbox_id)
        try:
            task, _ = await self.task(request, 40)
        except AssertionError:
            task, _ = await self.task(request)
        assert task.status == "READY", task
        return await self.now(task.app_conversation_id or "")

    async def now(self, conversation_id: str) -> Conversation:
        (found,) = await self.api.get_conversations([conversation_id])
        assert found is not None
        return found

    async def status(self, conversation: Conversation) -> str | None:
        return (await self.now(conversation.id)).execution_status

    async def meanwhile(self, call: Coroutine[Any, Any, T]) -> T:
        """What a call answers while time passes on the server."""
        task = asyncio.create_task(call)
        while not task.done():
            await self.sleep(0.5)
        return await task

    async def until_status(self, conversation: Conversation, *statuses: str) -> None:
        async def there() -> bool:
            return await self.status(conversation) in statuses

        await self.until(there)

    async def until_over(self, conversation: Conversation) -> str:
        """Until the agent does nothing any more; gives how it ended."""
        await self.until_status(conversation, *ENDED)
        return await self.status(conversation) or ""

    def agent(self, conversation: Conversation) -> AgentServer:
        agent = self.api.agent_server(conversation)
        assert agent is not None
        return agent

    async def stop(self, conversation: Conversation) -> None:
        """Stop the agent in each way there is, one after the other."""
        await self.meanwhile(self.agent(conversation).pause())
        if self.interrupts:
            await self.agent(conversation).interrupt()

    async def let_go_on(self, conversation: Conversation) -> None:
        """/run, again while the run before still winds up: for a moment after it has said how it
        ended, and after a yes to nothing, the real server answers 409."""

        async def taken() -> bool:
            try:
                await self.agent(conversation).run()
            except Conflict:
                return False
            return True

        await self.until(taken, 20)

    async def events(self, conversation: Conversation) -> list[Event]:
        return [event async for event in self.agent(conversation).events()]

    async def kinds(self, conversation: Conversation) -> list[str]:
        """The kinds of its events, a change of status as that status, other changes left out."""
        found = []
        for event in await self.events(conversation):
            body = event.body()
            if event.kind != "ConversationStateUpdateEvent":
                found.append(event.kind)
            elif body.get("key") == "execution_status":
                found.append(str(body.get("value")))
        return found

    async def waiting(self, *, settled: bool = True) -> Conversation:
        """A conversation that waits for confirmation, with nothing run; `settled`: for a while."""
        conversation = await self.started()
        await self.confirms(conversation)
        await self.api.send_message(conversation.id, self.prompts.gated)
        await self.until_status(conversation, "waiting_for_confirmation")
        if settled:
            await self.sleep(2)
        assert not self.ran(conversation)
        return conversation

    async def calling(self) -> Conversation:
        """A conversation with a slow call that runs."""
        conversation = await self.started(self.prompts.slow)

        async def calls() -> bool:
            events = await self.events(conversation)
            return any(e.kind == "ActionEvent" and b'"sleep' in e.raw() for e in events)

        await self.until(calls)
        return conversation


@dataclass(frozen=True)
class StageAlone(Stage):
    """The same on an agent server that is the server; `api` is a BareAgentServer."""

    api: Any
    agent_server: ServerUnderTest = field(kw_only=True)
    body: dict[str, Any] = field(kw_only=True)
    """Starts a conversation with an agent of its own, as each version can."""

    async def started(self, message: str = "") -> Conversation:
        body = dict(self.body)
        if message:
            content = [{"type": "text", "text": message}]
            body["initial_message"] = {"role": "user", "content": content, "run": True}
        async with self.agent_server.wire() as wire:
            answer = await wire.post("/api/conversations", json=body)
        return await self.now(answer.raise_for_status().json()["id"])
