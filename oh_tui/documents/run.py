"""Conversations, runs and steps as JSON, for several documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from oh_tui.catalog import attributes
from oh_tui.catalog.names import conversation_id, title
from oh_tui.catalog.run_status import conversation_state
from oh_tui.catalog.status_cache import UNSEEN, LastKnown
from oh_tui.catalog.tags import MACHINE
from oh_tui.catalog.user_annotations import NOTHING, RunAnnotations
from oh_tui.text.human import LAST, number, stamp
from oh_tui.text.redact import safe, safe_line
from oh_tui.trajectory.findings.study import Study, SubRun
from oh_tui.trajectory.findings.verdict import Verdict
from oh_tui.trajectory.model.clock import is_bare, known_span, seconds
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.usage import NO_USAGE, Cost, ReportedFields, Usage, tokens_json
from oh_tui.trajectory.reading.describe import describe
from oh_tui.trajectory.search import step_attributes

if TYPE_CHECKING:
    from oh_tui.api.models import Sandbox
    from oh_tui.conversation import Conversation
    from oh_tui.documents.shapes import common, run


def conversation_json(
    conversation: Conversation,
    kept: RunAnnotations = NOTHING,
    last_known: LastKnown = UNSEEN,
) -> common.Conversation:
    """The record of a server or a file, clean and without secrets, with what the user keeps of its
    run. The status is the agent's, as `last_known` where its server tells none."""
    state = conversation_state(conversation, last_known)
    columns = (one for one in attributes.ATTRIBUTES if one.json)
    values = {one: _told(one.value(conversation, state)) for one in columns}
    record = {one.json: v for one, v in values.items() if v is not None or not one.is_optional}
    document = {
        **record,
        "id": conversation_id(conversation),
        "title": title(conversation),
        "created": moment(conversation.created_at),
        "updated": moment(conversation.updated_at),
        **({} if state.silent is None else {"silent_since": stamp(int(state.silent))}),
        **_kept_json(conversation, kept),
    }
    return cast("common.Conversation", document)


def _told(value: object) -> object:
    """A value of a record as JSON has it: texts on one line, null for what is empty."""
    if isinstance(value, str):
        return line(value)
    if isinstance(value, float):
        return number(value)
    if isinstance(value, tuple):
        return [safe_line(one) if isinstance(one, str) else one for one in value]
    return value


def named(conversation: Conversation) -> common.Named:
    return {"id": conversation_id(conversation), "title": title(conversation)}


def _kept_json(conversation: Conversation, kept: RunAnnotations) -> dict[str, object]:
    """Tags, note, bookmarks and budget, where there are any."""
    held = dict(list((conversation.tags or {}).items())[:MOST_TAGS])
    machine = {key: held.pop(key) for key in list(held) if key in MACHINE}
    tags = held | kept.tags
    found: dict[str, object] = {
        "tags": {safe_line(key): safe_line(value) for key, value in tags.items()},
        "machine_tags": {safe_line(key): safe_line(value) for key, value in machine.items()},
        "note": safe(kept.note),
        "bookmarks": [safe_line(one) for one in kept.bookmarks],
        "step_notes": {safe_line(one): safe(text) for one, text in kept.step_notes.items()},
        "budget": number(kept.budget),
    }
    return {name: value for name, value in found.items() if value}


MOST_TAGS = 100
"""Tags of a server that a document has."""


def sandbox_json(sandbox: Sandbox) -> common.Sandbox:
    found: common.Sandbox = {
        "id": safe_line(sandbox.id),
        "status": line(sandbox.status),
        "spec": line(sandbox.sandbox_spec_id),
        "created": moment(sandbox.created_at),
    }
    return {**found, "server": sandbox.server} if sandbox.server else found


def verdict_json(verdict: Verdict) -> Any:
    return msgspec.to_builtins(verdict)


