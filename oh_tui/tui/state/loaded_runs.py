"""Runs read in this session: coming back to one is instant and restores the cursor."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING

import msgspec

from oh_tui.api.paging import PAGE
from oh_tui.conversation import Conversation, bare_id
from oh_tui.sources.results import DOWNLOAD_LIMIT, Loaded
from oh_tui.trajectory.findings import verdict
from oh_tui.trajectory.model.branches import Branches, give_parents, lacks_parents
from oh_tui.trajectory.model.trajectory import ALL, Trajectory, find_step

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from oh_tui.trajectory.findings.study import Study
    from oh_tui.trajectory.model.steps import Step

KEPT = 8


class Run(msgspec.Struct):
    """A run as far as it is read, and where its cursor was."""

    conversation: Conversation
    branches: Branches
    via: str
    note: str = ""
    event_id: str = ""
    is_outdated: bool = False
    study: Study | None = None
    parents: Mapping[str, str] = {}
    """Event id -> the id of the one that it follows, where the events did not say it."""
    asked_at: int = 0
    """How many events there were when `parents` were read."""

    @property
    def whole(self) -> Trajectory:
        """All that is read: what its source goes on from."""
        return self.branches.run

    @property
    def trajectory(self) -> Trajectory:
        """What is shown of it: one of its branches, where it has several."""
        return self.branches.shown

    @property
    def shows_active(self) -> bool:
        """Whether the verdict on what is shown is that on the run."""
        branch = self.trajectory.branch
        return branch is None or branch.number in (ALL, branch.active)

    def choose_branch_of(self, event: str) -> bool:
        """Show the branch with this event (or start of an id). False if shown, or without one."""
        if self.whole.branch is None or not event or event.isdecimal():
            return False
        step = find_step(self.whole, event)
        if step is None or find_step(self.trajectory, event) is not None:
            return False
        self.branches.choose(self.branches.holding(self.whole.steps[step].event.id))
        return True

    def beside(self, events: Iterable[str]) -> list[Step]:
        """The steps of other branches that have these events."""
        if self.trajectory is self.whole:
            return []
        absent = (event for event in events if self.trajectory.step_of(event) is None)
        return [step for event in absent if (step := self.whole.step_of(event))]

    @property
    def wants_parents(self) -> bool:
        """Whether events that came since the last reading do not say what they follow."""
        events = self.whole.events
        return len(events) > self.asked_at and lacks_parents(events)

    def take_parents(self, parents: Mapping[str, str]) -> None:
        """Tell the branches anew, with what the events did not say."""
        self.parents, self.asked_at = parents, len(self.whole.events)
        before = self.trajectory
        give_parents(self.whole.events, parents)
        self.branches = Branches(self.whole, self.branches.wanted)
        if self.trajectory is not before:
            self.study = None

    def is_still(self, conversation: Conversation) -> bool:
        """Whether it is up to date: complete, not running, and the record has not changed."""
        before = self.conversation
        return (
            self.whole.complete
            and not self.is_outdated
            and conversation.sandbox_status == before.sandbox_status
            and conversation.sandbox_status != "RUNNING"
            and conversation.updated_at == before.updated_at
            and conversation.version == before.version
        )

    @property
    def is_expensive(self) -> bool:
        """Whether it was read page by page, which takes too long to do it twice."""
        return self.via == "app server" and (
            len(self.whole.events) > (DOWNLOAD_LIMIT if self.whole.complete else PAGE)
        )

    @property
    def resting(self) -> int:
        """The index of the step where the cursor was, else where it starts."""
        step = self.trajectory.step_of(self.event_id)
        return step.number - 1 if step else landing(self.trajectory, "")

    def has_more_than(self, loaded: Loaded) -> bool:
        """Whether `loaded` brings nothing new and holds less. If the rest follows (`more`), new
        events of a complete run come with it."""
        held, newest = self.whole, loaded.trajectory
        assert newest is not None
        if newest.complete or len(newest.events) > len(held.events):
            return False
        if held.complete and loaded.more:
            return True
        return all(held.holds(event.id) for event in newest.events)


class Signal:
    """Wakes everything that waits for it."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def ring(self) -> None:
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self) -> None:
        await self._next.wait()


class Runs:
    """The runs read last, by conversation."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, Run] = OrderedDict()

    def get(self, conversation_id: str) -> Run | None:
        return self._runs.get(bare_id(conversation_id))

    def all(self) -> list[Run]:
        return list(self._runs.values())

    def take(self, conversation: Conversation, loaded: Loaded) -> Run:
        """Keep a loaded trajectory; the cursor of the run stays, and the branch that was chosen."""
        assert loaded.trajectory is not None
        name = bare_id(conversation.id)
        before = self._runs.get(name)
        wanted = before.branches.wanted if before else None
        if before:
            give_parents(loaded.trajectory.events, before.parents)
        run = Run(conversation, Branches(loaded.trajectory, wanted), loaded.via, loaded.note)
        if before:
            run.event_id = before.event_id
            run.parents, run.asked_at = before.parents, before.asked_at
        self._runs[name] = run
        self._runs.move_to_end(name)
        if len(self._runs) > KEPT:
            others = ((held, other) for held, other in self._runs.items() if other is not run)
            cheap = (held for held, other in others if not other.is_expensive)
            del self._runs[next(cheap, next(iter(self._runs)))]
        return run


def beside_words(steps: Sequence[Step]) -> str:
    """How many there are on other branches; "" for none."""
    if len(steps) == 1:
        return "1 more on another branch"
    return f"{len(steps):,} more on other branches" if steps else ""


def landing(trajectory: Trajectory, place: str) -> int:
    """The index of the step where the cursor starts: `place`, the verdict's, or the last."""
    found = find_step(trajectory, place) if place else None
    if found is not None:
        return found
    number = verdict.judge(trajectory).landing or len(trajectory)
    return max(0, min(number, len(trajectory)) - 1)


def why_empty(run: Run) -> tuple[str, ...]:
    """Lines shown in place of steps when there are none."""
    conversation = run.conversation
    if run.via == "file":
        return ("no events", run.note or "the file has none")
    if conversation.sandbox_status == "STARTING":
        return ("the sandbox is starting", "events appear here as they come")
    if conversation.execution_status == "idle":
        return ("nothing was asked yet", "the first message appears here as it comes")
    return ("no events", "the server keeps none for this conversation")
