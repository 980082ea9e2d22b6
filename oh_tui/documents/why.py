"""How a run ended and why, what came before it, its phases, and what is worth a look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.catalog.names import title
from oh_tui.catalog.silence import Standing
from oh_tui.conversation import Conversation
from oh_tui.documents.run import (
    branch_json,
    cost_json,
    line,
    llm_seconds,
    phases_json,
    sub_agent_json,
    verdict_json,
)
from oh_tui.text.human import number, stamp
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.findings.ending import failure_words, fit, is_cut_off
from oh_tui.trajectory.findings.failure_signatures.call_signatures import recovers
from oh_tui.trajectory.findings.review_hints.hint import MOST
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.findings.verdict import Verdict
from oh_tui.trajectory.model.bodies import text_field
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.tool_use import Family
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage import tokens_json
from oh_tui.trajectory.reading.describe import describe

if TYPE_CHECKING:
    from oh_tui.documents.shapes import run

SOON = 30
"""Steps within which a failed command has to work for it to be no trouble."""

_MOST_LOOKED = 200
"""Failures that are followed up; a later one is trouble."""


def report(conversation: Conversation, study: Study, now: Standing | None = None) -> run.Why:
    """What `--json` prints. All texts are clean; step numbers are those of the timeline. `now` has
    what the server tells beside the events."""
    trajectory = study.trajectory
    verdict, accounts, counts = study.verdict, study.accounts, trajectory.counts
    now = now or Standing(verdict)
    looks = list(study.looks())
    total = study.sub_runs.total
    first = _first_trouble(trajectory, verdict)
    about = describe(first, trajectory.outcome(first)) if first else None
    document: run.Why = {
        **branch_json(study),
        "verdict": verdict_json(now.verdict),
        "conversation": {
            "id": safe_line(conversation.id),
            "title": title(conversation),
            "label": conversation.label,
            "model": line(conversation.llm_model),
            "repository": line(conversation.selected_repository),
            "work_seconds": number(accounts.worked, 3),
            **cost_json(study, conversation),
            "priced": True if conversation.cost else study.sub_runs.priced,
            "llm_s": llm_seconds(total),
            "tokens": tokens_json(total, study.sub_runs.reported),
        },
        "counts": {
            "events": counts.events,
            "steps": len(trajectory),
            "calls": counts.calls,
            "errors": counts.errors,
            "failed_commands": counts.failed_commands,
            "rejected": counts.rejected,
            "without_result": counts.open,
            "loop_steps": len(study.loops),
        },
        "before": [
            _before_json(study, what, steps) for what, steps in _before(trajectory, verdict)
        ],
        "phases": phases_json(study),
        "first": {
            "step": first.number,
            "event_id": safe_line(first.event.id),
            "what": about.what,
            "result": about.result,
        }
        if first and about
        else None,
        "look": [
            {"step": step, "name": reason.hint, "reason": reason.why}
            for step, reason in looks[:MOST]
        ],
        "look_more": len(looks[MOST:]),
    }
    if failed := study.sub_runs.failed:
        document["failed_sub_agents"] = [sub_agent_json(one) for one in failed]
    if now.silent is not None:
        document["silent_since"] = stamp(int(now.silent))
    return document


def _first_trouble(trajectory: Trajectory, verdict: Verdict) -> Step | None:
    """The first error, or failed command that did not soon work, unless it is what the verdict is
    about. A test that is written before the code fails first: that is no trouble."""
    looked = 0
    for step in trajectory.steps:
        if trajectory.outcome(step) not in (Outcome.ERROR, Outcome.COMMAND_FAILED):
            continue
        looked += 1
        if looked > _MOST_LOOKED or not recovers(trajectory, step, SOON):
            return None if step.number in verdict.steps else step
    return None


# what came before

_FAILED = {
    Family.EDIT: ("edit refused", "edits refused"),
    Family.READ: ("read failed", "reads failed"),
    Family.WEB: ("web step failed", "web steps failed"),
    Family.HOOK: ("hook blocked or failed", "hooks blocked or failed"),
}
"""For one and for many."""


_CONDENSED = "history condensed"


def _before_json(study: Study, what: str, steps: list[int]) -> run.Before:
    """Of condensations with how full the context was when each came, by the answer before it, if
    an answer tells it."""
    document: run.Before = {"what": what, "steps": steps}
    if what == _CONDENSED:
        answers = map(study.contexts.before_step, steps)
        fills = [None if one is None else number(one.fill, 4) for one in answers]
        if any(fill is not None for fill in fills):
            document["fill"] = fills
    return document


def _before(trajectory: Trajectory, verdict: Verdict) -> list[tuple[str, list[int]]]:
    """The errors, rejections and condensations before the end, grouped by what they are, the last
    one first. Commands with an exit code are no errors: an agent that runs tests has many."""
    groups: dict[tuple[bool, str, str], list[int]] = {}
    for step in reversed(trajectory.steps):
        if step.number in verdict.steps:
            continue
        is_condensation = step.event.is_condensation
        if is_condensation:
            words = (_CONDENSED, _CONDENSED)
        elif trajectory.outcome(step) in (Outcome.ERROR, Outcome.REJECTED):
            words = _words(trajectory, step)
        else:
            continue
        groups.setdefault((is_condensation, *words), []).append(step.number)
    return [
        (single if len(steps) == 1 else several, steps)
        for (_, single, several), steps in sorted(groups.items(), key=lambda group: group[0][0])
    ]


def _words(trajectory: Trajectory, step: Step) -> tuple[str, str]:
    """Names an error, in the singular and in the plural."""
    event, result = step.event, step.result
    if event.is_failure:
        return (failure_words(event)[1],) * 2
    if result is not None and result.is_rejection:
        by_hook = text_field(result.body(), "rejection_source") == "hook"
        did = "blocked by a hook" if by_hook else "rejected by you"
        return f"call {did}", f"calls {did}"
    if event.is_unread:
        about = describe(step, trajectory.outcome(step))
        reason = about.result.partition("not run: ")[2]
        reason = f": {fit(reason.partition('. ')[0], 40)}" if reason else ""
        return f"call not run{reason}", f"calls not run{reason}"
    if step.is_call and is_cut_off(step):
        return "call cut off", "calls cut off"
    return _FAILED.get(describe(step, Outcome.ERROR).family, ("call failed", "calls failed"))
