"""The state of the demo: its conversations and sandboxes as they are now, and what was changed."""

from __future__ import annotations

import time
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from oh_tui.demo.catalog import (
    BOXES,
    ENTRIES,
    RUNNING_LIMIT,
    STARTING_TAKES,
    Entry,
    sandbox_id,
)
from oh_tui.demo.meter import combined
from oh_tui.demo.recorder import Act, Halts, Stored, fixed_uuid, hear_later
from oh_tui.demo.replies import play
from oh_tui.demo.run import Run

PAUSE_TAKES = 0.4
RESUME_TAKES = 0.8
"""Seconds until a sandbox shows the state it was asked for."""

INSTANT = 0.2
"""Seconds within which what a visitor did to a run is done."""


class Clock:
    """The time in the demo. Given a `now` it stands still until `advance`; otherwise it runs."""

    def __init__(self, now: datetime | None) -> None:
        self.start = (now or datetime.now(UTC)).timestamp()
        self._runs = now is None
        self._began = time.monotonic()
        self._advanced = 0.0

    def advance(self, seconds: float) -> None:
        self._advanced += seconds

    def now(self) -> float:
        """Seconds since 1970, no finer than the servers show: they compare what they show."""
        passed = time.monotonic() - self._began if self._runs else 0.0
        return round(self.start + passed + self._advanced, 6)

    def ticks(self) -> float:
        """Seconds that pass even when the clock stands still: for what a call takes."""
        return time.monotonic() + self._advanced


Built = tuple[list[Stored], list[Stored], Run]
"""Events in the order of the agent server, of the app server, and the run that made them."""


@dataclass(slots=True)
class Sandbox:
    slug: str
    status: str
    created: float
    port: int
    ready_at: float | None = None
    """When a STARTING one is RUNNING by itself."""
    asked: tuple[str, float] | None = None
    """The state it was asked for, and the tick at which it has it."""
    frozen_at: float | None = None
    keys: int = 1
    """How many session keys it had: each resume makes a new one."""

    @property
    def id(self) -> str:
        return sandbox_id(self.slug)

    @property
    def key(self) -> str:
        return f"demo-{fixed_uuid('key', self.slug, self.keys).hex}"


@dataclass(slots=True)
class Conversation:
    entry: Entry
    created: float
    sandbox: Sandbox | None
    halts: Halts = field(default_factory=Halts)
    title: str | None = None
    shown: float = 0.0
    """Up to when all that the agent did can be seen, even if the clock is not there yet."""
    heard: float = 0.0
    """The same for the app server, which else hears of it later."""
    built: Built | None = None

    def __post_init__(self) -> None:
        self.title = self.entry.title

    @property
    def live(self) -> bool:
        """Part of its events may lie in the future."""
        return self.entry.live or bool(self.halts.acts)


