"""What the lists tell of the runs of the demo: how each ended, how long it took, what it cost."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any


def combined(stats: dict[str, Any]) -> dict[str, Any]:
    """One snapshot out of the metrics of all usage ids."""
    parts = list(stats["usage_to_metrics"].values())
    usage: dict[str, Any] = {"model": "", "response_id": ""}
    for name in (
        "prompt_tokens",
        "completion_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "reasoning_tokens",
    ):
        usage[name] = sum(part["accumulated_token_usage"][name] for part in parts)
    for name in ("context_window", "per_turn_token"):
        usage[name] = parts[0]["accumulated_token_usage"][name] if parts else 0
    return {
        "model_name": "default",
        "accumulated_cost": round(sum(part["accumulated_cost"] for part in parts), 6),
        "max_budget_per_task": None,
        "accumulated_token_usage": usage,
    }


@cache
def totals() -> dict[str, dict[str, Any]]:
    """What the lists must tell about runs whose events nobody asked for yet: how each ended, how
    long it took, what it cost. Made by `python -m oh_tui.demo`."""
    value: dict[str, dict[str, Any]] = json.loads(
        Path(__file__).with_name("totals.json").read_text("utf-8")
    )
    return value
