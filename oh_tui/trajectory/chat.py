"""Contexts and answers of a run, for documents and for training. Texts are raw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oh_tui.trajectory.context.context import Answer
from oh_tui.trajectory.model.usage import TOKENS, ReportedFields, tokens_json

if TYPE_CHECKING:
    from oh_tui.trajectory.findings.study import Study


def usage_of(answer: Answer, told: ReportedFields) -> dict[str, Any] | None:
    """What the stats list for an answer, None for nothing; a number that is not `told` is null."""
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


def chars_of(study: Study, answers: list[Answer]) -> int:
    """Characters of the contexts of these answers in order, each by what differs."""
    contexts, total, now = study.contexts, 0, 0
    before: Answer | None = None
    for answer in answers:
        if before is None:
            now = sum(message.chars for message in contexts.at(answer).messages)
        else:
            differs = contexts.difference(before, answer)
            now += sum(part.chars for part in differs.came)
            now -= sum(part.chars for part in differs.went)
        total += now
        before = answer
    return total
