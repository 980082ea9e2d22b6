"""Recorder: writes the events of one run, with ids, times, tokens and costs that add up.

Formats, order and delays are those measured on real servers: the agent server lists events as they
are appended (stats after the younger observation), the app server by timestamp, later, and with the
streaming deltas and full states that the agent server does not keep.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5
from zlib import crc32

import msgspec

from oh_tui.demo.runs.meter import Meter, Model
from oh_tui.demo.runs.stored_events import StoredEvent

IDS = UUID("6f1c1a52-6d0b-5f0e-9a3e-0a4d53c1d3a5")
"""The namespace of every id, so that ids are the same in every process."""

STEP_ENDS = 3.0
"""The most seconds that a step goes on after the agent is told to pause."""

SYSTEM_TOKENS = 26_300
"""Tokens of the system prompt and the tool descriptions, with which every prompt starts."""


def fixed_uuid(*names: object) -> UUID:
    """The UUID of some names, the same in every process."""
    return uuid5(IDS, "/".join(map(str, names)))


class AgentStopped(Exception):
    """The agent pauses: it was told to, and its step is over."""


class AgentInterrupted(Exception):
    """The agent drops what it does: it was interrupted."""


class UserSpoke(Exception):
    """The agent has finished, but the user has written meanwhile."""


@dataclass(frozen=True, slots=True)
class Act:
    """What a visitor did to a run, and when, in seconds since 1970."""

    at: float
    what: str
    """"message", "run" (an approval too), "reject", "stop", "interrupt" or "condense"."""
    text: str = ""
    run: bool = False
    """Whether the message makes the agent run."""
    waits: bool = False
    """Whether it waits for the end of the current step."""
    locked: bool = False
    """It waits for that end also while the model thinks, as on agent server 1.17.0."""


@dataclass(slots=True)
class Interventions:
    """What visitors did to a run; times in seconds since 1970."""

    freezes: list[tuple[float, float]] = field(default_factory=list)
    """Spans in which the sandbox was paused and nothing happened."""
    acts: list[Act] = field(default_factory=list)
    """By time. An agent that is told to stop ends its step first."""


class Recorder:
    """The clock, the counters and the events of one run."""

    root: str

    def __init__(
        self, slug: str, began: datetime, model: Model, interventions: Interventions | None = None
    ) -> None:
        self.slug = slug
        self.id = str(fixed_uuid("conversation", slug))
        self.began = self.now = began.timestamp()
        self.interventions = interventions or Interventions()
        self.acts = list(self.interventions.acts)
        """Those not handled yet."""
        self.events: list[StoredEvent] = []
        self.status = "idle"
        self.max_iterations = 500
        self.confirms = False
        self.meters = {"agent": Meter(model), "condenser": Meter(model)}
        self.context = SYSTEM_TOKENS
        self._cached = 0
        self._held: list[StoredEvent] = []
        self._forgotten: set[str] = set()
        self._leaf: str | None = None
        self._last_user: str | None = None
        self._made = 0
        self._seed = crc32(slug.encode())

    @property
    def model(self) -> Model:
        return self.meters["agent"].model

    # time -----------------------------------------------------------------------------------

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return self.now - self.began

    def wait(self, seconds: float) -> None:
        """Let time pass; a frozen sandbox delays it, an interruption ends it."""
        begin, end = self.now, self.now + seconds
        for frozen, thawed in self.interventions.freezes:
            if begin <= frozen < end:
                end += thawed - frozen
        cut = self._asked("interrupt")
        if cut is not None and begin <= cut.at < end:
            self.acts.remove(cut)
            self.now = cut.at
            raise AgentInterrupted
        self.now = end

    def shorten(self, seconds: float) -> float:
        """`seconds`, or less when the agent is told to pause before they are over."""
        stop = self._asked("stop")
        if self.status == "paused":
            return min(seconds, STEP_ENDS)
        if stop is None or not self.now < stop.at + STEP_ENDS < self.now + seconds:
            return seconds
        return stop.at + STEP_ENDS - self.now

    def _asked(self, what: str) -> Act | None:
        return next((act for act in self.acts if act.what == what), None)

    def vary(self, low: float, high: float) -> float:
        """A number in between, always the same at the same point of the same run."""
        self._seed = (self._seed * 1_103_515_245 + 12_345) % 2**31
        return low + (high - low) * self._seed / 2**31

    # events ---------------------------------------------------------------------------------

    def new_id(self, what: str = "event") -> UUID:
        self._made += 1
        return fixed_uuid(what, self.slug, self._made)

    def new_call_id(self) -> str:
        """As Anthropic's models name a tool call."""
        return f"toolu_{self.new_id('call').hex[:24]}"

    def emit(
        self,
        kind: str,
        source: str,
        *,
        at: float | None = None,
        app_only: bool = False,
        held: bool = False,
        **fields: object,
    ) -> str:
        """Append an event and return its id; the next `release` appends `held` ones."""
        identifier = str(self.new_id())
        when = datetime.fromtimestamp(self.now if at is None else at, UTC)
        timestamp = when.replace(tzinfo=None).isoformat()
        event = {
            "id": identifier,
            "timestamp": timestamp,
            "source": source,
            "parent_id": None if app_only else self._leaf,
            **fields,
            "kind": kind,
        }
        if not app_only and kind != "ConversationStateUpdateEvent":
            self._leaf = identifier
        raw = msgspec.json.encode(event)
        stored = StoredEvent(identifier, kind, timestamp, source, raw, self.now, app_only=app_only)
        (self._held if held else self.events).append(stored)
        return identifier

    def place(self) -> tuple[str | None, int, int]:
        """Where the run is: its last event, the tokens of its context, and those in the cache."""
        return self._leaf, self.context, self._cached

    def go_back(self, place: tuple[str | None, int, int]) -> None:
        """The next event follows the one at a place of before."""
        self._leaf, self.context, self._cached = place

    def release(self) -> None:
        for stored in self._held:
            stored.appended_at = self.now
        self.events += self._held
        self._held = []

    def state(self, key: str, value: object, **how: Any) -> None:
        self.emit("ConversationStateUpdateEvent", "environment", key=key, value=value, **how)

    def set_status(self, status: str) -> None:
        self.status = status
        self.state("execution_status", status)

    def full_state(self) -> None:
        """Emit the full state, which only the app server keeps."""
        self.state("full_state", self.whole_state(), app_only=True)

    def hear(self) -> None:
        """Read what the user has written, between two steps."""

    # the model ------------------------------------------------------------------------------

    def ask_model(
        self,
        out: int,
        seconds: float | None,
        *,
        usage: str = "agent",
        reasoning: int = 0,
        deltas: tuple[str, ...] = (),
    ) -> str:
        """Call the model, which answers with `out` tokens; returns the response id. With
        `reasoning` tokens the first delta is reasoning. Time that the text does not explain counts
        as hidden reasoning."""
        stop = self._asked("stop")
        if stop is not None and self.now >= stop.at:
            self.acts.remove(stop)
            self.halt()
        if self.status == "paused":
            raise AgentStopped
        self.hear()
        if seconds is None:
            seconds = self.vary(1.4, 3.2) + (out + reasoning) / 62
        seconds = self.shorten(seconds)
        thinks = reasoning > 0
        begin = self.now
        self._think(seconds)
        reasoning = max(reasoning, int((seconds - 1.2) * 52) - out)
        out += reasoning
        response = f"chatcmpl-{self.new_id('answer').hex}"
        held = self._cached if usage == "agent" else 0
        meter = self.meters[usage]
        meter.add(self.now, response, seconds, self.context, held, out, reasoning)
        step = (self.now - begin) / (len(deltas) + 1)
        for index, text in enumerate(deltas, 1):
            is_reasoning = thinks and index == 1
            self.emit(
                "StreamingDeltaEvent",
                "agent",
                at=begin + step * index,
                app_only=True,
                content=None if is_reasoning else text,
                reasoning_content=text if is_reasoning else None,
            )
        self.state("stats", self.stats(lists=False), at=self.now - 0.004, held=True)
        if usage == "agent":
            self._cached = self.context
            self.context += out
        return response

    def _think(self, seconds: float) -> None:
        """The model does not hold the lock: an agent that is told to stop meanwhile is paused at
        once, yet ends its step (measured)."""
        stop, end = self._asked("stop"), self.now + seconds
        if stop is not None and not stop.locked and stop.at < end:
            self.wait(stop.at - self.now)
            self.acts.remove(stop)
            self.halt()
            seconds = end - stop.at
        self.wait(seconds)

    def halt(self) -> None:
        """The events of a stop after the step."""
        self.set_status("paused")
        self.emit("PauseEvent", "user")

    def name_the_run(self) -> None:
        """The extra model call for the title; its cost belongs to no step."""
        response = f"chatcmpl-{self.new_id('answer').hex}"
        self.meters["agent"].add(self.now, response, 1.1, 460, 0, 14, 0)
        self.state("stats", self.stats(lists=False), at=self.now + 0.31)

    # what the servers report ------------------------------------------------------------------

    def stats(self, *, lists: bool) -> dict[str, Any]:
        """`lists` adds the figures of each answer, as full states and the agent's record have."""
        told = {name: meter.told(lists=lists) for name, meter in self.meters.items()}
        return {"usage_to_metrics": told}

    def whole_state(self) -> dict[str, Any]:
        llm = {
            "model": self.model.name,
            "api_key": "**********",
            "num_retries": 5,
            "timeout": 300,
            "stream": True,
            "caching_prompt": True,
            "native_tool_calling": True,
            "reasoning_effort": "high",
            "usage_id": "agent",
        }
        return {
            "id": self.id,
            "agent": {
                "llm": llm,
                "tools": [
                    {"name": name, "params": {}}
                    for name in ("terminal", "file_editor", "task_tracker")
                ],
                "condenser": {
                    "llm": llm | {"usage_id": "condenser"},
                    "max_size": 240,
                    "keep_first": 2,
                    "kind": "LLMSummarizingCondenser",
                },
                "kind": "Agent",
            },
            "workspace": {"working_dir": self.root, "kind": "LocalWorkspace"},
            "persistence_dir": f"workspace/conversations/{self.id.replace('-', '')}",
            "max_iterations": self.max_iterations,
            "stuck_detection": True,
            "execution_status": self.status,
            "confirmation_policy": {
                "kind": "ConfirmRisky",
                "threshold": "HIGH",
                "confirm_unknown": True,
            }
            if self.confirms
            else {"kind": "NeverConfirm"},
            "security_analyzer": {"kind": "LLMSecurityAnalyzer"},
            "last_user_message_id": self._last_user,
            "leaf_event_id": self._leaf,
            "stats": self.stats(lists=True),
            "secret_registry": {"secret_sources": {}},
            "tags": {},
            "agent_state": {},
        }


def pieces(text: str, most: int = 3) -> Iterator[str]:
    """`text` in at most `most` pieces, as a model streams it."""
    size = max(40, -(-len(text) // most))
    for start in range(0, len(text), size):
        yield text[start : start + size]
