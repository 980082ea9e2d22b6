"""Contexts and answers of a run as documents, for JSON and for training. Texts are raw."""

from __future__ import annotations

from typing import Any

from oh_tui.trajectory.context.answers import Answer
from oh_tui.trajectory.model.usage_stats import TOKENS, Told, tokens_json


def usage_of(answer: Answer, told: Told) -> dict[str, Any] | None:
    """What the stats of the run list for an answer, None where they list nothing. `told` is what
    they tell of the run: a number that is not is null."""
    usage = answer.usage
    if usage is None:
        return None
    return {
        **(tokens_json(usage, told) or dict.fromkeys(TOKENS)),
        "cost": round(usage.cost, 6) or None,
        "llm_s": round(usage.llm, 3) or None,
        "window": answer.window or None,
        "fill": None if answer.fill is None else round(answer.fill, 4),
    }
