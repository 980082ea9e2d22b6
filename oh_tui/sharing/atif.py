"""A run as an ATIF document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from oh_tui.sharing.found_in_text import hidden_in
from oh_tui.sharing.shared_run import SharedRun, Sink, hidden_events
from oh_tui.sharing.what_leaves import texts_in
from oh_tui.text.display import json_line
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.costs.accounting import SUB_AGENT_USAGES
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.formats.foreign import atif_export
from oh_tui.trajectory.formats.foreign.atif_kept import CONVERSATION, EMBEDDED, KEPT
from oh_tui.trajectory.model.bodies import list_field
from oh_tui.trajectory.model.events import read_json
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.usage import Cost, Usage

Fields = dict[str, Any]


def atif(run: SharedRun, sink: Sink) -> Iterator[str]:
    """One document, a step a line; the places of what was hidden stand in its `extra`, what is
    missing in its `notes`. A whole run has those of its sub-agents."""
    study, record = run.study, run.conversation
    model = safe_line(record.llm_model or "")
    top = atif_export.top_of(study.trajectory, session=run.name, model=model)
    top = _with_note(top, run.note)
    part = run.steps if run.is_part else None
    yield from _atif(top, study, study.sub_runs.cost(record.price), sink, part)
    yield "\n"


def _with_note(top: Fields, note: str) -> Fields:
    """The fields with what is missing in the run, unless its notes say so."""
    known = top.get("notes") or ""
    if not note or not isinstance(known, str) or note in known:
        return top
    return top | {"notes": f"{known}\n{note}".strip()}


def _atif(
    top: Fields, study: Study, cost: Cost, sink: Sink, part: list[Step] | None = None
) -> Iterator[str]:
    """With `part` these steps alone, without sub-agents."""
    run, accounts, sub_runs = study.trajectory, study.accounts, study.sub_runs
    own, told, apart = accounts.total, accounts.reported.tokens, dict[str, Usage]()
    if part is None:
        own, told = sub_runs.own, sub_runs.reported.tokens
        apart = {u: x for u, x in accounts.others.items() if not u.startswith(SUB_AGENT_USAGES)}
        apart |= sub_runs.without_run

    def started(step: Step) -> list[str]:
        return [one.name for one in sub_runs.of(step)] if part is None else []

    extra = top.pop("extra", None)
    yield sink.json(top)[:-1] + ', "steps": [\n'
    hidden: list[Fields] = []
    others = hidden_events(run) if part is None else []
    number = 0
    for made, steps in atif_export.steps_of(
        run, run.steps if part is None else part, others, accounts.of, started
    ):
        text = json_line(made)
        _count(sink, text, steps, study.path)
        if found := hidden_in(text):
            hidden.append({"step_id": made["step_id"], "secrets": dict(found)})
        number += 1
        yield f"{',' if number > 1 else ' '}{text}\n"
    for place, sub in enumerate(sub_runs.runs if part is None else ()):
        sink.at(sub.step, study.path)
        yield f'{"," if place else f"""], "{EMBEDDED}": ["""}\n'
        of_sub = atif_export.top_of(sub.trajectory, session=sub.name, model="")
        of_sub["trajectory_id"] = sub.name
        if sub.needs_id:
            of_sub["extra"] = of_sub.get("extra", {}) | {KEPT: {CONVERSATION: True}}
        yield from _atif(_with_note(of_sub, sub.note), sub, sub.sub_runs.cost(), sink)
    sink.at(0, study.path)
    end = {"final_metrics": atif_export.final_of(run, cost, own, told, apart, number)}
    extra = dict(extra) if isinstance(extra, dict) else {}
    extra |= {"hidden": hidden} if hidden else {}
    yield "], " + sink.json(end | ({"extra": extra} if extra else {}))[1:]


def _count(sink: Sink, text: str, steps: list[Step], path: str) -> None:
    """Counts a step: each event where the step is that it is of, then what other fields say."""
    told = read_json(text, text)
    events = list_field(told, "extra", KEPT, "events")
    known = set(texts_in(events, Counter()))
    of = [*steps, *(step for step in steps for _ in step.results)]
    for place, event in enumerate(events):
        sink.at(of[place].number if of else 0, path)
        sink.count(event)
    sink.take(*(one for one in texts_in(told, Counter()) if one not in known))
    for step in steps:
        sink.at(step.number, path)
        sink.files(step)
