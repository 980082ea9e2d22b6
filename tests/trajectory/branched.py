"""A made-up run in which somebody went back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from oh_tui.trajectory.model.events import Event
from tests.trajectory.context.made import act, said, system, user
from tests.trajectory.made import event, output

ROOT = "__root__"


def state(id: str, parent: str, status: str = "running") -> Event:
    kind = "ConversationStateUpdateEvent"
    return event(kind, id, key="execution_status", value=status, parent_id=parent)


def two() -> list[Event]:
    """A run that went back to the answer `a` and took another way."""
    return [
        system(parent_id=ROOT),
        user("u", parent_id="s"),
        state("run-1", "u"),
        said("a", parent_id="u"),
        user("v", parent_id="a"),
        act("b", parent_id="v"),
        output("b", parent_id="b"),
        said("c", parent_id="r-b"),
        state("end-1", "c", "finished"),
        user("w", parent_id="a"),
        state("run-2", "w"),
        said("d", parent_id="w"),
        state("end-2", "d", "stuck"),
    ]


_COSTS = {"a": 1, "b": 10, "c": 100, "d": 1000}
"""Tokens of each answer, and its cost in thousandths of a dollar."""

STATS: dict[str, Any] = {
    "usage_to_metrics": {
        "agent": {
            "accumulated_cost": 5.0,
            "accumulated_token_usage": {"prompt_tokens": 5000, "completion_tokens": 0},
            "token_usages": [
                {"response_id": f"answer-{id}", "prompt_tokens": n, "completion_tokens": 0}
                for id, n in _COSTS.items()
            ],
            "costs": [{"cost": n / 1000} for n in _COSTS.values()],
        }
    }
}


def write_run(folder: Path, *events: Event, head: str = "", stats: Any = STATS) -> Path:
    """The folder of a run as an agent server keeps it."""
    folder.joinpath("events").mkdir(parents=True)
    for place, one in enumerate(events):
        folder.joinpath("events", f"event-{place:05}-{one.id}.json").write_bytes(one.raw())
    base = {"id": "1" * 32, "leaf_event_id": head or None, "stats": stats}
    folder.joinpath("base_state.json").write_text(json.dumps(base))
    return folder
