"""What two steps differ in: their calls and their results, each as a diff."""

from __future__ import annotations

import json
from collections.abc import Iterator

from oh_tui.text.redact import redact_json, safe
from oh_tui.trajectory.model.difference import unified
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.presentation.block import Block, Diff, Heading, Note
from oh_tui.trajectory.presentation.blocks import output_text

CONTEXT = 10
"""Equal lines around a change."""


def difference_blocks(a: Step, b: Step) -> list[Block]:
    """Lines with - are those of A, with + those of B."""
    if not (a.is_call or b.is_call):  # a message, which is all there is
        return _diff("", output_text(a), output_text(b))
    return [
        *_diff("call", call_text(a), call_text(b)),
        *_diff("result", output_text(a), output_text(b)),
    ]


def _diff(name: str, a: str, b: str) -> list[Block]:
    heading: list[Block] = [Heading(name)] if name else []
    if a == b:
        return [*heading, Note("the same in both" if a else "nothing in both")]
    return [*heading, Diff(unified(a, b, context=CONTEXT))]


def call_text(step: Step) -> str:
    """A call in lines, safe to show: its command, or each argument with its name."""
    if command := step.call.command:
        return safe(command)
    found = redact_json(step.call.given)
    if not isinstance(found, dict):
        return safe(found if isinstance(found, str) else _json(found)) if found else ""
    return "\n".join(_lines(found))


def _lines(found: dict[str, object]) -> Iterator[str]:
    for name, value in found.items():
        if name == "kind" or value in (None, "", [], {}):
            continue
        text = safe(value if isinstance(value, str) else _json(value))
        yield f"{safe(name)}:\n{text}" if "\n" in text else f"{safe(name)}: {text}"


def _json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (ValueError, TypeError, RecursionError):
        return "(nested too deep to show)"
