"""World: the state of the demo's conversations and sandboxes, and what visitors change in it."""

from __future__ import annotations

import asyncio
import posixpath
from bisect import bisect_right
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from oh_tui.demo.catalog import BOXES, RUNNING_LIMIT, STARTING_TAKES, Entry
from oh_tui.demo.runs.meter import row_metrics
from oh_tui.demo.runs.recorder import Act, Interventions
from oh_tui.demo.runs.stored_events import StoredEvent, last_stats
from oh_tui.demo.state import Built, Clock, Conversation, Sandbox, cached_run, write_run

PAUSE_TAKES = 0.4
RESUME_TAKES = 0.8
"""Seconds until a sandbox reports the requested state."""

INSTANT = 0.2
"""Seconds that a visitor's act takes to show when it waits for nothing."""


_SHOWN_BY = {"stop": "PauseEvent", "message": "MessageEvent", "condense": "Condensation"}
"""What comes into the run when an act that waits for the step is done."""


class AgentVersion(StrEnum):
    """The agent servers that the demo can stand for; they differ as the real ones were measured."""

    OLD = "1.17.0"
    WHOLE = "1.30.0"
    """Its forks take all of a conversation."""
    USUAL = "1.34.0"
    CANVAS = "1.49.1"
    """The one that Canvas 1.20.0 pins. Held against the contract of worktrees alone."""
    NEW = "1.58.2"


