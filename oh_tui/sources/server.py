"""Conversations on an OpenHands server: lists, pause, download; their runs are in `loading`."""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from oh_tui.api.errors import ApiError, RateLimited
from oh_tui.patterns import pattern
from oh_tui.problem import Problem, Refused, Remedy
from oh_tui.sources import PAGE, SandboxPlan, cut_words
from oh_tui.sources.cache import RunCache
from oh_tui.sources.loading import ServerRuns
from oh_tui.sources.pager import SLICE
from oh_tui.sources.saving import bounded, download_name, finish_zip, part_file_aside, publish
from oh_tui.text import safe_line

if TYPE_CHECKING:
    from oh_tui.api import AppServer
    from oh_tui.api.models import Conversation, GitChange, Page, Sandbox, StartTask
    from oh_tui.api.requests import StartRequest
    from oh_tui.seen import Seen
    from oh_tui.sources.acting import Agents
    from oh_tui.sources.workspace import Workspace

SETTLE_SECONDS = 30.0
"""How long a pause or resume may take before we say that it has not happened yet."""

UNSURE_SECONDS = 3.0
"""The same when the call gave no answer that tells whether it was heard."""


class ServerSource(ServerRuns):
    """An OpenHands app server and the agent servers of its sandboxes."""

    can_act = True

    def __init__(
        self,
        api: AppServer,
        label: str,
        opening: str = "",
        *,
        address: str = "",
        remembered: Mapping[str, Seen] | None = None,
        cache: RunCache | None = None,
    ) -> None:
        super().__init__(api, cache)
        self.label = label
        self.opening = opening
        self.address = address
        self.remembered = remembered or {}
        self.problems: list[str] = []
        """What the list of sandboxes left out."""

    async def close(self) -> None:
        await self.api.aclose()

    def pages(self) -> AsyncIterator[Page[Conversation]]:
        return self.api.iter_conversations(include_sub_conversations=True)

    async def newest(self) -> Page[Conversation]:
        page = await self.api.search_conversations(limit=PAGE, include_sub_conversations=True)
        page.items = page.items[:SLICE]  # a server may give more than it is asked for
        return page

    async def count(self) -> int | None:
        return await self.api.count_conversations()

    async def get(self, ids: Sequence[str]) -> list[Conversation | None]:
        return await self.api.get_conversations(ids)

    async def sandboxes(self) -> list[Sandbox]:
        found: list[Sandbox] = []
        async for page in self.api.iter_sandboxes():
            found += page.items
            if page.is_cut and (told := cut_words("sandboxes")) not in self.problems:
                self.problems.append(told)
        return found

    async def git_changes(self, conversation: Conversation) -> list[GitChange] | None:
        """Asked of the folder that the agent works in, where the app server puts the repository.
        Two calls to the agent server."""
        agent = self._agent(conversation)
        if agent is None:
            return None
        workspace = (await agent.conversation()).workspace
        folder = (workspace.working_dir if workspace else None) or "."
        changes = await agent.git_changes(folder)
        return [
            replace(change, path=posixpath.join(folder, _unquoted(change.path)))
            for change in changes
        ]

    async def sandbox_plan(self, sandbox_id: str) -> SandboxPlan:
        """What `p` would do, decided on the state of this moment. Three calls."""
        (sandbox,) = await self.api.get_sandboxes([sandbox_id])
        if sandbox is None or sandbox.status == "MISSING":
            return SandboxPlan(
                "", sandbox, reason="the sandbox is gone; its history stays readable"
            )
        page = await self.api.search_conversations(
            sandbox_id__eq=sandbox_id, include_sub_conversations=True, limit=PAGE
        )
        inside = tuple(page.items)
        if sandbox.status == "RUNNING":
            return SandboxPlan("pause", sandbox, inside)
        if sandbox.status == "PAUSED":
            others = [s for s in await self.sandboxes() if s.status == "RUNNING"]
            others.sort(key=lambda s: s.created_at or "")
            return SandboxPlan("resume", sandbox, inside, tuple(others))
        state = safe_line(sandbox.status or "in no known state").lower()
        return SandboxPlan("", sandbox, inside, reason=f"the sandbox is {state}", hint=Remedy.WAIT)

    async def carry_out(self, plan: SandboxPlan, *, stop_agents: bool) -> AsyncIterator[str]:
        assert plan.sandbox is not None
        from oh_tui.sources.acting import watched

        sandbox_id = plan.sandbox.id
        wanted = "PAUSED" if plan.action == "pause" else "RUNNING"
        if stop_agents:
            for conversation in plan.running:
                agent = self._agent(conversation)
                if agent:
                    yield "agent stopping after this step"
                    await watched(agent, agent.pause())
                    yield "agent stopped"
        yield "sandbox pausing" if wanted == "PAUSED" else "sandbox resuming"
        failure: ApiError | None = None
        try:
            if wanted == "PAUSED":
                await self.api.pause_sandbox(sandbox_id)
            else:
                await self.api.resume_sandbox(sandbox_id)
        except ApiError as problem:
            failure = problem
        yield await self._settled(sandbox_id, wanted, failure)

    async def _settled(self, sandbox_id: str, wanted: str, failure: ApiError | None) -> str:
        """The state re-read until it is as wanted: success of the call only means "asked", its 404
        only "it failed" (measured), and a call that broke off may have been heard."""
        loop = asyncio.get_running_loop()
        patience = SETTLE_SECONDS
        if failure is not None:
            patience = UNSURE_SECONDS if failure.status in (None, 200, 502, 504) else 0.0
        began, wait = loop.time(), 0.1
        while True:
            try:
                (sandbox,) = await self.api.get_sandboxes([sandbox_id])
            except Problem as problem:
                raise failure or problem from problem
            status = sandbox.status if sandbox else "MISSING"
            if status == wanted:
                return "paused" if wanted == "PAUSED" else "running again"
            if status == "MISSING":
                raise Refused("The sandbox is gone", "its history stays readable")
            if failure is not None and wanted == "RUNNING" and status == "STARTING":
                failure, patience = None, SETTLE_SECONDS  # it was heard, whatever was answered
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
            why = f"{why}: {failure.hint}"  # how long to wait; how it stands is known already
        raise Refused(f"The server did not {verb} the sandbox; it is {now}", why)

    def agents(self) -> Agents:
        from oh_tui.sources.acting import Agents

        return Agents(self.api)

    async def download(
        self,
        conversation: Conversation,
        folder: Path,
        progress: Callable[[int], None],
        name: str = "",
    ) -> Path:
        """The trajectory as a zip in `folder`; never overwrites, leaves nothing when it fails."""
        target = folder / (name or download_name(conversation))
        async with part_file_aside(target) as (file, part):
            received = 0
            async with self.api.download(conversation.id) as chunks:
                async for chunk in bounded(chunks):
                    await asyncio.to_thread(file.write, chunk)
                    received += len(chunk)
                    progress(received)
            await asyncio.to_thread(finish_zip, file)
            return publish(part, target)

    @property
    def web(self) -> str:
        return self.address

    def start(self, request: StartRequest) -> AsyncGenerator[StartTask, None]:
        from oh_tui.sources import starting

        return starting.start(self.api, request)

    async def started(self, identifier: str) -> StartTask | None:
        return (await self.api.get_start_tasks([identifier]))[0]

    async def workspace(self, conversation: Conversation) -> Workspace:
        from oh_tui.sources.workspace import open_workspace

        return await open_workspace(self.api, conversation)


def _unquoted(path: str) -> str:
    """A path as git names it when it is not ASCII: in quotes, each byte of such a character as
    `\\303`, which agent server 1.34.0 makes `/303` of (measured)."""
    if len(path) < 2 or not path.startswith('"') or not path.endswith('"'):
        return path
    raw = path[1:-1].encode("utf-8", "surrogatepass")
    return _GIT_BYTE.sub(lambda byte: bytes([int(byte[1], 8)]), raw).decode("utf-8", "replace")


_GIT_BYTE = pattern(rb"[\\/]([23][0-7]{2})")
