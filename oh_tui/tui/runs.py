"""Runs read in this session, so that coming back is instant and restores the place."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

import msgspec

from oh_tui.api.models import Conversation, bare_id
from oh_tui.sources.results import DOWNLOAD_LIMIT, PAGE, Loaded
from oh_tui.trajectory.analysis.study import Study
from oh_tui.trajectory.analysis.verdict import judge
from oh_tui.trajectory.model.steps import Trajectory, find_step

KEPT = 8


class Run(msgspec.Struct):
    """A run as far as it is read, and where the reader was in it."""

    conversation: Conversation
    trajectory: Trajectory
    via: str
    note: str = ""
    event_id: str = ""
    study: Study | None = None
    """Of this trajectory, once it was made."""

    def is_still(self, conversation: Conversation) -> bool:
        """Whether what was read is all there is: nothing runs and the record has not changed."""
        before = self.conversation
        return (
            self.trajectory.complete
            and conversation.sandbox_status == before.sandbox_status
            and conversation.sandbox_status != "RUNNING"
            and conversation.updated_at == before.updated_at
        )

    @property
    def is_dear(self) -> bool:
        """Whether it was read page by page, which nobody should have to wait for twice."""
        return self.via == "app server" and (
            len(self.trajectory.events) > (DOWNLOAD_LIMIT if self.trajectory.complete else PAGE)
        )

    def has_more_than(self, loaded: Loaded) -> bool:
        """Whether newest events bring nothing while more of the run is held; what is new in a run
        that is held whole comes with the rest of it, if that follows."""
        held, newest = self.trajectory, loaded.trajectory
        assert newest is not None
        if newest.complete or len(newest.events) > len(held.events):
            return False
        if held.complete and loaded.more:
            return True
        return all(held.holds(event.id) for event in newest.events)


class News:
    """Wakes all that wait for the next ring."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def ring(self) -> None:
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self) -> None:
        await self._next.wait()


class Runs:
    """The runs read lately, by conversation."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, Run] = OrderedDict()

    def get(self, conversation_id: str) -> Run | None:
        return self._runs.get(bare_id(conversation_id))

    def take(self, conversation: Conversation, loaded: Loaded) -> Run:
        """Keep a trajectory that came; the reader's place stays."""
        assert loaded.trajectory is not None
        name = bare_id(conversation.id)
        before = self._runs.get(name)
        run = Run(conversation, loaded.trajectory, loaded.via, loaded.note)
        if before:
            run.event_id = before.event_id
        self._runs[name] = run
        self._runs.move_to_end(name)
        if len(self._runs) > KEPT:
            others = ((held, other) for held, other in self._runs.items() if other is not run)
            cheap = (held for held, other in others if not other.is_dear)
            del self._runs[next(cheap, next(iter(self._runs)))]
        return run


def landing(trajectory: Trajectory, place: str) -> int:
    """The index of the step where the cursor lands: at `place` if there is such, else where the
    verdict points, else on the last step."""
    found = find_step(trajectory, place) if place else None
    if found is not None:
        return found
    number = judge(trajectory).landing or len(trajectory)
    return max(0, min(number, len(trajectory)) - 1)


def why_empty(run: Run) -> tuple[str, ...]:
    """What stands in the place of steps when there are none."""
    conversation = run.conversation
    if run.via == "file":
        return ("no events", run.note or "the file has none")
    if conversation.sandbox_status == "STARTING":
        return ("the sandbox is starting", "events appear here as they come")
    if conversation.execution_status == "idle":
        return ("nothing was asked yet", "the first message appears here as it comes")
    return ("no events", "the server keeps none for this conversation")