def counts_json(study: Study, shown: int) -> run.Counts:
    counts = study.trajectory.counts
    return {
        "events": counts.events,
        "steps": len(study.trajectory),
        "hidden_events": counts.hidden,
        "calls": counts.calls,
        "ok": counts.ok,
        "with_result": counts.with_result,
        "failed_commands": counts.failed_commands,
        "errors": counts.errors,
        "rejected": counts.rejected,
        "without_result": counts.open,
        "second_results": counts.second_results,
        "results_without_call": counts.stray_results,
        "unreadable": counts.unreadable,
        "loop_steps": len(study.loops),
        "shown": shown,
    }


def cost_json(study: Study, conversation: Conversation) -> common.Priced:
    """What the run and its sub-agents cost, by its events or else by its record, and whether a part
    may be missing."""
    return cost_with_marks(study.sub_runs.cost(conversation.price))


def cost_with_marks(cost: Cost) -> common.Priced:
    """A cost with what may be wrong with it."""
    document: common.Priced = {"cost": number(cost.dollars), "cost_is_partial": cost.is_partial}
    if cost.is_estimate:
        document["cost_is_estimate"] = True
    return document


def branch_json(study: Study) -> run.OfBranch:
    """Which branch of its run this is, with what all of them cost; nothing for a run without."""
    branch = study.trajectory.branch
    if branch is None:
        return {}
    return {
        "branch": {
            "number": branch.number or None,
            "count": branch.count,
            "active": branch.active,
            "cost": number(study.sub_runs.cost().dollars),
            "cost_of_all": number(study.whole.sub_runs.cost().dollars),
        }
    }


def totals_json(study: Study) -> run.Totals:
    """Sums of the whole run with its sub-agents; `own` leaves those out, and `other` is what no
    step of the run itself was charged. Sub-conversations of a server are counted apart."""
    accounts, sub_runs = study.accounts, study.sub_runs
    told, apart = sub_runs.reported, sub_runs.conversations
    more = sub_runs.unreported
    about = [*accounts.other_about, *(["sub-agents in files of their own"] if more.calls else [])]
    document: run.Totals = {
        "work_s": number(accounts.worked, 3),
        "waited_s": number(accounts.known_waited, 3),
        **cost_with_marks(sub_runs.cost()),
        **_usage_json(sub_runs.total, told),
        "own": _usage_json(sub_runs.own, told),
        "priced": sub_runs.priced,
        "other": {**_usage_json(accounts.other + more, told), "about": about},
    }
    if apart != NO_USAGE:
        document["sub_conversations"] = _usage_json(apart)
    return document


def step_json(study: Study, step: Step, kept: RunAnnotations = NOTHING) -> run.Step:
    """One step. Texts are clean, redacted and on one line; null stands for unknown."""
    trajectory, event = study.trajectory, step.event
    outcome = trajectory.outcome(step)
    about = describe(step, outcome)
    usage = study.accounts.of(step)
    group = trajectory.group(step)
    document: run.Step = {
        "index": step.number,
        "kind": safe_line(event.kind),
        "family": about.family,
        "tool": line(event.tool_name),
        "what": about.what,
        "result": about.result,
        "outcome": outcome,
        "marks": marks(study, step),
        "started": moment(event.timestamp),
        **_numbers_json(study, step),
        "tokens": tokens_json(usage, study.accounts.reported) if usage else None,
        "call_id": line(event.tool_call_id),
        "result_ids": [safe_line(result.id) for result in step.results],
        "parallel_group": line(event.llm_response_id) if len(group) > 1 else None,
        "risk": line(event.risk),
    }
    if study.accounts.is_inherited(step):  # what its origin was charged is in no sum of the fork
        used = study.accounts.inherited(step) or NO_USAGE
        document["inherited"] = {"cost": number(used.cost or None), "tokens": tokens_json(used)}
        document["cost"] = None
    if reasons := study.review_hints.of(step):
        document["look"] = [{"name": one.hint, "reason": one.why} for one in reasons]
    if event.id in kept.bookmarks:
        document["bookmarked"] = True
    if note := kept.step_notes.get(event.id):
        document["note"] = safe(note)
    return document


