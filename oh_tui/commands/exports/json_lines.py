"""A run as JSON lines: each step with its events."""

from __future__ import annotations

from collections.abc import Iterator

from oh_tui.commands.framework.json_documents import step_json, verdict_json
from oh_tui.sharing.hidden import hidden_in
from oh_tui.sharing.shared_run import SharedRun
from oh_tui.sources.json_lines import json_line


def json_lines(run: SharedRun, about: dict[str, object]) -> Iterator[str]:
    """The conversation, then each step with its events, then each event that belongs to no step,
    then what was hidden."""
    yield _line({"conversation": about, "verdict": verdict_json(run.study.verdict)})
    hidden: list[dict[str, object]] = []
    for step in run.steps:
        events = [json_line(e.body()) for e in (step.event, *step.results)]
        text = f"[{', '.join(events)}]"
        found = hidden_in(text)
        if found:
            hidden.append({"step": step.number, "secrets": dict(found)})
        yield f'{{"step": {json_line(step_json(run.study, step, run.kept))}, "events": {text}}}\n'
    for event in run.others:
        text = json_line(event.body())
        found = hidden_in(text)
        if found:
            hidden.append({"event": event.id, "secrets": dict(found)})
        yield f'{{"event": {text}}}\n'
    yield _line({"hidden": hidden})


def _line(document: object) -> str:
    return json_line(document) + "\n"
