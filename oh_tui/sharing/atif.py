"""A run as an ATIF document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from oh_tui.sharing.hidden import hidden_in
from oh_tui.sharing.shared_run import SharedRun, hidden_events
from oh_tui.text.json_lines import json_line
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.costs.accounting import SUB_AGENT_USAGES, Accounts
from oh_tui.trajectory.findings.study import SubRun, SubRuns
from oh_tui.trajectory.formats.foreign import atif_export
from oh_tui.trajectory.formats.foreign.atif_kept import CONVERSATION, KEPT
from oh_tui.trajectory.formats.foreign.atif_sub_agents import EMBEDDED
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.usage import Cost


def atif(run: SharedRun) -> Iterator[str]:
    """One document, a step a line; the places of what was hidden stand in its `extra`, what is
    missing in its `notes`. A whole run has those of its sub-agents."""
    study, record = run.study, run.conversation
    model = safe_line(record.llm_model or "")
    top = atif_export.top_of(study.trajectory, session=run.name, model=model)
    top = _with_note(top, run.note)
    spent = study.accounts.of
    cost = study.sub_runs.cost(record.price)
    if run.is_part:
        own, told = study.accounts.total, study.accounts.reported.tokens
        made = atif_export.steps_of(study.trajectory, run.steps, [], spent)
        final = partial(atif_export.final_of, study.trajectory, cost, own, told, {})
        yield from _atif_run(top, made, final)
    else:
        yield from _atif_whole(top, study.accounts, study.sub_runs, cost)
    yield "\n"


def _with_note(top: dict[str, object], note: str) -> dict[str, object]:
    """The fields with what is missing in the run, unless its notes say so."""
    known = top.get("notes") or ""
    if not note or not isinstance(known, str) or note in known:
        return top
    return top | {"notes": f"{known}\n{note}".strip()}


def _atif_whole(
    top: dict[str, object], accounts: Accounts, sub_runs: SubRuns, cost: Cost
) -> Iterator[str]:
    def started(step: Step) -> list[str]:
        return [one.name for one in sub_runs.of(step)]

    run = accounts.trajectory
    steps = atif_export.steps_of(run, run.steps, hidden_events(run), accounts.of, started)
    others = accounts.others.items()
    apart = {u: used for u, used in others if not u.startswith(SUB_AGENT_USAGES)}
    apart |= sub_runs.without_run
    told = sub_runs.reported.tokens
    final = partial(atif_export.final_of, run, cost, sub_runs.own, told, apart)
    yield from _atif_run(top, steps, final, sub_runs.runs)


def _atif_run(
    top: dict[str, object],
    steps: Iterable[dict[str, object]],
    final: Callable[[int], dict[str, object]],
    below: Sequence[SubRun] = (),
) -> Iterator[str]:
    extra = top.pop("extra", None)
    yield json_line(top)[:-1] + ', "steps": [\n'
    hidden: list[dict[str, object]] = []
    number = 0
    for step in steps:
        text = json_line(step)
        found = hidden_in(text)
        if found:
            hidden.append({"step_id": step["step_id"], "secrets": dict(found)})
        number += 1
        yield f"{',' if number > 1 else ' '}{text}\n"
    for place, sub in enumerate(below):
        yield f'{"," if place else f"""], "{EMBEDDED}": ["""}\n'
        of_sub = atif_export.top_of(sub.trajectory, session=sub.name, model="")
        of_sub["trajectory_id"] = sub.name
        if sub.needs_id:
            of_sub["extra"] = of_sub.get("extra", {}) | {KEPT: {CONVERSATION: True}}
        of_sub = _with_note(of_sub, sub.note)
        yield from _atif_whole(of_sub, sub.accounts, sub.sub_runs, sub.sub_runs.cost())
    end = {"final_metrics": final(number)}
    extra = dict(extra) if isinstance(extra, dict) else {}
    extra |= {"hidden": hidden} if hidden else {}
    yield "], " + json_line(end | ({"extra": extra} if extra else {}))[1:]
