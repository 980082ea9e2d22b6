"""Conversations on an OpenHands server: loading, following, pausing, downloading."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import posixpath
import re
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from oh_tui.api.errors import TooLarge
from oh_tui.human import plural
from oh_tui.problem import Problem
from oh_tui.sources import PAGE, PEEK, Loaded, SandboxPlan, build
from oh_tui.sources.cache import RunCache, events_of_zip
from oh_tui.sources.saving import download_name, finish_zip, part_file, publish
from oh_tui.text import holds_key, safe_line
from oh_tui.trajectory.events import Event
from oh_tui.trajectory.steps import Trajectory

if TYPE_CHECKING:
    from oh_tui.api import AgentServer, AppServer
    from oh_tui.api.models import Conversation, GitChange, Page, Sandbox, StartTask
    from oh_tui.api.requests import StartRequest
    from oh_tui.seen import Seen
    from oh_tui.sources.acting import Agents
    from oh_tui.sources.workspace import Workspace

DOWNLOAD_LIMIT = 10_000
"""Events above which the app server refuses a download (measured, app server 1.11.0)."""

RUN_ERRORS = frozenset({"ConversationErrorEvent", "ServerErrorEvent"})
"""Kinds that say why a whole run failed."""

SETTLE_SECONDS = 30.0
"""How long a pause or resume may take before we say that it has not happened yet."""


class ServerSource:
    """An OpenHands app server and the agent servers of its sandboxes."""

    can_act = True
    problems: Sequence[str] = ()

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
        self.api = api
        self.label = label
        self.opening = opening
        self.address = address
        self.remembered = remembered or {}
        self.cache = cache
        """Where runs that are over are kept on this machine, if they are."""
        self._bulk = asyncio.Lock()
        """At most one bulk load runs: a download makes the server read all its event files."""

    async def close(self) -> None:
        await self.api.aclose()

    def pages(self) -> AsyncIterator[Page[Conversation]]:
        return self.api.iter_conversations(include_sub_conversations=True)

    async def newest(self) -> Page[Conversation]:
        return await self.api.search_conversations(limit=PAGE, include_sub_conversations=True)

    async def count(self) -> int | None:
        return await self.api.count_conversations()

    async def get(self, ids: Sequence[str]) -> list[Conversation | None]:
        return await self.api.get_conversations(ids)

    async def sandboxes(self) -> list[Sandbox]:
        return [sandbox async for page in self.api.iter_sandboxes() for sandbox in page.items]

    async def count_events(self, conversation: Conversation) -> tuple[int, str]:
        """How many events there are and who says so: the app server, and where it knows of none
        the agent server of the running sandbox (the app server of a self-hosted installation
        without webhooks never hears of events; measured)."""
        total = await self.api.count_events(conversation.id)
        agent = None if total else self._agent(conversation)
        if agent:
            with contextlib.suppress(Problem):
                return await agent.count_events(), "agent server"
        return total, "app server"

    async def peek(self, conversation: Conversation) -> Trajectory | None:
        """Of a running sandbox alone: the app server would read all events for one page."""
        agent = self._agent(conversation)
        if agent is None:
            return None
        page = await agent.search_events(sort_order="TIMESTAMP_DESC", limit=PEEK)
        run = build(reversed(page.items), live=True, complete=not page.next_page_id)
        run.status = run.status or conversation.execution_status or ""  # told before this page
        return run

    async def load(
        self, conversation: Conversation, held: Trajectory | None = None
    ) -> AsyncGenerator[Loaded, None]:
        """From the agent server while the sandbox runs, else from the app server. That one gets
        the events in batches: it lacks the last ones of a run that was frozen until the sandbox
        runs again, and at times that of a failure for good (both measured), so that events held
        already are kept."""
        note = ""
        for _ in range(2):
            agent = self._agent(conversation)
            if agent is None:
                break
            try:
                async for state in self._load_from_agent(agent):
                    yield state
                return
            except Problem as problem:
                note = f"read from the app server, which may lag: {problem.sentence}"
                moved = await self._moved(conversation)
                if moved is None:
                    break
                conversation, note = moved, ""
        async for state in self._load_from_app(conversation, held, note):
            yield state

    async def _load_from_agent(self, agent: AgentServer) -> AsyncGenerator[Loaded, None]:
        via = "agent server"
        total = await agent.count_events()
        page = await agent.search_events(sort_order="TIMESTAMP_DESC", limit=PAGE)
        whole = not page.next_page_id
        newest = build(reversed(page.items), live=True, complete=whole)
        yield Loaded(via, newest, len(page.items), total)
        if whole:
            return
        events: list[Event] = []
        async for page in agent.iter_events(limit=PAGE):
            events += page.items
            yield Loaded(via, None, len(events), max(total, len(events)))
        trajectory = await asyncio.to_thread(build, events, live=True)
        yield Loaded(via, trajectory, len(events), len(events))

    async def _load_from_app(
        self, conversation: Conversation, held: Trajectory | None, note: str
    ) -> AsyncGenerator[Loaded, None]:
        via = "app server"
        live = conversation.sandbox_status == "RUNNING"
        total = await self.api.count_events(conversation.id)
        if self.cache and (kept := await asyncio.to_thread(self.cache.load, conversation, total)):
            events = _with_held(kept, held, whole=True)
            run = await asyncio.to_thread(build, events)
            yield Loaded(via, run, len(events), len(events), _lacking(conversation, run))
            return
        page = await self.api.search_events(conversation.id, sort_order="TIMESTAMP_DESC")
        whole = not page.next_page_id
        events = _with_held(page.items[::-1], held, whole=whole)
        newest = build(events, live=live, complete=whole)
        note = note or _lacking(conversation, newest)
        yield Loaded(via, newest, len(events), max(total, len(events)), note)
        if whole or total > DOWNLOAD_LIMIT:
            return
        async with self._bulk:
            with tempfile.SpooledTemporaryFile(max_size=64_000_000, prefix="oh-tui-") as file:
                try:
                    async with self.api.download(conversation.id) as chunks:
                        async for chunk in chunks:
                            await asyncio.to_thread(file.write, chunk)
                            yield Loaded(via, None, len(page.items), total, note)
                except TooLarge:  # this server's limit is lower: older pages come when asked for
                    return
                events, problems = await asyncio.to_thread(events_of_zip, file)
                if problems and len(events) < total:
                    came = f"{len(events):,} of {plural(total, 'event')} came"
                    raise Problem(f"The download broke off: {came}", "try again")
                told = any(holds_key(event.raw()) for event in events)
                if self.cache and len(events) == total and not problems and not told:
                    await asyncio.to_thread(self.cache.keep, conversation, file, total)
        events = _with_held(events, held, whole=True)
        trajectory = await asyncio.to_thread(build, events, live=live)
        yield Loaded(via, trajectory, len(events), len(events), note)

    async def keeps(self, conversation: Conversation) -> bool:
        return self.cache is not None and await asyncio.to_thread(self.cache.keeps, conversation)

    async def older(self, conversation: Conversation, trajectory: Trajectory) -> Loaded:
        agent, via = self._agent(conversation), "agent server"
        page = await _older_from_agent(agent, trajectory) if agent else None
        if agent and page:
            total = await agent.count_events()
        else:
            via, held = "app server", len(trajectory.events)
            total = await self.api.count_events(conversation.id)
            page = await self.api.search_events(
                conversation.id, sort_order="TIMESTAMP_DESC", page_id=str(held)
            )
        events = [*reversed(page.items), *trajectory.events]
        rebuilt = await asyncio.to_thread(
            build, events, live=trajectory.live, complete=not page.next_page_id
        )
        return Loaded(via, rebuilt, len(rebuilt.events), total)

    async def follow(
        self, conversation: Conversation, trajectory: Trajectory, via: str
    ) -> AsyncGenerator[list[Event] | None, None]:
        agent = self._agent(conversation) if via == "agent server" else None
        known = len(trajectory.events) if trajectory.complete else -1
        quiet = 0
        while True:
            await asyncio.sleep(1 if quiet < 3 else 3 if quiet < 10 else 10)
            news: list[Event] | None
            try:
                if agent:
                    news = await _news_from_agent(agent, trajectory)
                else:
                    # The count costs the server a listing, a page makes it read every event.
                    total = await self.api.count_events(conversation.id)
                    if total == known:
                        news = []
                    else:
                        news = await self._news_from_app(conversation, trajectory)
                        known = total
            except Problem:
                quiet = max(quiet + 1, 10)
                if agent and await self._moved(conversation):
                    yield None
                    return
                continue
            if news is None:
                yield None
                return
            quiet = 0 if news else quiet + 1
            if news:
                yield news

    async def _news_from_app(
        self, conversation: Conversation, trajectory: Trajectory
    ) -> list[Event] | None:
        """What the newest page has that is not held; None when more than a page may be missing."""
        page = await self.api.search_events(conversation.id, sort_order="TIMESTAMP_DESC")
        news = [e for e in reversed(page.items) if not trajectory.holds(e.id)]
        return None if page.next_page_id and len(news) == len(page.items) else news

    async def _moved(self, conversation: Conversation) -> Conversation | None:
        """The record of now, when an agent server stays silent because its sandbox is paused,
        gone, or back at another address or with another key; else None."""
        try:
            (now,) = await self.api.get_conversations([conversation.id])
        except Problem:
            return None
        moved = now is not None and any(
            getattr(now, name) != getattr(conversation, name)
            for name in ("sandbox_status", "conversation_url", "session_api_key")
        )
        return now if moved else None

    def _agent(self, conversation: Conversation) -> AgentServer | None:
        if conversation.sandbox_status != "RUNNING":
            return None
        return self.api.agent_server(conversation)

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
        return SandboxPlan(
            "", sandbox, inside, reason=f"the sandbox is {state}: wait, then press r"
        )

    async def carry_out(self, plan: SandboxPlan, *, stop_agents: bool) -> AsyncIterator[str]:
        assert plan.sandbox is not None
        sandbox_id = plan.sandbox.id
        wanted = "PAUSED" if plan.action == "pause" else "RUNNING"
        if stop_agents:
            for conversation in plan.running:
                agent = self._agent(conversation)
                if agent:
                    yield "agent stopping after this step"
                    await agent.pause()
                    yield "agent stopped"
        yield "sandbox pausing" if wanted == "PAUSED" else "sandbox resuming"
        failure: Problem | None = None
        try:
            if wanted == "PAUSED":
                await self.api.pause_sandbox(sandbox_id)
            else:
                await self.api.resume_sandbox(sandbox_id)
        except Problem as problem:
            failure = problem
        yield await self._settled(sandbox_id, wanted, failure)

    async def _settled(self, sandbox_id: str, wanted: str, failure: Problem | None) -> str:
        """The state re-read until it is as wanted: success of the call only means "asked", and
        its 404 only "it failed" (measured)."""
        loop = asyncio.get_running_loop()
        end = loop.time() + (SETTLE_SECONDS if failure is None else 0.0)
        wait = 0.1
        while True:
            try:
                (sandbox,) = await self.api.get_sandboxes([sandbox_id])
            except Problem as problem:
                raise failure or problem from problem
            status = sandbox.status if sandbox else "MISSING"
            if status == wanted:
                return "paused" if wanted == "PAUSED" else "running again"
            if status == "MISSING":
                raise Problem("The sandbox is gone", "its history stays readable")
            if loop.time() >= end:
                break
            await asyncio.sleep(wait)
            wait = min(wait * 2, 3.0)
        verb = "pause" if wanted == "PAUSED" else "resume"
        now = safe_line(status or "in no known state").lower()
        if failure is None:
            raise Problem(f"The server was asked to {verb} the sandbox, which is still {now}", "r")
        raise Problem(f"The server did not {verb} the sandbox; it is {now}", failure.sentence)

    def agents(self) -> Agents:
        from oh_tui.sources.acting import Agents

        return Agents(self.api)

    async def download(
        self, conversation: Conversation, folder: Path, progress: Callable[[int], None]
    ) -> Path:
        """The trajectory as a zip in `folder`; never overwrites, leaves nothing when it fails."""
        target = folder / download_name(conversation)
        with part_file(target) as (part, name):
            received = 0
            async with self.api.download(conversation.id) as chunks:
                async for chunk in chunks:
                    await asyncio.to_thread(part.write, chunk)
                    received += len(chunk)
                    progress(received)
            await asyncio.to_thread(finish_zip, part)
            return await asyncio.to_thread(publish, name, target)

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


_GIT_BYTE = re.compile(rb"[\\/]([23][0-7]{2})")


async def _older_from_agent(agent: AgentServer, trajectory: Trajectory) -> Page[Event] | None:
    """The page that ends at the oldest event held; None when the agent server does not answer or
    does not know that event."""
    if not trajectory.events:
        return None
    oldest = trajectory.events[0].id
    try:
        page = await agent.search_events(sort_order="TIMESTAMP_DESC", page_id=oldest, limit=PAGE)
    except Problem:
        return None
    return page if page.items and page.items[0].id == oldest else None


async def _news_from_agent(agent: AgentServer, trajectory: Trajectory) -> list[Event] | None:
    """The events after the last one that the agent server gave us; None when it does not know
    that one, which it does not say: it answers its first page instead (measured)."""
    news: list[Event] = []
    cursor = trajectory.events[-1].id if trajectory.events else None
    while True:
        page = await agent.search_events(page_id=cursor, limit=PAGE)
        items = page.items
        if cursor is not None:
            if not items or items[0].id != cursor:
                return None
            items = items[1:] if not news else items
        news += items
        if not page.next_page_id or page.next_page_id == cursor:
            return news
        cursor = page.next_page_id


def _with_held(events: list[Event], held: Trajectory | None, *, whole: bool) -> list[Event]:
    """The app server's events and, by their time, those held that it lacks. `events` that are
    not the whole run take in only what is no older than they are."""
    known = {event.id for event in events}
    kept = [event for event in held.events if event.id not in known] if held else []
    if not whole:
        since = events[0].timestamp if events else ""
        kept = [event for event in kept if event.timestamp >= since]
    return list(heapq.merge(events, kept, key=lambda event: event.timestamp)) if kept else events


def _lacking(conversation: Conversation, newest: Trajectory) -> str:
    """What the app server cannot show of how a run ended, "" for nothing."""
    if conversation.sandbox_status == "PAUSED" and newest.status == "running":
        return "sandbox paused while the agent worked: its last events may come after a resume"
    if newest.status == "error" and not any(e.kind in RUN_ERRORS for e in newest.events):
        return "the run ended in an error, and the server does not hold which"
    return ""
