"""What contexts are made of: the tree of a growing run, the order of items in it, their texts; and
what the events do not tell of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from oh_tui.text.human import plural
from oh_tui.trajectory.context import sdk_messages
from oh_tui.trajectory.context.message_order import Items, Peeks
from oh_tui.trajectory.context.sdk_messages import Body
from oh_tui.trajectory.context.sdk_versions import SdkBehaviour, Writer
from oh_tui.trajectory.context.seen_events import Views
from oh_tui.trajectory.model.event_tree import NONE, Places, Tree
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import Trajectory


class Gap(NamedTuple):
    name: str
    """In a few words, the same in each run."""
    about: str
    """A sentence without a full stop."""


OWN_CONTEXT = Gap(
    "own context",
    "the agent keeps its context itself: the events have its calls, not what its model saw",
)
TOOLS = Gap("tool parameters", "the parameters of the tools are not in the events")
IMAGES = Gap("images", "the model gets images only if it can see, which the events do not tell")
NO_SYSTEM = Gap("system prompt", "no system prompt is in the events")
OLDER = Gap("older events", "events before the first that was read are missing")
CALLS_AS_TEXT = Gap("native tool calling", "the model got calls and their results as text")
CALLS_UNTOLD = Gap(
    "native tool calling", "whether the model got calls natively or as text is not in the events"
)


class _Llm(msgspec.Struct, gc=False):
    native_tool_calling: bool | None = None


class _Agent(msgspec.Struct, gc=False):
    kind: str | None = None
    llm: _Llm | None = None


class _State(msgspec.Struct, gc=False):
    agent: _Agent | None = None


class _Update(msgspec.Struct, gc=False):
    value: _State | None = None


_decode = msgspec.json.Decoder(_Update).decode


class Gaps:
    """Collects what a growing run does not tell."""

    def __init__(self) -> None:
        self._has_system = False
        self.keeps_own_context = False
        """The agent is another program, which the run talks to by the Agent Client Protocol."""
        self._is_native: bool | None = None
        self._unreadable = 0

    def take(self, event: Event) -> None:
        self._has_system |= event.is_system
        self.keeps_own_context |= event.is_reported
        self._unreadable += event.is_unreadable
        if event.key == "full_state":
            self._state(event)

    def _state(self, event: Event) -> None:
        try:
            state = _decode(event.raw()).value
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return
        agent = state.agent if state else None
        if agent is None:
            return
        self.keeps_own_context |= (agent.kind or "").startswith("ACP")
        if agent.llm is not None and agent.llm.native_tool_calling is not None:
            self._is_native = agent.llm.native_tool_calling

    def of_run(self, rules: SdkBehaviour, lost: int, *, is_complete: bool) -> list[Gap]:
        """Those of the whole run. `lost` events name a parent that is not before them."""
        if self.keeps_own_context:
            return [OWN_CONTEXT]
        found = []
        if not is_complete:
            found.append(OLDER)
        if not self._has_system:
            found.append(NO_SYSTEM)
        if lost:
            about = f"{plural(lost, 'event')} name a parent that is not before them: the event"
            found.append(Gap("parents", f"{about} before each is taken"))
        if self._unreadable:
            about = f"{plural(self._unreadable, 'event')} cannot be read, and may have been in it"
            found.append(Gap("unreadable events", about))
        found.append(TOOLS)
        if self._is_native is not True:
            found.append(CALLS_UNTOLD if self._is_native is None else CALLS_AS_TEXT)
        if not rules.is_sdk:
            found.append(Gap("format", rules.sentence))
        return found


class Look(NamedTuple):
    chars: int
    has_image: bool


class Texts:
    """Makes messages of items: places of events, and `~place` of a condensation's summary."""

    def __init__(self, events: Sequence[Event], rules: SdkBehaviour) -> None:
        self._events, self._rules = events, rules
        self._looks: dict[Items, Look] = {}

    def event(self, item: int) -> Event:
        """The event of an item, of a summary its condensation."""
        return self._events[item if item >= 0 else ~item]

    def dump(self, items: Items) -> Body:
        bodies = [self.event(item).body() for item in items]
        # the kind of the head: a body may have none
        kinds = [{"kind": self.event(item).kind} for item in items]
        return sdk_messages.message(
            [body | kind for body, kind in zip(bodies, kinds, strict=True)], self._rules
        )

    def look(self, items: Items) -> Look:
        if (known := self._looks.get(items)) is None:
            made = self.dump(items)
            known = Look(sdk_messages.size(made), sdk_messages.has_image(made))
            self._looks[items] = known
        return known


class Material:
    """Shared by all contexts of a run. Items are places of events, or `~place` of a condensation
    for its summary."""

    def __init__(self, run: Trajectory) -> None:
        self.run = run
        places = Places(run.events)
        self.tree = Tree(places)
        self.peeks = Peeks(run.events, places)
        self._writer = Writer(run.recorded.format)
        self._gaps = Gaps()
        self._firsts: dict[str, int] = {}
        """Response id -> place of the first call of the answer."""
        self._make(self._writer.rules)

    def _make(self, rules: SdkBehaviour) -> None:
        self.rules = rules
        self.views = Views(self.tree, self.peeks, rules, self._firsts)
        self.texts = Texts(self.run.events, rules)

    def update(self) -> None:
        events = self.run.events
        for place in range(len(self.tree.up), len(events)):
            event = events[place]
            self._writer.take(event)
            if event.is_action:
                self._firsts.setdefault(event.llm_response_id, place)
            elif not event.is_result:
                self._gaps.take(event)
        self.tree.extend(events)
        self._choose()

    def written_by(self, version: str) -> None:
        self._writer.told = version
        self._choose()

    def _choose(self) -> None:
        if self._writer.rules != self.rules:
            self._make(self._writer.rules)

    @property
    def keeps_own_context(self) -> bool:
        return self._gaps.keeps_own_context

    @property
    def gaps(self) -> list[Gap]:
        """What the events of the run do not tell of any context."""
        run = self.run
        return self._gaps.of_run(self.rules, self.tree.lost, is_complete=run.complete)

    def step(self, place: int) -> int:
        """The number of the step of an event; 0 for one without."""
        step = None if place == NONE else self.run.step_of(self.run.events[place].id)
        return step.number if step else 0

    def steps(self, items: Iterable[int]) -> set[int]:
        return {self.step(item if item >= 0 else ~item) for item in items} - {0}

    def stood_for(self, items: Items) -> set[int]:
        """What the summaries among the items stand for, and those among that."""
        found: set[int] = set()
        todo = [~item for item in items if item < 0]
        while todo:
            gone = self.views.taken_out(todo.pop())
            todo += [~item for item in gone if item < 0 and item not in found]
            found.update(gone)
        return found
