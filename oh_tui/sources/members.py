"""The servers of a list, asked at once: none waits for another.

A list of 50 conversations comes after 5 to 30 ms, from a server that draws a traceback after 5 to
22 s; a closed port refuses within 4 ms (measured).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from oh_tui.api.errors import NotFound, OtherKind, TimedOut
from oh_tui.sources import server
from oh_tui.sources.source import Source, SourceOfServer
from oh_tui.text.problem import Problem

if TYPE_CHECKING:
    from oh_tui.api import AppServer, BareAgentServer
    from oh_tui.sources.agent_server import AgentServerSource
    from oh_tui.sources.server import ServerSource

T = TypeVar("T")
Server: TypeAlias = "ServerSource | AgentServerSource"
Ask: TypeAlias = Callable[[Server], Awaitable[T]]

LATE = 5.0
"""Seconds after which a server that was asked counts as not answering, until it answers."""

SOON = 0.3
"""Seconds for the others once enough has come: of two over one folder both answer at once."""

PATIENCE = 10.0
"""Seconds that all together may take."""


class Member:
    """One server of the list."""

    def __init__(self, name: str, opened: Source | Problem, list_of: Members) -> None:
        """A Problem stands for one that could not be opened, such as one without its key."""
        self.name, self._list = name, list_of
        self.source: Server | None = None
        self.problem: Problem | None = None
        """Why its list could not be read when that was last tried."""
        self.calls: dict[object, asyncio.Task[Any]] = {}
        """By what they ask: those under way, and those that ended when nobody waited any more."""
        self.began: dict[object, float] = {}
        """When each call was begun, by the clock of the loop."""
        self._late: set[object] = set()
        if isinstance(opened, SourceOfServer):
            self._use(cast("Server", opened))
        elif isinstance(opened, Problem):
            self.problem = opened
        else:
            told = f"what is there is a folder of runs: oh-tui --server {self.name} opens it"
            self.problem = Problem(told)

    def _use(self, source: Server) -> None:
        source.api.name = self.name
        self._list.apis[self.name] = source.api
        source.api.on_refused(partial(self._list.refused, self.name))
        self.source = source

    @property
    def is_away(self) -> bool:
        return self.problem is not None or bool(self._late & self.calls.keys())

    def ask(self, what: object, ask: Ask[Any], *, tells: bool) -> asyncio.Task[Any]:
        """The call under way, or not yet taken; else a new one."""
        if what not in self.calls:
            call = self.calls[what] = asyncio.create_task(self._answer(ask))
            call.add_done_callback(self._list.has_come)
            loop = asyncio.get_running_loop()
            self.began[what] = loop.time()
            if tells:
                loop.call_later(LATE, self._look, what, call)
        return self.calls[what]

    async def _answer(self, ask: Ask[T]) -> T:
        """Asks the server, which may turn out to be of another kind."""
        assert self.source is not None
        former = self.source
        try:
            return await ask(former)
        except OtherKind as told:
            if self.source is former:
                self._use(server.of_other_kind(former, told)())
                await former.close()
            return await ask(self.source)

    def _look(self, what: object, call: asyncio.Task[Any]) -> None:
        if self.calls.get(what) is call and not call.done():
            self._late.add(what)
            self._list.came()

    def take(self, what: object, call: asyncio.Task[Any], *, tells: bool) -> list[Any]:
        """What a call brought, which all get who waited for it; nothing of one that failed or goes
        on. Its failure counts for the server if it `tells`."""
        if not call.done() or call.cancelled():
            return []
        if self.calls.get(what) is call:
            self.drop(what)
        problem = call.exception()
        if problem is not None and not isinstance(problem, Problem):
            raise problem
        if tells:
            self.problem = problem
        return [] if problem else [call.result()]

    def drop(self, what: object) -> None:
        self._late.discard(what)
        del self.began[what]
        call = self.calls.pop(what)
        if not call.done():
            call.cancel()


class Members:
    def __init__(self, opened: Mapping[str, Source | Problem], grace: float | None = None) -> None:
        """Servers by their names; when the first has answered, others have `grace` seconds."""
        self._grace = PATIENCE if grace is None else grace
        self.came: Callable[[], None] = lambda: None
        """Called when an answer has come for which nobody waited any more, or is late."""
        self._awaited = set[asyncio.Task[Any]]()
        self.apis: dict[str, AppServer | BareAgentServer] = {}
        self.each = {name: Member(name, one, self) for name, one in opened.items()}

    @property
    def members(self) -> Mapping[str, Server]:
        """Those that could be opened."""
        return {name: one.source for name, one in self.each.items() if one.source}

    @property
    def away(self) -> Mapping[str, Problem | None]:
        return {name: one.problem for name, one in self.each.items() if one.is_away}

    def watch(self, came: Callable[[], None]) -> None:
        self.came = came

    def refused(self, name: str, refused: NotFound) -> None:
        """A server refused an act: see `HttpClient.refused`."""

    async def close(self) -> None:
        for member in self.each.values():
            for what in [*member.calls]:
                member.drop(what)
        await asyncio.gather(*(one.close() for one in self.members.values()))

    def has_come(self, call: asyncio.Task[Any]) -> None:
        if call not in self._awaited and not call.cancelled():
            self.came()

    async def ask(
        self,
        what: object,
        ask: Ask[T],
        of: Iterable[str] | None = None,
        *,
        grace: float | None = None,
        tells: bool = False,
        enough: Callable[[T], bool] = lambda _: False,
    ) -> dict[str, T]:
        """What the servers answered in time, by their names; an answer that is `enough` leaves the
        others little. Who is late is neither asked again nor waited for, unless there is nobody
        else: the answer is taken by who asks next. One that is away is asked only for what
        `tells`."""
        members = [
            one
            for one in self.each.values()
            if one.source and (of is None or one.name in of) and (tells or not one.is_away)
        ]
        loop = asyncio.get_running_loop()
        late = {one.calls[what] for one in members if what in one.calls}
        asked = {one: one.ask(what, ask, tells=tells) for one in members}
        calls = {*asked.values()}
        end = PATIENCE + (max(one.began[what] for one in members) if members else 0)
        self._awaited |= calls
        left = calls - late or calls
        try:
            while left and (seconds := end - loop.time()) > 0:
                done, left = await asyncio.wait(
                    left, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
                )
                if came := [
                    one.result() for one in done if not one.cancelled() and not one.exception()
                ]:
                    seconds = self._grace if grace is None else grace
                    end = min(end, loop.time() + (SOON if any(map(enough, came)) else seconds))
        finally:
            self._awaited -= calls
        return {
            one.name: found
            for one, call in asked.items()
            for found in one.take(what, call, tells=tells)
        }

    def why_none(self) -> Problem:
        """Why no server answered."""
        problems = [one for one in self.away.values() if one]
        return problems[0] if problems else TimedOut(f"None of {', '.join(self.each)} answers")
