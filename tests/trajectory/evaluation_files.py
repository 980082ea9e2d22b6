"""Makes evaluation files, and says what they hold without the program's help."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Json = dict[str, Any]


def action(number: int, *, tool: str = "terminal", response: str = "", **fields: Any) -> Json:
    kind = {"terminal": "TerminalAction", "finish": "FinishAction"}[tool]
    return {
        "id": f"a{number}",
        "kind": "ActionEvent",
        "source": "agent",
        "timestamp": f"2026-03-01T10:{number // 60:02}:{number % 60:02}",
        "tool_name": tool,
        "tool_call_id": f"call{number}",
        "llm_response_id": response or f"answer{number}",
        "action": {"kind": kind, "command": f"echo {number}", **fields},
    }


def result(number: int, *, code: int = 0, text: str = "", tool: str = "terminal") -> Json:
    kind = {"terminal": "TerminalObservation", "finish": "FinishObservation"}[tool]
    content = [{"type": "text", "text": text or f"output of {number}"}]
    return {
        "id": f"r{number}",
        "kind": "ObservationEvent",
        "source": "environment",
        "timestamp": f"2026-03-01T10:{number // 60:02}:{number % 60:02}.5",
        "tool_name": tool,
        "tool_call_id": f"call{number}",
        "action_id": f"a{number}",
        "observation": {"kind": kind, "content": content, "exit_code": code},
    }


def message(text: str, source: str = "user") -> Json:
    content = [{"type": "text", "text": text}]
    return {
        "id": f"m-{source}-{len(text)}",
        "kind": "MessageEvent",
        "source": source,
        "timestamp": "2026-03-01T10:00:00",
        "llm_message": {"role": source, "content": content},
    }


def history(calls: int, *, failed: Sequence[int] = (), finish: bool = True) -> list[Json]:
    """A message, so many calls, of which some fail, and a finish call."""
    events = [message("Fix the bug.")]
    for number in range(1, calls + 1):
        events += [action(number), result(number, code=int(number in failed))]
    if finish:
        done = action(calls + 1, tool="finish", message="All done.")
        events += [done, result(calls + 1, tool="finish", text="All done.")]
    return events


def metrics(costs: Sequence[float], tokens: int = 100) -> Json:
    """The metrics of as many answers as there are costs."""
    usages = [
        {"response_id": f"answer{n}", "prompt_tokens": tokens, "completion_tokens": 10}
        for n, _ in enumerate(costs, 1)
    ]
    return {
        "accumulated_cost": sum(costs),
        "accumulated_token_usage": {
            "prompt_tokens": tokens * len(costs),
            "completion_tokens": 10 * len(costs),
        },
        "costs": [{"cost": cost} for cost in costs],
        "token_usages": usages,
        "response_latencies": [
            {"response_id": f"answer{n}", "latency": 0.5} for n, _ in enumerate(costs, 1)
        ],
    }


def row(name: str, events: Sequence[Any] = (), **fields: Any) -> Json:
    return {
        "instance_id": name,
        "test_result": {"git_patch": ""},
        "instruction": "Fix the bug.",
        "metadata": {"llm": {"model": "some/model"}, "max_iterations": 100, "dataset": "bench"},
        "history": list(events),
        "metrics": None,
        "error": None,
        "instance": {"instance_id": name, "repo": "acme/dates"},
        **fields,
    }


def lines(rows: Sequence[Any]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in rows)


def write(path: Path, rows: Sequence[Any]) -> Path:
    path.write_bytes(lines(rows))
    return path