class World:
    """The conversations and sandboxes of one demo, and its clock."""

    def __init__(self, now: datetime | None, entries: tuple[Entry, ...]) -> None:
        self.clock = Clock(now)
        self.agent_version = AgentVersion.USUAL
        """Of the agent servers in its sandboxes."""
        self.has_processes = False
        """Sandboxes are processes on the host: each works in its own folder, reported as "."."""
        self.has_git_token = True
        """The app server has a token of GitHub."""
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

    def delete(self, conversation: Conversation) -> None:
        """With its sandbox, if no other is in it."""
        box = self.conversations.pop(conversation.entry.id).sandbox
        if box is not None and not self.inside(box) and box.slug in self.sandboxes:
            del self.sandboxes[box.slug]

    def add(self, conversation: Conversation) -> Conversation:
        self.conversations[conversation.entry.id] = conversation
        return conversation

    # sandboxes ------------------------------------------------------------------------------

    def new_sandbox(self, slug: str, boots: float) -> Sandbox:
        """Start a sandbox, which takes `boots` seconds; above the limit the oldest is paused."""
        self._make_room()
        now = self.clock.now()
        port = max((box.port for box in self.sandboxes.values()), default=8_000) + 1
        box = Sandbox(slug, "STARTING", now, port, ready_at=now + boots)
        self.sandboxes[slug] = box
        return box

    def sandbox(self, identifier: str) -> Sandbox | None:
        return next((box for box in self.sandboxes.values() if box.id == identifier), None)

    def status(self, sandbox: Sandbox | None) -> str:
        """The status now, with earlier requests applied."""
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
        """Request a pause; False when the sandbox is unknown or cannot be paused."""
        sandbox = self.sandbox(identifier)
        status = self.status(sandbox)
        if sandbox is None or status not in ("RUNNING", "PAUSED"):
            return False
        if status == "RUNNING" and sandbox.frozen_at is None:
            # not earlier than what is already visible
            sandbox.frozen_at = max([self.clock.now(), *(c.shown for c in self.inside(sandbox))])
            sandbox.asked = ("PAUSED", self.clock.ticks() + PAUSE_TAKES)
        return True

    def resume(self, identifier: str) -> bool:
        """Request a resume. Above the limit the oldest that is up is paused without notice."""
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
        """Whether its sandbox is frozen, which its status may not show yet."""
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
        for conversation in self.inside(sandbox):
            if conversation.live:
                conversation.interventions.freezes.append((frozen, max(frozen, self.clock.now())))
                conversation.built = None

    def inside(self, sandbox: Sandbox) -> list[Conversation]:
        return [one for one in self.conversations.values() if one.sandbox is sandbox]

    # conversations --------------------------------------------------------------------------

    def conversation(self, identifier: str) -> Conversation | None:
        """The conversation with an id, with or without dashes."""
        return self.conversations.get(identifier.replace("-", "").lower())

    def row(self, identifier: str) -> Conversation | None:
        """The same, if the app server knows it."""
        found = self.conversation(identifier)
        return found if found and found.is_listed else None

    def agent_events(self, conversation: Conversation) -> list[StoredEvent]:
        """The agent server's events so far, in the order they were appended."""
        events, _, _ = self._build(conversation)
        if not conversation.live:
            return events
        until = max(self._until(conversation), conversation.shown)
        return events[: bisect_right(events, until, key=lambda e: e.appended_at)]

    def app_events(self, conversation: Conversation) -> list[StoredEvent]:
        """The app server's events so far, by timestamp."""
        _, events, _ = self._build(conversation)
        if not conversation.live:
            return events
        until, heard = self._until(conversation), conversation.heard
        return [
            event for event in events if event.delivered_at <= until or event.appended_at <= heard
        ]

    def execution_status(self, conversation: Conversation) -> str | None:
        """None unless the sandbox runs, as on the real server."""
        if self.status(conversation.sandbox) != "RUNNING":
            return None
        if not conversation.live:
            return conversation.entry.status
        status = str(self._last(conversation, "execution_status", "idle"))
        if status == "paused" and self.agent_version == AgentVersion.NEW:
            return "running" if self._has_more(conversation) else status
        return status

    def metrics(self, conversation: Conversation) -> dict[str, object]:
        """Cost and tokens in the app server's row: of the agent alone, from the last stats that it
        heard, or of all usages when it has rebuilt the row since (measured)."""
        entry, at = conversation.entry, 0.0
        usages = entry.usages if entry.heard is None else entry.heard
        if conversation.live:
            event, usages = last_stats(self.app_events(conversation))
            at = max(event.delivered_at, event.appended_at) if event else 0.0
        if conversation.rebuilt > at:
            return row_metrics(self.usages(conversation))
        return row_metrics({name: one for name, one in usages.items() if name == "agent"})

    def usages(self, conversation: Conversation) -> dict[str, Any]:
        """Cost and tokens by usage id so far, as the agent server reports them in its list."""
        if not conversation.live:
            return conversation.entry.usages
        return last_stats(self.agent_events(conversation))[1]

    def rebuild_row(self, conversation: Conversation) -> None:
        """The app server makes the row anew: the conversation looks newly created (measured)."""
        conversation.created = conversation.rebuilt = self.clock.now()
        if not conversation.is_listed:
            conversation.is_listed = True
            conversation.title = f"Conversation {conversation.entry.id}"

    def updated(self, conversation: Conversation) -> float:
        """When its last event was appended."""
        if not conversation.live:
            return round(conversation.created + conversation.entry.lasted, 6)
        seen = self.agent_events(conversation)
        return round(max(conversation.created, seen[-1].appended_at if seen else 0.0), 6)

    def stats(self, conversation: Conversation) -> dict[str, Any]:
        """Stats with the figures of each answer, as in the agent server's record."""
        run = self._build(conversation)[2]
        value = run.stats(lists=True)
        if conversation.live:
            last, every = self.usages(conversation), value["usage_to_metrics"]
            value["usage_to_metrics"] = {name: every[name] for name in last}
            for name, heard in last.items():
                every[name].update(heard)
                self._cut(every[name], heard)
        if conversation.asked is not None and self.agent_version != AgentVersion.NEW:
            value["usage_to_metrics"]["ask-agent-llm"] = conversation.asked.told(lists=True)
        return value

    def root(self, conversation: Conversation) -> str:
        return self._build(conversation)[2].root

    def files(
        self, conversation: Conversation
    ) -> tuple[dict[str, str], list[tuple[float, str, str | None]]]:
        """The files that its run found by absolute path, and what it has written, and when."""
        run = self._build(conversation)[2]
        until = float("inf")
        if conversation.live:
            until = max(self._until(conversation), conversation.shown)
        found = {posixpath.join(run.root, name): text for name, text in run.original.items()}
        written = [
            (at, posixpath.join(run.root, name), text)
            for at, name, text in run.written
            if at <= until
        ]
        return found, written

    def files_now(self, conversation: Conversation) -> dict[str, str]:
        """What is in its working folder by now, by path in it."""
        root = self.root(conversation)
        found, written = self.files(conversation)
        for _, path, content in written:
            if content is None:
                found.pop(path, None)
            else:
                found[path] = content
        return {posixpath.relpath(path, root): text for path, text in found.items()}

    # what visitors do -----------------------------------------------------------------------

    def act(
        self, conversation: Conversation, what: str, text: str = "", *, run: bool = False
    ) -> Act:
        """Apply a visitor's act to a run; `shows` says when it becomes visible."""
        if not conversation.live:
            there = self.agent_events(conversation)
            conversation.shown = max((event.appended_at for event in there), default=0.0)
            conversation.heard = conversation.shown
        at = max(self.clock.now(), conversation.shown)
        waits = self.execution_status(conversation) == "running" and what in _SHOWN_BY
        locked = self.agent_version == AgentVersion.OLD
        act = Act(at, what, text, run, waits, locked)
        conversation.interventions.acts.append(act)
        conversation.built = None
        return act

    def shows(self, conversation: Conversation, act: Act) -> float:
        """When an act becomes visible: at the end of the current step if it waits for that."""
        if not act.waits and act.what != "condense":  # which a model needs time for
            return act.at + INSTANT
        kind = _SHOWN_BY[act.what]
        events, _, _ = self._build(conversation)
        later = (
            event.appended_at
            for event in events
            if event.appended_at >= act.at and event.kind == kind
        )
        return min(later, default=act.at if act.what == "message" else events[-1].appended_at)

    def show(self, conversation: Conversation, at: float, *, anew: bool = False) -> None:
        """Make the agent's events visible up to a time; `anew` on the app server too (measured)."""
        conversation.shown = max(conversation.shown, at)
        if anew:
            conversation.heard = conversation.shown
            self.rebuild_row(conversation)

    async def wait_until(
        self,
        conversation: Conversation,
        moment: Callable[[], float],
        patience: float = float("inf"),
    ) -> bool:
        """Wait for a moment, even if the clock stands still, and show what the agent did up to it;
        False when patience ends before. The moment may move meanwhile, and does not come while the
        sandbox is paused."""
        start, began = self.clock.now(), self.clock.ticks()
        if moment() - start > INSTANT:
            # polls, because moving the demo's clock wakes nobody
            while (passed := self.clock.ticks() - began) < moment() - start or self.is_frozen(
                conversation
            ):
                if passed >= patience:
                    return False
                await asyncio.sleep(min(0.1, max(0.01, moment() - start - passed)))
        self.show(conversation, moment())
        return True

    def is_finishing_step(self, conversation: Conversation) -> bool:
        """Whether an agent that looks idle still holds its step: it just asked, or was stopped."""
        status, there = self.execution_status(conversation), self.agent_events(conversation)
        if status == "paused" and conversation.live:
            return self._has_more(conversation)
        if status != "waiting_for_confirmation":
            return False
        return there[-1].appended_at <= self.clock.now() < there[-1].appended_at + INSTANT

    async def let_step_end(self, conversation: Conversation) -> bool:
        """Wait for the end of the current step, which holds the lock; False without one."""
        if self.execution_status(conversation) != "running":
            return False
        until = self.step_end(conversation)
        return await self.wait_until(conversation, lambda: until)

    def step_end(self, conversation: Conversation) -> float:
        now, (events, _, _) = self.clock.now(), self._build(conversation)
        return min((event.appended_at for event in events if event.appended_at > now), default=now)

    # ----------------------------------------------------------------------------------------

    def _until(self, conversation: Conversation) -> float:
        box = conversation.sandbox
        now = self.clock.now()
        return now if box is None or box.frozen_at is None else min(now, box.frozen_at)

    def _has_more(self, conversation: Conversation) -> bool:
        """Events are to come that nobody has to bring about."""
        return len(self.agent_events(conversation)) < len(self._build(conversation)[0])

    def _build(self, conversation: Conversation) -> Built:
        self.status(conversation.sandbox)
        if conversation.built is None:
            entry = conversation.entry
            began = self.clock.start - entry.age + entry.delay
            conversation.built = (
                write_run(entry, began, conversation.interventions)
                if conversation.interventions != Interventions()
                else cached_run(entry, began)
            )
        return conversation.built

    def _last(self, conversation: Conversation, key: str, default: object) -> object:
        for event in reversed(self.agent_events(conversation)):
            if event.kind == "ConversationStateUpdateEvent" and not event.taken:
                state = msgspec.json.decode(event.raw)
                if state["key"] == key:
                    return state["value"]
        return default

    @staticmethod
    def _cut(metrics: dict[str, Any], heard: dict[str, Any]) -> None:
        """Cut the lists to the answers whose tokens are reported so far."""
        reported = heard.get("accumulated_token_usage", {}).get("prompt_tokens", 0)
        count = total = 0
        for usage in metrics["token_usages"]:
            total += usage["prompt_tokens"]
            if total > reported:
                break
            count += 1
        for name in ("costs", "response_latencies", "token_usages"):
            metrics[name] = metrics[name][:count]
