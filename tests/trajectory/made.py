"""Made-up events for the tests of this folder."""

from __future__ import annotations

import json
from typing import Any

from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.usage import DOLLAR, SECOND, Usage

BEGAN = "2026-03-01T10:00:"


def event(kind: str, id: str, second: float = 0, **fields: Any) -> Event:
    """An event as a server would send it; None leaves a field out."""
    body = {"id": id, "kind": kind, "timestamp": f"{BEGAN}{second:06.3f}", **fields}
    return parse_event(json.dumps({k: v for k, v in body.items() if v is not None}).encode())


def used(*, llm: float = 0, cost: float = 0, **counts: int) -> Usage:
    """A usage from seconds and dollars."""
    return Usage(picodollars=round(cost * DOLLAR), microseconds=round(llm * SECOND), **counts)


def call(
    id: str,
    action: dict[str, Any] | None,
    *,
    tool: str = "terminal",
    second: float = 0,
    **more: Any,
) -> Event:
    """An ActionEvent with the tool_call_id "call-ID"."""
    fields = {
        "source": "agent",
        "tool_name": tool,
        "tool_call_id": f"call-{id}",
        "llm_response_id": f"answer-{id}",
        "thought": [],
        "tool_call": {"id": f"call-{id}", "name": tool, "arguments": "{}"},
    }
    return event("ActionEvent", id, second, **(fields | {"action": action} | more))


def result(
    of: str, observation: dict[str, Any], *, tool: str = "terminal", second: float = 1, **more: Any
) -> Event:
    """The ObservationEvent "r-OF" that answers the call OF."""
    fields = {
        "source": "environment",
        "tool_name": tool,
        "tool_call_id": f"call-{of}",
        "action_id": of,
        "observation": {"content": [], "is_error": False} | observation,
    }
    return event("ObservationEvent", f"r-{of}", second, **(fields | more))


def failure(of: str, error: str, *, tool: str = "terminal", second: float = 1) -> Event:
    """The AgentErrorEvent "e-OF", which names its call by tool_call_id only."""
    return event(
        "AgentErrorEvent",
        f"e-{of}",
        second,
        source="agent",
        tool_name=tool,
        tool_call_id=f"call-{of}",
        error=error,
    )


def shell(id: str, command: str = "ls", **more: Any) -> Event:
    return call(id, {"kind": "TerminalAction", "command": command}, **more)


def output(of: str, text: str = "", code: int | None = 0, **more: Any) -> Event:
    observation = {
        "kind": "TerminalObservation",
        "content": [{"type": "text", "text": text}],
        "exit_code": code,
    }
    return result(of, observation, **more)


def state(id: str, status: str) -> Event:
    return event("ConversationStateUpdateEvent", id, key="execution_status", value=status)


def message(id: str, text: str, source: str = "user", **more: Any) -> Event:
    content = [{"type": "text", "text": text}]
    return event("MessageEvent", id, source=source, llm_message={"content": content}, **more)
