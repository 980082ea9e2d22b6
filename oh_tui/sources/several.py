"""Several servers as one source: one list of all their conversations, newest first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from msgspec.structs import replace

from oh_tui.actions import automations
from oh_tui.actions.sandboxes import SandboxPlan, SandboxStage, ServerSandboxes
from oh_tui.api.errors import NotFound, TimedOut
from oh_tui.api.models import Page, Sandbox, StartTask
from oh_tui.catalog.run_status import updated
from oh_tui.conversation import Conversation, bare_id
from oh_tui.sources.members import PATIENCE, Members, Server
from oh_tui.sources.server_runs.loading import ServerRuns
from oh_tui.sources.source import OfServer, Source
from oh_tui.text.problem import Problem

if TYPE_CHECKING:
    from oh_tui.actions.agent_actions import Agents
    from oh_tui.actions.conversation_records import Records
    from oh_tui.actions.workspace import Workspaces
    from oh_tui.api.filters import ConversationFilters
    from oh_tui.catalog.status_cache import LastKnown

Pages: TypeAlias = AsyncIterator[Page[Conversation]]

LOST = "ownership_lost"
"""The runtime status of a conversation that another server over the same folder holds."""


class HeldElsewhere(NotFound):
    """A server refused an act, as another one holds the conversation. Nothing was done."""


class _Feed:
    """The pages of one server, and the rows of its last page that were not handed out yet."""

    def __init__(self) -> None:
        self.of: Server | None = None
        self.pages: Pages
        self.rows: list[Conversation] = []
        self.is_over = False

    def take(self, page: Page[Conversation] | None) -> None:
        self.is_over = page is None or not page.next_page_id
        self.rows = sorted(page.items if page else (), key=updated, reverse=True)

    def until(self, horizon: float) -> list[Conversation]:
        """Its rows that changed then or later, handed out."""
        found = [one for one in self.rows if updated(one) >= horizon]
        self.rows = self.rows[len(found) :]
        return found


class RunsOfHolders:
    """The `ServerRuns` of several servers: each call goes to the one that has its conversation."""

    by_pages = True
    gives_zips = True
    cache = None

    def __init__(self, several: Several) -> None:
        self._several = several

    def now(self, here: float) -> float:
        return here

    def __getattr__(self, name: str) -> Any:
        """A method. What else a server has, such as its `api`, is that of its holder alone."""
        if not callable(getattr(ServerRuns, name, None)):
            raise AttributeError(f"several servers have no {name} in common: ask the holder")

        def call(conversation: Conversation, *words: Any, **options: Any) -> Any:
            runs = self._several.holder(conversation).runs
            return getattr(runs, name)(conversation, *words, **options)

        return call


class SandboxesOfSeveral(ServerSandboxes):
    """Each is told, paused and resumed by its own server."""

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
                source = self._servers.members.get(one.server)
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
        for name, source in self._servers.members.items():
            own = [plan for plan in plans if plan.sandbox and plan.sandbox.server == name]
            if own and source.sandboxes:
                found += await source.sandboxes.displaced(*own)
        return found

    async def started(self, identifier: str) -> StartTask | None:
        async def ask(source: Server) -> StartTask | None:
            return await source.sandboxes.started(identifier) if source.sandboxes else None

        answers = await self._servers.ask(("started", identifier), ask)
        return next((one for one in answers.values() if one), None)


class Several(Members):
    """Of conversations with one id on two servers, as of two over one folder, it lists that of the
    server that holds it."""

    changes = True
    remarks: Sequence[str] = ()
    opening = address = ""
    remembered_as = "several"
    last_known: Mapping[str, LastKnown] = {}

    def __init__(self, opened: Mapping[str, Source | Problem], grace: float | None = None) -> None:
        """See `Members`. Raises Problem if none could be opened."""
        super().__init__(opened, grace)
        self.label = ", ".join(opened)
        self._known: dict[str, dict[str, Conversation]] = {}
        """By id: the last record from each server that has it."""
        self._refused: set[tuple[str, str]] = set()
        """Id and server where an act was refused, as another one holds the conversation."""
        if not self.members:
            raise next(one for one in opened.values() if isinstance(one, Problem))
        self.web = next((one.web for one in self.members.values() if one.web), "")
        self.runs = self.remote = cast("ServerRuns", RunsOfHolders(self))
        self.automations = automations.Automations(self.apis)
        self._sandboxes = SandboxesOfSeveral(self)

    @property
    def problems(self) -> Sequence[str]:
        away = []
        for name, problem in self.away.items():
            why = problem.sentence if problem else "it does not answer"
            why = why.partition(": ")[2] or why if why.startswith("Could not ") else why
            away.append(f"{name} is missing: {why}")
        return [*away, *(told for one in self.members.values() for told in one.problems)]

    # What one server does. Of the source as a whole these say that it can be done at all.

    def holder(self, of: OfServer) -> Server:
        name = of.server
        if isinstance(of, Conversation) and (on := self._known.get(bare_id(of.id))):
            name = self._chosen(on).server
        return self.members.get(name) or next(iter(self.members.values()))

    @property
    def agents(self) -> Agents:
        return next(iter(self.members.values())).agents

    @property
    def workspaces(self) -> Workspaces:
        return next(iter(self.members.values())).workspaces

    @property
    def records(self) -> Records:
        return next(iter(self.members.values())).records

    @property
    def sandboxes(self) -> ServerSandboxes | None:
        return self._sandboxes if any(one.sandboxes for one in self.members.values()) else None

    # The lists

    async def newest(self) -> Page[Conversation]:
        pages = await self.ask("newest", lambda source: source.newest(), tells=True)
        if not pages:
            raise self.why_none()
        rows = [one for page in pages.values() for one in page.items]
        has_more = any(page.next_page_id for page in pages.values())
        return Page(self._taken(rows), "more" if has_more else None)

    def pages(self) -> Pages:
        return self._merged(lambda source: source.pages())

    def narrowed(self, filters: ConversationFilters) -> Pages:
        return self._merged(lambda source: source.narrowed(filters) or source.pages())

    async def _merged(self, pages_of: Callable[[Server], Pages]) -> Pages:
        """Newest first: of each server a page is read when the rows of its last one are used up. A
        server that fails, or that alone is left and does not answer, is left out."""
        listing = object()
        feeds = {name: _Feed() for name in self.members}
        is_first = True

        async def next_page(source: Server) -> Page[Conversation] | None:
            feed = feeds[source.api.name]
            if feed.of is not source:
                feed.of, feed.pages = source, pages_of(source)
            return await anext(feed.pages, None)

        while feeds:
            empty = [name for name, feed in feeds.items() if not feed.rows]
            pages = await self.ask(listing, next_page, empty, tells=True)
            if is_first and not pages:
                raise self.why_none()
            for name, page in pages.items():
                feeds[name].take(page)
            is_idle = not pages and len(empty) == len(feeds)
            for name in empty:
                member = self.each[name]
                if name not in pages and (is_idle or listing not in member.calls):
                    del feeds[name]
                    if is_idle and listing in member.calls:
                        member.drop(listing)
                        member.problem = member.problem or TimedOut("it does not answer")
            open_ends = (one.rows[-1] for one in feeds.values() if one.rows and not one.is_over)
            horizon = max(map(updated, open_ends), default=-inf)
            rows = [row for feed in feeds.values() for row in feed.until(horizon)]
            for name in [name for name, one in feeds.items() if one.is_over and not one.rows]:
                del feeds[name]
            is_first = False
            is_cut = any(page and page.is_cut for page in pages.values())
            yield Page(self._taken(rows), "more" if feeds else None, is_cut=is_cut)

    def _taken(self, rows: Iterable[Conversation]) -> list[Conversation]:
        """The rows to list, newest first."""
        found: dict[str, dict[str, Conversation]] = {}
        for one in rows:
            found[bare_id(one.id)] = on = self._known.setdefault(bare_id(one.id), {})
            on[one.server] = one
        return sorted(map(self._chosen, found.values()), key=updated, reverse=True)

    def _chosen(self, on: Mapping[str, Conversation]) -> Conversation:
        """Of the records of one id that of the server that holds it."""
        if len(on) == 1:
            return next(iter(on.values()))
        order, away = [*self.each], self.away

        def rank(one: Conversation) -> tuple[bool, bool, int]:
            lost = one.runtime_status == LOST or (bare_id(one.id), one.server) in self._refused
            return lost, one.server in away, order.index(one.server)

        return min(on.values(), key=rank)

    def refused(self, name: str, refused: NotFound) -> None:
        """An act was refused, so that nothing was done: from now on those on its conversation go to
        another server that lists it. Raises HeldElsewhere, which names it."""
        path = bare_id(refused.address)
        for id, on in self._known.items():
            if len(on) > 1 and name in on and f"/{id}" in path:
                self._refused.add((id, name))
                other = self._chosen(on).server
                self.came()
                if other != name:
                    raise HeldElsewhere(
                        f"{name} lists this conversation, but does not hold it: nothing was done",
                        f"do it again: it goes to {other}",
                        status=refused.status,
                        address=refused.address,
                    ) from refused

    async def count(self) -> int | None:
        """None unless all tell, and if two servers have the same conversations."""
        counts = await self.ask("count", lambda source: source.count())
        known = [one for one in counts.values() if one is not None]
        twins = any(len(on) > 1 for on in self._known.values())
        return None if twins or len(known) < len(self.each) else sum(known)

    async def get(self, ids: Sequence[str]) -> list[Conversation | None]:
        """One of a server that does not answer is as it was last known."""
        wanted: dict[str, list[str]] = {}
        is_new = False
        for one in ids:
            on = self._known.get(bare_id(one))
            is_new = is_new or not on
            for name in (self._chosen(on).server,) if on else self.members:
                wanted.setdefault(name, []).append(one)
        call = object()
        answers = await self.ask(
            call,
            lambda source: source.get(wanted[source.api.name]),
            wanted,
            grace=PATIENCE if is_new else None,
            enough=lambda rows: len(rows) == len(ids) and None not in rows,
        )
        for member in self.each.values():
            if call in member.calls:
                member.drop(call)
        for name, found in answers.items():
            for id, row in zip(map(bare_id, wanted[name]), found, strict=True):
                on = self._known.pop(id, {})
                on.pop(name, None)
                if row:
                    on[name] = row
                if on:
                    self._known[id] = on
        return [self._chosen(on) if (on := self._known.get(bare_id(one))) else None for one in ids]
