"""The sandboxes of a server: list, plan and carry out a pause or resume."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from enum import StrEnum

import msgspec

from oh_tui.actions import agent_actions
from oh_tui.api import app_server
from oh_tui.api.errors import ApiError, RateLimited
from oh_tui.api.models import Sandbox, StartTask
from oh_tui.api.paging import PAGE, cut_words
from oh_tui.api.server import running_agent
from oh_tui.conversation import Conversation
from oh_tui.text.problem import Problem, Refused, Remedy
from oh_tui.text.redact import safe_line

SETTLE = 30.0
"""Seconds after which a pause or resume counts as not done."""

UNSURE = 3.0
"""The same after a call whose outcome is unknown."""


class SandboxStage(StrEnum):
    """A stage of pausing or resuming a sandbox, in words that fit anywhere."""

    AGENT_STOPPING = "agent stopping after this step"
    AGENT_STOPPED = "agent stopped"
    PAUSING = "sandbox pausing"
    RESUMING = "sandbox resuming"
    PAUSED = "paused"
    RUNNING = "running again"


class SandboxPlan(msgspec.Struct, frozen=True):
    action: str
    """"pause", "resume", or "" if neither is possible for the given `reason`."""
    sandbox: Sandbox | None
    conversations: tuple[Conversation, ...] = ()
    others: tuple[Sandbox, ...] = ()
    """For a resume: the other running sandboxes, oldest first, which the server may pause."""
    reason: str = ""
    hint: str = ""
    """What helps against the reason, like `Problem.hint`."""

    @property
    def running(self) -> tuple[Conversation, ...]:
        return tuple(c for c in self.conversations if c.execution_status == "running")

    @property
    def at_stake(self) -> bool:
        """Whether more than the sandbox itself is affected."""
        if self.action == "pause":
            return bool(self.running) or len(self.conversations) > 1
        return bool(self.others)


class ServerSandboxes:
    def __init__(self, api: app_server.AppServer, problems: list[str]) -> None:
        """`problems` receives a sentence when the list is cut."""
        self._api = api
        self._problems = problems

    async def all(self) -> list[Sandbox]:
        """All sandboxes, up to 100,000."""
        found: list[Sandbox] = []
        async for page in self._api.sandboxes.all().pages():
            found += page.items
            if page.is_cut and (note := cut_words("sandboxes")) not in self._problems:
                self._problems.append(note)
        return found

    async def get(self, sandbox_id: str) -> Sandbox | None:
        return (await self._api.sandboxes.get([sandbox_id]))[0]

    async def inside(self, sandbox_id: str) -> tuple[Conversation, ...]:
        page = await self._api.search_conversations(
            sandbox_id__eq=sandbox_id, include_sub_conversations=True, limit=PAGE
        )
        return tuple(page.items)

    async def plan(self, sandbox_id: str) -> SandboxPlan:
        """What pausing or resuming it would do now. Takes three calls."""
        sandbox = await self.get(sandbox_id)
        if sandbox is None or sandbox.status == "MISSING":
            return SandboxPlan("", sandbox, reason="the sandbox is gone; the run stays readable")
        inside = await self.inside(sandbox_id)
        if sandbox.status == "RUNNING":
            return SandboxPlan("pause", sandbox, inside)
        if sandbox.status == "PAUSED":
            others = [s for s in await self.all() if s.status == "RUNNING"]
            others.sort(key=lambda s: s.created_at or "")
            return SandboxPlan("resume", sandbox, inside, tuple(others))
        state = safe_line(sandbox.status or "in no known state").lower()
        return SandboxPlan("", sandbox, inside, reason=f"the sandbox is {state}", hint=Remedy.WAIT)

    async def carry_out(
        self, plan: SandboxPlan, *, stop_agents: bool, patient: bool = False
    ) -> AsyncIterator[SandboxStage]:
        """Pauses or resumes as planned and yields each stage; the last is the actual state.

        Raises Refused when the server has not done it after half a minute, unless `patient`.
        """
        assert plan.sandbox is not None
        sandbox_id = plan.sandbox.id
        wanted = "PAUSED" if plan.action == "pause" else "RUNNING"
        if stop_agents:
            for conversation in plan.running:
                agent = running_agent(self._api, conversation)
                if agent:
                    yield SandboxStage.AGENT_STOPPING
                    try:
                        await agent_actions.watched(agent, agent.pause())
                    except ApiError:
                        sandbox = await self.get(sandbox_id)
                        if sandbox is not None and sandbox.status == "RUNNING":
                            raise
                        break  # another client was first
                    yield SandboxStage.AGENT_STOPPED
        yield SandboxStage.PAUSING if wanted == "PAUSED" else SandboxStage.RESUMING
        failure: ApiError | None = None
        try:
            if wanted == "PAUSED":
                await self._api.sandboxes.pause(sandbox_id)
            else:
                await self._api.sandboxes.resume(sandbox_id)
        except ApiError as problem:
            failure = problem
        yield await self._settled(sandbox_id, wanted, failure, math.inf if patient else SETTLE)

    async def displaced(self, *plans: SandboxPlan) -> list[Sandbox]:
        """Those paused to make room for the resumed ones, which no answer tells (measured)."""
        resumed = [plan for plan in plans if plan.action == "resume"]
        ran = {one.id for plan in resumed for one in (*plan.others, plan.sandbox) if one}
        if len(ran) < 2:
            return []
        return [one for one in await self.all() if one.id in ran and one.status == "PAUSED"]

    async def _settled(
        self, sandbox_id: str, wanted: str, failure: ApiError | None, settle: float
    ) -> SandboxStage:
        """Reads the state until it is as wanted.

        A successful call only means that the server was asked, a 404 only that it failed
        (measured). A call that broke off may have arrived.
        """
        loop = asyncio.get_running_loop()
        patience = settle
        if failure is not None:
            patience = UNSURE if failure.status in (None, 200, 502, 504) else 0.0
        began, wait = loop.time(), 0.1
        while True:
            try:
                sandbox = await self.get(sandbox_id)
            except Problem as problem:
                if failure is None:
                    raise
                raise failure from problem
            status = sandbox.status if sandbox else "MISSING"
            if status == wanted:
                return SandboxStage.PAUSED if wanted == "PAUSED" else SandboxStage.RUNNING
            if status == "MISSING":
                raise Refused("The sandbox is gone", "the run stays readable")
            if status == "ERROR" and patience == math.inf:
                raise Refused("The sandbox failed", "the run stays readable")
            if failure is not None and wanted == "RUNNING" and status == "STARTING":
                failure, patience = None, settle  # the call arrived, whatever its answer
            if loop.time() >= began + patience:
                break
            await asyncio.sleep(wait)
            wait = min(wait * 2, 3.0)
        verb = "pause" if wanted == "PAUSED" else "resume"
        now = safe_line(status or "in no known state").lower()
        if failure is None:
            raise Refused(
                f"The server was asked to {verb} the sandbox, which is still {now}",
                Remedy.WAIT_FOR_IT,
            )
        why = failure.sentence
        if isinstance(failure, RateLimited):
            why = f"{why}: {failure.hint}"  # which says how long to wait
        raise Refused(f"The server did not {verb} the sandbox; it is {now}", why)

    async def started(self, identifier: str) -> StartTask | None:
        """The start task with this id, which looks like the id of a conversation."""
        return (await self._api.start_tasks.get([identifier]))[0]
