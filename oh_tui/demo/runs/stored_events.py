"""Events as the servers keep them, when each reaches the app server, and the calls in them as the
model makes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec


def text(content: str) -> dict[str, object]:
    return {"cache_prompt": False, "type": "text", "text": content}


@dataclass(slots=True, kw_only=True)
class Call:
    """A tool call and its result. Without `observation` and `error` it stays unanswered."""

    tool: str
    action: dict[str, Any] | None
    observation: dict[str, Any] | None = None
    ran: float = 0.02
    error: str = ""
    """The text of an AgentErrorEvent, instead of an observation."""
    arguments: str | None = None
    """The arguments as the model wrote them, if they are not those of `action`."""
    summary: str | None = None
    risk: str = "LOW"
    id: str = ""
    call_id: str = ""
    leaves: dict[str, str | None] = field(default_factory=dict)
    """What it writes, by path; None for a file that it removes."""


@dataclass(slots=True)
class Plan:
    """A task list: titles, and how many are done."""

    titles: list[str]
    done: int = 0

    def items(self) -> list[dict[str, str]]:
        statuses = ["done"] * self.done + ["in_progress"] + ["todo"] * len(self.titles)
        return [
            {"title": title, "notes": "", "status": status}
            for title, status in zip(self.titles, statuses, strict=False)
        ]


def arguments_of(call: Call) -> str:
    if call.arguments is not None:
        return call.arguments
    arguments = {k: v for k, v in (call.action or {}).items() if v is not None and k != "kind"}
    if call.summary:
        arguments["summary"] = call.summary
    return json.dumps(arguments | {"security_risk": call.risk})


MESSAGE: dict[str, object] = {
    "tool_calls": None,
    "tool_call_id": None,
    "name": None,
    "reasoning_content": None,
    "thinking_blocks": [],
    "responses_reasoning_item": None,
}

TOOLS = (
    ("Terminal", "terminal", "Run a command in a shell that keeps its state between calls."),
    ("FileEditor", "file_editor", "View, create and change files of text."),
    ("TaskTracker", "task_tracker", "Keep a list of what is to be done, and show it to the user."),
    ("Finish", "finish", "Say that the work is over, and what came of it."),
    ("Think", "think", "Write down a thought; nothing is run."),
)

SYSTEM_PROMPT = """\
You are a software engineer who works through tools in a sandbox of your own.

Work in the folder you were given. Look before you change anything: read the code, its tests and \
the last commits. Make the smallest change that solves the task, in the style of the project, and \
run its tests before you say that you are done.

Ask before anything that cannot be undone: a force push, a deletion, a message to other people. \
Never print a secret. When a command fails, read the whole error before you try again; when the \
same thing fails twice, try something else.

Say at the end what you changed, what you ran, and what is left."""


class StoredEvent(msgspec.Struct):
    """One event as both servers keep it. Times are seconds since 1970."""

    id: str
    kind: str
    timestamp: str
    source: str
    raw: bytes
    """The app server's JSON, with null fields and `parent_id`."""
    appended_at: float
    """When the agent server appended it."""
    delivered_at: float = 0.0
    """When it reached the app server."""
    app_only: bool = False
    taken: bool = False
    """It was copied from another conversation, of which no app server hears."""

    def agent_json(self, *, names_parent: bool) -> bytes:
        """As the agent server writes it, without nulls, from 1.31.2 to 1.36.1 without parent."""
        value = msgspec.json.decode(self.raw)
        if not names_parent:
            del value["parent_id"]
        return msgspec.json.encode(_without_nulls(value))


def last_stats(events: Sequence[StoredEvent]) -> tuple[StoredEvent | None, dict[str, object]]:
    """The last event with stats, and these by usage id."""
    for event in reversed(events):
        if event.kind == "ConversationStateUpdateEvent" and not event.taken:
            state = msgspec.json.decode(event.raw)
            if state["key"] == "stats":
                return event, state["value"]["usage_to_metrics"]
    return None, {}


def select(
    events: list[StoredEvent],
    *,
    kind: str | None = None,
    source: str | None = None,
    since: str | None = None,
    before: str | None = None,
) -> list[StoredEvent]:
    """The events with these, `since` and `before` compared as text; None is no condition."""
    if kind is source is since is before is None:
        return events
    return [
        event
        for event in events
        if (kind is None or event.kind == kind)
        and (source is None or event.source == source)
        and (since is None or event.timestamp >= since)
        and (before is None or event.timestamp < before)
    ]


def deliver(events: list[StoredEvent]) -> None:
    """Set when each reaches the app server: five at once, or what there is 30 s after the last."""
    waiting: list[StoredEvent] = []
    for stored in events:
        if waiting and stored.appended_at - waiting[-1].appended_at > 30:
            _send(waiting, waiting[-1].appended_at + 30)
        waiting.append(stored)
        if len(waiting) == 5:
            _send(waiting, stored.appended_at)
    if waiting:
        _send(waiting, waiting[-1].appended_at + 30)


def _send(waiting: list[StoredEvent], at: float) -> None:
    for stored in waiting:
        stored.delivered_at = at
    waiting.clear()


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value