def _numbers_json(study: Study, step: Step) -> run.Numbers:
    found = {
        one.json: number(one.shown(study.accounts, step), one.digits)
        for one in step_attributes.STEP_ATTRIBUTES
    }
    return cast("run.Numbers", found)


def step_with_children_json(study: Study, step: Step, kept: RunAnnotations) -> run.Step:
    """One step; of one that started sub-agents with these, and with their steps as `children`."""
    document = step_with_sub_agents_json(study, step, kept)
    if runs := study.sub_runs.of(step):
        document["children"] = [one for run in runs for one in children_json(run, kept)]
    return document


def step_with_sub_agents_json(study: Study, step: Step, kept: RunAnnotations) -> run.Step:
    """One step; of one that started sub-agents with these, without their steps."""
    document = step_json(study, step, kept)
    runs, used = study.sub_runs.of(step), study.sub_runs.used_by(step)
    if runs or used != NO_USAGE:
        own = study.accounts.of(step) or NO_USAGE
        document["with_sub_agents"] = _usage_json(own + used)
    if runs:
        document["sub_agents"] = [sub_agent_json(run) for run in runs]
    return document


def phases_json(study: Study) -> list[run.Phase]:
    """Together they have each step once."""
    rows: list[run.Phase] = []
    for phase in study.phases.all:
        took = study.spent(phase)
        rows.append({
            "name": phase.name,
            "first": phase.first,
            "last": phase.last,
            "seconds": number(took.seconds, 3),
            "cost": number(took.cost, 6),
            "summary": phase.summary,
        })  # fmt: skip
    return rows


def sub_agent_json(run: SubRun) -> run.SubAgent:
    return {
        "id": safe_line(run.name),
        "path": run.path[:-1],
        "verdict": verdict_json(run.verdict),
        "steps": len(run.trajectory),
        **_usage_json(run.total, run.sub_runs.reported),
        "own": _usage_json(run.sub_runs.own, run.sub_runs.reported),
    }


def children_json(run: SubRun, kept: RunAnnotations) -> list[run.Step]:
    """The steps of a sub-agent; `path` is the number that each has in the whole run."""
    return [
        {**step_with_children_json(run, step, kept), "path": f"{run.path}{step.number}"}
        for step in run.trajectory.steps
    ]


def marks(study: Study, step: Step) -> list[run.Mark]:
    """What is odd about a step, beside its outcome."""
    found: dict[run.Mark, bool] = {
        "loop": step.number in study.loops,
        "second result": bool(step.second_results),
        "result without a call": step.is_stray,
        "clock went back": study.accounts.is_odd(step),
    }
    return [mark for mark, holds in found.items() if holds]


def line(text: str | None) -> str | None:
    """A foreign text on one line, None for an empty one. Not to be cached: a key that has to be
    hidden in it may become known later."""
    return safe_line(text or "") or None


def moment(text: str | None) -> str | None:
    """A time as ISO 8601 in UTC, to the millisecond, or without a `Z` as it is written if its zone
    is not known; None for another text."""
    when = seconds(text or "")
    if when is None or not 0 <= when < LAST:
        return None
    rounded = round(when, 3)
    whole, zone = int(rounded), "" if is_bare(text or "") else "Z"
    return f"{stamp(whole)[:-1]}.{round((rounded - whole) * 1000) % 1000:03}" + zone


def _usage_json(usage: Usage, told: ReportedFields | None = None) -> common.Used:
    """Null for what is not told of the run; without `told` for all that is 0."""
    has_cost = usage.cost or (told is not None and told.cost)
    has_calls = usage.calls if told is None else told.calls
    return {
        "llm_s": llm_seconds(usage),
        "cost": number(usage.cost) if has_cost else None,
        "llm_calls": usage.calls if has_calls else None,
        "tokens": tokens_json(usage, told),
    }


def llm_seconds(usage: Usage) -> float | None:
    """Seconds of the model; None if the run does not record them."""
    return number(known_span(usage.llm), 3)
