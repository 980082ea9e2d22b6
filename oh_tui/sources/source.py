"""What the explorer and the commands know of a place that holds conversations."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation, Page
    from oh_tui.sources.agent_actions import Agents
    from oh_tui.sources.loading import ServerRuns
    from oh_tui.sources.remembered import Seen
    from oh_tui.sources.results import Cost, Loaded
    from oh_tui.sources.sandboxes import ServerSandboxes
    from oh_tui.trajectory.model.steps import Trajectory


class Runs(Protocol):
    """The runs of a place: their events."""

    async def count_events(self, conversation: Conversation) -> tuple[int, str]:
        """How many events there are, and who says so."""
        ...

    def load(
        self, conversation: Conversation, held: Trajectory | None = None, via: str = ""
    ) -> AsyncGenerator[Loaded, None]:
        """The events of a conversation, the newest first, then all; cancel by closing. `held` is
        what was read of it before, and `via` where from: no event of it gets lost because the
        source lacks it now. Gives nothing where nothing is new of a run that is held whole."""

    async def peek(self, conversation: Conversation) -> Trajectory | None:
        """The end of a run, for what it does now or how it ended: one cheap call, or None where
        it would not be one."""
        ...

    async def keeps(self, conversation: Conversation) -> bool:
        """Whether loading the run takes no more than a moment: it is kept on this machine."""
        ...

    async def cost(self, conversation: Conversation, trajectory: Trajectory) -> Cost:
        """What reading the events that are not held would take."""
        ...


class Source(Protocol):
    """A place that holds conversations: their list and their runs, and what else can be done
    there, each None where the place has no such thing."""

    label: str
    """Names the place in the header."""
    opening: str
    """Id of the conversation to show first; "" for the newest."""
    address: str
    """The address of its web pages, under which what is seen of its conversations is kept on the
    disk as well; "" when it has none."""
    remembered: Mapping[str, Seen]
    """What is known of its conversations beforehand, by id without dashes."""

    @property
    def problems(self) -> Sequence[str]:
        """What of the place could not be opened, in sentences."""
        ...

    @property
    def runs(self) -> Runs: ...

    @property
    def remote(self) -> ServerRuns | None:
        """What only the runs on a server have: older events by the page, what follows, and a
        download."""
        ...

    @property
    def agents(self) -> Agents | None:
        """The agents, to be answered, stopped and told something."""
        ...

    @property
    def sandboxes(self) -> ServerSandboxes | None:
        """The sandboxes, to be paused, resumed, started and worked in."""
        ...

    async def close(self) -> None: ...

    def pages(self) -> AsyncIterator[Page[Conversation]]:
        """The conversations, newest first, page by page; ask only for what is shown."""

    async def newest(self) -> Page[Conversation]:
        """The first page again: one call."""

    async def count(self) -> int | None:
        """How many conversations there are, sub-conversations too; None when not known."""

    async def get(self, ids: Sequence[str]) -> list[Conversation | None]: ...