class World:
    def __init__(self, now: datetime | None, entries: tuple[Entry, ...]) -> None:
        self.clock = Clock(now)
        self.has_processes = False
        """Sandboxes are processes: each works in a folder of its own that is told as "."."""
        start = self.clock.start
        self.sandboxes = {
            box.slug: Sandbox(box.slug, box.status, start - box.age, 8_000 + number)
            for number, box in enumerate(BOXES)
            if any(entry.sandbox == box.slug for entry in entries)
        }
        for sandbox in self.sandboxes.values():
            if sandbox.status == "STARTING":
                sandbox.ready_at = start + STARTING_TAKES
            if sandbox.status == "PAUSED":
                sandbox.frozen_at = start
        self.conversations = {
            entry.id: Conversation(entry, start - entry.age, self.sandboxes.get(entry.sandbox))
            for entry in entries
        }

    def add(self, conversation: Conversation) -> Conversation:
        self.conversations[conversation.entry.id] = conversation
        return conversation

    # sandboxes ------------------------------------------------------------------------------

    def new_sandbox(self, slug: str, boots: float) -> Sandbox:
        """One that is RUNNING after so many seconds; above the limit the oldest is paused."""
        self._make_room()
        now = self.clock.now()
        port = max((box.port for box in self.sandboxes.values()), default=8_000) + 1
        box = Sandbox(slug, "STARTING", now, port, ready_at=now + boots)
        self.sandboxes[slug] = box
        return box

    def sandbox(self, identifier: str) -> Sandbox | None:
        return next((box for box in self.sandboxes.values() if box.id == identifier), None)

    def status(self, sandbox: Sandbox | None) -> str:
        """The status now, after what has come of earlier requests."""
        if sandbox is None:
            return "MISSING"
        if sandbox.ready_at is not None and self.clock.now() >= sandbox.ready_at:
            sandbox.status, sandbox.ready_at = "RUNNING", None
        if sandbox.asked and self.clock.ticks() >= sandbox.asked[1]:
            sandbox.status, sandbox.asked = sandbox.asked[0], None
            if sandbox.status == "RUNNING":
                self._thaw(sandbox)
        return sandbox.status

    def pause(self, identifier: str) -> bool:
        """Ask a sandbox to pause; False when it is not there or cannot."""
        sandbox = self.sandbox(identifier)
        status = self.status(sandbox)
        if sandbox is None or status not in ("RUNNING", "PAUSED"):
            return False
        if status == "RUNNING" and sandbox.frozen_at is None:
            # not before what is shown of it: that has happened
            sandbox.frozen_at = max([self.clock.now(), *(c.shown for c in self._inside(sandbox))])
            sandbox.asked = ("PAUSED", self.clock.ticks() + PAUSE_TAKES)
        return True

    def resume(self, identifier: str) -> bool:
        """Ask a sandbox to go on. Above the limit the oldest that is up is paused, unannounced."""
        sandbox = self.sandbox(identifier)
        status = self.status(sandbox)
        if sandbox is None or status not in ("RUNNING", "PAUSED", "STARTING"):
            return False
        if status != "PAUSED":
            return True
        self._make_room()
        sandbox.status, sandbox.keys = "STARTING", sandbox.keys + 1
        sandbox.asked = ("RUNNING", self.clock.ticks() + RESUME_TAKES)
        return True

    def is_frozen(self, conversation: Conversation) -> bool:
        """Whether nothing happens in its sandbox, though that may not show as paused yet."""
        box = conversation.sandbox
        self.status(box)
        return box is not None and box.frozen_at is not None

    def _make_room(self) -> None:
        up = [box for box in self.sandboxes.values() if self.status(box) in ("RUNNING", "STARTING")]
        if len(up) >= RUNNING_LIMIT:
            running = [box for box in up if box.status == "RUNNING" and box.asked is None]
            if running:
                self.pause(min(running, key=lambda box: box.created).id)

    def _thaw(self, sandbox: Sandbox) -> None:
        frozen, sandbox.frozen_at = sandbox.frozen_at, None
        if frozen is None:
            return
        for conversation in self._inside(sandbox):
            if conversation.live:
                conversation.halts.freezes.append((frozen, max(frozen, self.clock.now())))
                conversation.built = None

    def _inside(self, sandbox: Sandbox) -> list[Conversation]:
        return [one for one in self.conversations.values() if one.sandbox is sandbox]

    # conversations --------------------------------------------------------------------------

    def conversation(self, identifier: str) -> Conversation | None:
        return self.conversations.get(identifier.replace("-", "").lower())

    def agent_events(self, conversation: Conversation) -> list[Stored]:
        """What the agent server tells, in the order in which it was appended."""
        events, _, _ = self._build(conversation)
        if not conversation.live:
            return events
        until = max(self._until(conversation), conversation.shown)
        return events[: bisect_right(events, until, key=lambda e: e.at)]

    def app_events(self, conversation: Conversation) -> list[Stored]:
        """What the app server tells, by timestamp."""
        _, events, _ = self._build(conversation)
        if not conversation.live:
            return events
        until, heard = self._until(conversation), conversation.heard
        return [event for event in events if event.app_at <= until or event.at <= heard]

    def execution_status(self, conversation: Conversation) -> str | None:
        """None unless the sandbox runs, as on the real server."""
        if self.status(conversation.sandbox) != "RUNNING":
            return None
        if not conversation.live:
            return conversation.entry.status
        return str(self._last(conversation, "execution_status", "idle"))

    def metrics(self, conversation: Conversation) -> dict[str, Any]:
        """Cost and tokens of all usages together, as far as the app server has heard."""
        if not conversation.live:
            return dict(conversation.entry.metrics)
        return combined(self._last(conversation, "stats", {"usage_to_metrics": {}}))

    def updated(self, conversation: Conversation) -> float:
        if not conversation.live:
            return round(conversation.created + conversation.entry.lasted, 6)
        seen = self.agent_events(conversation)
        return round(max(conversation.created, seen[-1].at if seen else 0.0), 6)

    def stats(self, conversation: Conversation) -> dict[str, Any]:
        """With cost, latency and tokens of each answer, as the agent server's record has them."""
        run = self._build(conversation)[2]
        value = run.stats(lists=True)
        if conversation.live:
            last = self._last(conversation, "stats", {"usage_to_metrics": {}})["usage_to_metrics"]
            for name, metrics in value["usage_to_metrics"].items():
                heard = last.get(name, {})
                metrics.update(heard)
                self._cut(metrics, heard)
        return value

    def root(self, conversation: Conversation) -> str:
        """The folder that its agent works in."""
        return self._build(conversation)[2].root

    def files(self, conversation: Conversation) -> tuple[str, list[tuple[str, str]]]:
        """The folder that its agent works in, and the files that it left there."""
        run = self._build(conversation)[2]
        return run.root, list(getattr(run, "files", {}).items())

    # what visitors do -----------------------------------------------------------------------

    def act(
        self, conversation: Conversation, what: str, text: str = "", *, run: bool = False
    ) -> Act:
        """Do something to a run; `shows` tells when that shows."""
        if not conversation.live:
            there = self.agent_events(conversation)
            conversation.shown = max((event.at for event in there), default=0.0)
            conversation.heard = conversation.shown
        at = max(self.clock.now(), conversation.shown)
        waits = self.execution_status(conversation) == "running" and what in ("message", "stop")
        act = Act(at, what, text, run, waits)
        conversation.halts.acts.append(act)
        conversation.built = None
        return act

    def shows(self, conversation: Conversation, act: Act) -> float:
        """When something that was done shows: at the end of the present step if it waits for that,
        which another act may bring about, else at once."""
        if not act.waits:
            return act.at + INSTANT
        kind = "PauseEvent" if act.what == "stop" else "MessageEvent"
        events, _, _ = self._build(conversation)
        later = (event.at for event in events if event.at >= act.at and event.kind == kind)
        return min(later, default=events[-1].at if act.what == "stop" else act.at)

    def show(self, conversation: Conversation, at: float, *, anew: bool = False) -> None:
        """Let be seen what the agent did up to a time. With `anew` the app server hears of it and
        rebuilds the row, which makes the conversation look new (measured, of a stopped agent)."""
        conversation.shown = max(conversation.shown, at)
        if anew:
            conversation.heard = conversation.shown
            conversation.created = self.clock.now()

    def winds_up(self, conversation: Conversation) -> bool:
        """Whether an agent that does not seem to run is not done with it yet: it has only just
        begun to wait for the user, or was stopped while its model thought."""
        status, there = self.execution_status(conversation), self.agent_events(conversation)
        if status == "paused" and conversation.live:
            return len(there) < len(self._build(conversation)[0])
        if status != "waiting_for_confirmation":
            return False
        return there[-1].at <= self.clock.now() < there[-1].at + INSTANT

    def step_ends(self, conversation: Conversation) -> float:
        """When the step is over that an agent is in."""
        now, (events, _, _) = self.clock.now(), self._build(conversation)
        return min((event.at for event in events if event.at > now), default=now)

    # ----------------------------------------------------------------------------------------

    def _until(self, conversation: Conversation) -> float:
        box = conversation.sandbox
        now = self.clock.now()
        return now if box is None or box.frozen_at is None else min(now, box.frozen_at)

    def _build(self, conversation: Conversation) -> Built:
        self.status(conversation.sandbox)
        if conversation.built is None:
            entry = conversation.entry
            began = self.clock.start - entry.age + entry.delay
            conversation.built = (
                write_run(entry, began, conversation.halts)
                if conversation.live
                else _kept(entry, began)
            )
        return conversation.built

    def _last(self, conversation: Conversation, key: str, default: Any) -> Any:
        for event in reversed(self.agent_events(conversation)):
            if event.kind == "ConversationStateUpdateEvent":
                state = msgspec.json.decode(event.raw)
                if state["key"] == key:
                    return state["value"]
        return default

    @staticmethod
    def _cut(metrics: dict[str, Any], heard: dict[str, Any]) -> None:
        """Keep of the lists what belongs to the tokens told so far."""
        told = heard.get("accumulated_token_usage", {}).get("prompt_tokens", 0)
        count = total = 0
        for usage in metrics["token_usages"]:
            total += usage["prompt_tokens"]
            if total > told:
                break
            count += 1
        for name in ("costs", "response_latencies", "token_usages"):
            metrics[name] = metrics[name][:count]


def write_run(entry: Entry, began: float, halts: Halts | None = None) -> Built:
    """The events of a run that began at that time, as both servers keep them."""
    run = Run(entry.slug, datetime.fromtimestamp(began, UTC), entry.model, halts)
    play(run, entry.write)
    hear_later(run.events)
    agent = [event for event in run.events if not event.app_only]
    app = sorted(run.events, key=lambda event: event.timestamp)
    return agent, app, run


@lru_cache(len(ENTRIES))
def _kept(entry: Entry, began: float) -> Built:
    """The same of a run that is over and untouched: every demo of the same time tells the same."""
    return write_run(entry, began)
