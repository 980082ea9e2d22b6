"""The sandboxes of several servers: each is told, paused and resumed by its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from oh_tui.actions.sandboxes import SandboxPlan, SandboxStage, ServerSandboxes
from oh_tui.text.problem import Problem

if TYPE_CHECKING:
    from oh_tui.api.models import Sandbox, StartTask
    from oh_tui.conversation import Conversation
    from oh_tui.sources.members import Members, Server


class SeveralSandboxes(ServerSandboxes):
    def __init__(self, servers: Members) -> None:
        self._servers = servers
        self._listed: dict[str, list[Sandbox]] = {}
        """By server; of one that is away those that were last listed."""

    async def all(self) -> list[Sandbox]:
        async def ask(source: Server) -> list[Sandbox]:
            found = await source.sandboxes.all() if source.sandboxes else []
            return [replace(one, server=source.api.name) for one in found]

        self._listed |= await self._servers.ask("sandboxes", ask)
        return await self._known()

    async def _known(self) -> list[Sandbox]:
        return [one for listed in self._listed.values() for one in listed]

    async def _of(self, sandbox_id: str) -> tuple[str, ServerSandboxes]:
        """The server that has it, and its sandboxes. Raises Problem."""
        for read in (self._known, self.all):
            for one in await read():
                source = self._servers.sources.get(one.server)
                if one.id == sandbox_id and source and source.sandboxes:
                    return one.server, source.sandboxes
        raise Problem("None of these servers lists that sandbox", "read the list again")

    async def get(self, sandbox_id: str) -> Sandbox | None:
        name, of = await self._of(sandbox_id)
        found = await of.get(sandbox_id)
        return replace(found, server=name) if found else None

    async def inside(self, sandbox_id: str) -> tuple[Conversation, ...]:
        return await (await self._of(sandbox_id))[1].inside(sandbox_id)

    async def plan(self, sandbox_id: str) -> SandboxPlan:
        name, of = await self._of(sandbox_id)
        plan = await of.plan(sandbox_id)
        return replace(plan, sandbox=replace(plan.sandbox, server=name) if plan.sandbox else None)

    async def carry_out(
        self, plan: SandboxPlan, *, stop_agents: bool, patient: bool = False
    ) -> AsyncIterator[SandboxStage]:
        assert plan.sandbox is not None
        _, of = await self._of(plan.sandbox.id)
        async for stage in of.carry_out(plan, stop_agents=stop_agents, patient=patient):
            yield stage

    async def displaced(self, *plans: SandboxPlan) -> list[Sandbox]:
        found: list[Sandbox] = []
        for name, source in self._servers.sources.items():
            own = [plan for plan in plans if plan.sandbox and plan.sandbox.server == name]
            if own and source.sandboxes:
                found += await source.sandboxes.displaced(*own)
        return found

    async def started(self, identifier: str) -> StartTask | None:
        async def ask(source: Server) -> StartTask | None:
            return await source.sandboxes.started(identifier) if source.sandboxes else None

        answers = await self._servers.ask(("started", identifier), ask)
        return next((one for one in answers.values() if one), None)
