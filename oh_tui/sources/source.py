"""The interface of a source: a server, files or this machine, as explorer and commands see it; and
what those of servers have in common."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, Self

from oh_tui.actions import automations, conversation_records, workspace
from oh_tui.catalog import status_cache
from oh_tui.conversation import Conversation

if TYPE_CHECKING:
    from pathlib import Path

    from oh_tui.actions.agent_actions import Agents
    from oh_tui.actions.automations import Automations
    from oh_tui.actions.conversation_records import Records
    from oh_tui.actions.sandboxes import ServerSandboxes
    from oh_tui.actions.workspace import Workspaces
    from oh_tui.api import AppServer, BareAgentServer
    from oh_tui.api.filters import ConversationFilters
    from oh_tui.api.models import Page
    from oh_tui.catalog.status_cache import LastKnown
    from oh_tui.sources.results import Cost, Loaded
    from oh_tui.sources.server_runs.loading import ServerRuns
    from oh_tui.text.problem import Problem
    from oh_tui.trajectory.model.events import Event
    from oh_tui.trajectory.model.trajectory import Trajectory


class Runs(Protocol):
    async def count_events(self, conversation: Conversation) -> tuple[int, str]:
        """The number of events, and the source of that number."""

    def load(
        self, conversation: Conversation, held: Trajectory | None = None, via: str = ""
    ) -> AsyncGenerator[Loaded, None]:
        """The newest events of a conversation, then all of them. Close it to cancel.

        `held` is what was read before, and `via` its source: its events are kept even if the source
        lacks them now. Yields nothing if a whole held run has nothing new.
        """

    def may_grow(self, conversation: Conversation) -> bool:
        """Whether new events may come, so that following the run makes sense."""

    def follow(
        self,
        conversation: Conversation,
        trajectory: Trajectory,
        via: str,
        report: Callable[[Problem | None], None],
    ) -> AsyncGenerator[list[Event] | None, None]:
        """The events after those of the trajectory, as they arrive.

        An empty list means that only data beside the events changed, such as `trajectory.stats`.
        None means that the run must be loaded again, and ends it. `report` is called with a problem
        when the source stops answering, and with None when it answers again.
        """

    async def peek(self, conversation: Conversation) -> Trajectory | None:
        """The end of a run, which shows its state, in one cheap call; None if there is none."""

    async def changed_paths(self, conversation: Conversation) -> Collection[str] | None:
        """The files changed with editor and patch calls; None if a server must be read."""

    async def keeps(self, conversation: Conversation) -> bool:
        """Whether the run is on this machine and loads at once."""

    async def cost(self, conversation: Conversation, trajectory: Trajectory) -> Cost: ...


class OfServer(Protocol):
    """A conversation, a sandbox: what a server of a list has."""

    @property
    def server(self) -> str: ...


class OneSource:
    """What sources have that are not made of several."""

    members: Mapping[str, Source] = {}
    away: Mapping[str, Problem | None] = {}

    def holder(self, _of: OfServer) -> Self:
        return self

    def watch(self, came: Callable[[], None]) -> None:
        """Never called: all that is asked comes with the answer."""


class Source(Protocol):
    """A source of conversations: their list, their runs, and None for what it cannot do."""

    label: str
    opening: str
    """Id of the conversation to open first; "" for the newest."""
    address: str
    """The address of the server, the key of the remembered states; "" without one."""
    remembered_as: str
    """The key under which order and columns are remembered: the address, or a word if there is
    none."""
    web: str
    """The address below which the web pages of conversations are; "" if they have none."""
    last_known: Mapping[str, LastKnown]
    """States known beforehand, by conversation id without dashes."""

    @property
    def members(self) -> Mapping[str, Source]:
        """Of several servers in one list each by its name; else none."""

    @property
    def away(self) -> Mapping[str, Problem | None]:
        """The names of the members that do not answer, and why; None: nothing came for long."""

    def watch(self, came: Callable[[], None]) -> None:
        """Has `came` called when a member answered for which nobody waited any more, or is late."""

    def holder(self, of: OfServer) -> Source:
        """The source that acts on a conversation or sandbox: the member that has it, else this."""

    @property
    def changes(self) -> bool:
        """Whether conversations come and change by themselves: the list must be read again."""

    @property
    def problems(self) -> Sequence[str]:
        """Sentences about parts of the source that could not be read."""

    @property
    def remarks(self) -> Sequence[str]:
        """Sentences in which a file says something about all its runs."""

    @property
    def runs(self) -> Runs: ...

    @property
    def remote(self) -> ServerRuns | None:
        """The same runs with what only a server offers: older pages, and downloads."""

    @property
    def agents(self) -> Agents | None:
        """The agents, to start, answer, stop and message."""

    @property
    def workspaces(self) -> Workspaces | None:
        """Where the agents work: the shell, files and git."""

    @property
    def sandboxes(self) -> ServerSandboxes | None:
        """The sandboxes, to pause and resume."""

    @property
    def automations(self) -> Automations | None:
        """What the server runs by itself, to look at, stop and switch."""

    @property
    def records(self) -> Records | None:
        """The records of the conversations, to rename and tag them."""

    async def close(self) -> None: ...

    def pages(self) -> AsyncIterator[Page[Conversation]]:
        """The conversations, newest first, one call per page."""

    def narrowed(self, filters: ConversationFilters) -> AsyncIterator[Page[Conversation]] | None:
        """Like `pages`, only what the source finds for this query; None if it cannot search."""

    async def newest(self) -> Page[Conversation]:
        """The first page again, in one call."""

    async def count(self) -> int | None:
        """The number of conversations including sub-conversations; None when unknown."""

    async def get(self, ids: Sequence[str]) -> list[Conversation | None]: ...


class SourceOfServer(OneSource):
    api: AppServer | BareAgentServer
    changes = True
    remarks: Sequence[str] = ()

    def __init__(
        self, label: str, opening: str, address: str, last_known: Mapping[str, LastKnown] | None
    ) -> None:
        self.label = label
        self.opening = opening
        self.address = address
        self.remembered_as = address or "demo"
        self.last_known = last_known or {}

    @cached_property
    def workspaces(self) -> Workspaces:
        return workspace.Workspaces(self.api)

    @cached_property
    def automations(self) -> Automations:
        return automations.Automations({"": self.api})

    @cached_property
    def records(self) -> Records:
        return conversation_records.Records(self.api)

    async def close(self) -> None:
        await self.api.aclose()

    async def count(self) -> int | None:
        return await self.api.count_conversations()

    async def get(self, ids: Sequence[str]) -> list[Conversation | None]:
        return await self.api.get_conversations(ids)


def last_known_states(source: Source, file: Path | None) -> status_cache.LastKnownStates:
    """What is remembered of the conversations of a source. Reads the file."""
    members = [*source.members.values()] or [source]
    known = {id: state for one in members for id, state in one.last_known.items()}
    first, *others = [one.address for one in members if one.address] or [""]

    def server_of(id: str) -> str:
        return source.holder(Conversation(id)).address

    return status_cache.LastKnownStates(
        first, file if first else None, known, others=others, server_of=server_of
    )
