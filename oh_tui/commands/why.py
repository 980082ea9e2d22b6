"""`oh-tui why`: how a run ended and why, what came before it, and its first trouble."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from oh_tui.catalog.file_conversation import label_of
from oh_tui.commands.agents import setup
from oh_tui.commands.framework.command import OF_RUN, Call, command
from oh_tui.commands.framework.json_documents import (
    branch_json,
    cost_json,
    line,
    llm_seconds,
    phases_json,
    sub_agent_json,
    verdict_json,
)
from oh_tui.commands.framework.printing import print_json, stamp
from oh_tui.commands.framework.reading import open_run, say_damage, title, whole
from oh_tui.commands.framework.status import as_read, standing
from oh_tui.text.amounts import number
from oh_tui.text.human import dollars, duration, percent, plural
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.analysis.alike.fingerprints import recovers
from oh_tui.trajectory.analysis.ending import is_cut_off, key_was_rejected
from oh_tui.trajectory.analysis.failures import failure_words
from oh_tui.trajectory.analysis.loops import Pattern
from oh_tui.trajectory.analysis.review_hints.hint import MOST, Hint
from oh_tui.trajectory.analysis.study import Study
from oh_tui.trajectory.analysis.verdict import Verdict, stopped_loop
from oh_tui.trajectory.analysis.verdict_words import fit, spans
from oh_tui.trajectory.model.bodies import text_field
from oh_tui.trajectory.model.recorded import Label
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.tool_use import Family
from oh_tui.trajectory.model.trajectory import CUT_OFF, Trajectory
from oh_tui.trajectory.model.usage import Cost, tokens_json
from oh_tui.trajectory.reading.describe import describe

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation
    from oh_tui.trajectory.files.order_in_time import Label as StepLabel

WIDTH = 100
"""The most columns that a line of groups takes."""

LIMIT = 160
"""Characters of the first trouble on a terminal."""

SOON = 30
"""Steps within which a failed command has to work for it to be no trouble."""

_MOST_LOOKED = 200
"""Failures that are followed up; a later one is trouble."""

_NAMED = 3
"""How many steps of a group are named; the others are counted."""


NOT_JUDGED = 1
"""Exit code of a run whose end is not in the file."""


@command(
    "why",
    *OF_RUN,
    examples={
        "why run.zip": "of a downloaded run",
        "why 5f3a --json": "the verdict, what came before it and the first trouble",
    },
    epilog="Exit code 1 when the file is cut off: how the run ended is then unknown.",
)
async def why(call: Call) -> int:
    """Returns 1 when the file lacks the end of the run, so that it cannot be judged."""
    conversation, loaded = await open_run(call, sub_agents=True)
    trajectory = whole(loaded)
    study = Study(trajectory)
    found = as_it_stands(call, conversation, study)
    if call.as_json:
        say_damage(loaded)
        print_json(found)
    else:
        note = loaded.note.removeprefix(CUT_OFF).lstrip("; ")  # the first line says that
        for told in filter(None, (note, study.part_of_cost)):
            print(f"note: {told}")
        print("\n".join(_lines(trajectory, found, call.style.room)))
        if key_was_rejected(trajectory) and (helps := await setup.other_key(call, conversation)):
            print(f"{'help':<14}{helps}")
    return NOT_JUDGED if trajectory.cut_off else 0


def as_it_stands(call: Call, conversation: Conversation, study: Study) -> dict[str, Any]:
    """The report, with what the server tells beside the events of a run that was just read."""
    found = report(as_read(call, conversation, study), study)
    now = standing(call, conversation, study)
    found["verdict"] = verdict_json(now.verdict)
    if now.silent is not None:
        found["silent_since"] = stamp(int(now.silent))
    return found


def report(conversation: Conversation, study: Study) -> dict[str, Any]:
    """What `--json` prints. All texts are clean; step numbers are those of the timeline."""
    trajectory = study.trajectory
    verdict, accounts, counts = study.verdict, study.accounts, trajectory.counts
    total = study.sub_runs.total
    first = _first_trouble(trajectory, verdict)
    about = describe(first, trajectory.outcome(first)) if first else None
    return {
        **branch_json(study),
        "verdict": verdict_json(verdict),
        "conversation": {
            "id": safe_line(conversation.id),
            "title": title(conversation),
            "label": label_of(conversation),
            "model": line(conversation.llm_model),
            "repository": line(conversation.selected_repository),
            "work_seconds": number(accounts.worked, 3),
            **cost_json(study, conversation),
            "priced": True if conversation.cost else study.sub_runs.priced,
            "llm_s": llm_seconds(total),
            "tokens": tokens_json(total, study.sub_runs.told),
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
            {"what": what, "steps": steps, **_fills_json(study, what, steps)}
            for what, steps in _before(trajectory, verdict)
        ],
        **_failed_json(study),
        "phases": phases_json(study),
        "first": {
            "step": first.number,
            "event_id": safe_line(first.event.id),
            "what": about.what,
            "result": about.result,
        }
        if first and about
        else None,
        **_look_json(study),
    }


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


def _failed_json(study: Study) -> dict[str, Any]:
    """The sub-agents that failed, at any depth; nothing where there is none."""
    failed = [sub_agent_json(run) for run in study.sub_runs.failed]
    return {"failed_sub_agents": failed} if failed else {}


def _look_json(study: Study) -> dict[str, Any]:
    """What is worth a look: the first ones, and how many more there are."""
    found = list(study.looks())
    return {
        "look": [
            {"step": step, "name": str(reason.hint), "reason": reason.why}
            for step, reason in found[:MOST]
        ],
        "look_more": len(found[MOST:]),
    }


# what came before

_FAILED = {
    Family.EDIT: ("edit refused", "edits refused"),
    Family.READ: ("read failed", "reads failed"),
    Family.WEB: ("web step failed", "web steps failed"),
    Family.HOOK: ("hook blocked or failed", "hooks blocked or failed"),
}
"""For one and for many."""


_CONDENSED = "history condensed"


def _fills_json(study: Study, what: str, steps: list[int]) -> dict[str, Any]:
    """How full the context was when each condensation came, by the answer before it; nothing where
    no answer tells it."""
    if what != _CONDENSED:
        return {}
    answers = map(study.contexts.before_step, steps)
    fills = [None if one is None else number(one.fill, 4) for one in answers]
    return {"fill": fills} if any(fill is not None for fill in fills) else {}


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


# lines for people


def _lines(
    trajectory: Trajectory, found: dict[str, Any], columns: int | None = None
) -> Iterator[str]:
    """`columns` is the width of the terminal, None for a pipe, for which nothing is cut."""
    yield _head(found)
    rows: list[tuple[str, str, str]] = []
    if found["verdict"]["cause"] and not trajectory.cut_off:
        rows.append(("why", *_reason(trajectory, found["verdict"])))
    wide = min(WIDTH, columns or WIDTH)
    room = wide
    for group in found["before"]:
        numbers, what = _numbers(group["steps"]), _what(group)
        needed = len(numbers) + len(what) + 8
        if rows and rows[-1][0] != "why" and needed <= room:
            label, steps, text = rows[-1]
            rows[-1] = (label, steps, f"{text}      {numbers}  {what}")
            room -= needed
        else:
            rows.append(("" if room < wide else "before", numbers, what))
            room = wide - 7 - needed
    for failed in found.get("failed_sub_agents", ()):
        told = failed["verdict"]
        text = f"sub-agent {told['word']}: {told['cause']}"
        rows.append(("agent", failed["path"], fit(text, LIMIT) if columns else text))
    first = found["first"]
    if first:
        text = "   ".join(filter(None, (first["what"], *first["result"].split("  "))))
        rows.append(("first", str(first["step"]), fit(text, LIMIT) if columns else text))
    rows += _phase_rows(found["phases"], columns)
    rows += _look_rows(found, cut=columns is not None)
    # a long list of steps does not push the others away
    width = max((5, *(len(steps) for _, steps, _ in rows if len(steps) < 10)))
    for label, steps, text in rows:
        yield f"{label:<7}{steps:>{width}}  {text}"


def _phase_rows(
    phases: list[dict[str, Any]], columns: int | None
) -> Iterator[tuple[str, str, str]]:
    """The rows of phases; none for a single phase, as the verdict says the same."""
    took = ["" if one["seconds"] is None else duration(one["seconds"]) for one in phases]
    cost = ["" if one["cost"] is None else dollars(one["cost"]) for one in phases]
    names = [one["name"] for one in phases]
    widths = [max(map(len, column), default=0) for column in (names, took, cost)]
    for place, one in enumerate(phases if len(phases) > 1 else ()):
        steps = (
            str(one["first"]) if one["first"] == one["last"] else f"{one['first']}-{one['last']}"
        )
        cells = (
            f"{names[place]:<{widths[0]}}",
            f"{took[place]:>{widths[1]}}",
            f"{cost[place]:>{widths[2]}}",
            one["summary"],
        )
        text = "  ".join(filter(None, cells))
        yield "" if place else "phases", steps, fit(text, LIMIT) if columns else text


def _look_rows(found: dict[str, Any], *, cut: bool) -> Iterator[tuple[str, str, str]]:
    """What is worth a look, a row for each kind: its reason, or of several steps what they are."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for one in found["look"]:
        by_name.setdefault(one["name"], []).append(one)
    for place, (name, looks) in enumerate(by_name.items()):
        steps = list(dict.fromkeys(one["step"] for one in looks))
        several = next(hint.several for hint in Hint if hint == name)
        text = several if len(steps) > 1 else looks[0]["reason"]
        in_row = spans(steps) if all(isinstance(step, int) for step in steps) else ""
        numbers = in_row if 0 < len(in_row) < 10 else _numbers(steps)
        yield "" if place else "look", numbers, fit(text, LIMIT) if cut else text
    if more := found["look_more"]:
        yield "", "", f"{more:,} more: oh-tui steps RUN look:any"


def _what(group: dict[str, Any]) -> str:
    """What a group is; of condensations how full the context was, where that is known."""
    fills = group.get("fill")
    if fills is None:
        return str(group["what"])
    known = sorted(fill for fill in fills if fill is not None)
    low, high = percent(known[0]), percent(known[-1])
    span = low if low == high else f"{low} to {high}"
    where = ", as far as that is known" if len(known) < len(fills) else ""
    return f"the context was {span} full when it was condensed{where}"


def _head(found: dict[str, Any]) -> str:
    """How it ended, after how much work, and what it came to; nothing that is zero."""
    about, word = found["conversation"], found["verdict"]["word"]
    if label := about["label"]:
        word = f"{word or 'outcome not known'}, {Label(label).words}"
    work = about["work_seconds"]
    no_price = "price unknown" if about["priced"] is False else ""
    parts = [
        f"{duration(work)} of work" if work and work >= 0.5 else "",
        plural(found["counts"]["steps"], "step") if found["counts"]["steps"] else "",
        Cost(about["cost"], about["cost_is_partial"], "cost_is_estimate" in about).words
        or no_price,
        f"model {about['model']}" if about["model"] else "",
    ]
    about_run = ", ".join(filter(None, parts))
    if found["verdict"]["cut_off"]:
        return f"{found['verdict']['cause']}" + (f"; before that {about_run}" if about_run else "")
    joined = " after " if parts[0] or parts[1] else ", "
    return (word or "outcome not known") + (joined + about_run if about_run else "")


def _reason(trajectory: Trajectory, verdict: dict[str, Any]) -> tuple[str, str]:
    """The steps that the verdict names, and its cause; of a loop the call that it repeats."""
    loop = stopped_loop(trajectory) if verdict["word"] == "stuck" else None
    numbers = spans(verdict["steps"])
    if loop is None:
        return numbers, verdict["cause"]
    step = trajectory.steps[loop.steps[-1] - 1]
    summary = {
        Pattern.SAME: f"same call, same result, {loop.times}",
        Pattern.ERRORS: f"same call, an error each time, {loop.times}",
        Pattern.ALTERNATING: f"the same two calls in turn, {len(loop.steps)} steps",
        Pattern.MESSAGES: f"messages without a call between them, {len(loop.steps)} in a row",
    }[loop.pattern]
    if loop.pattern is Pattern.MESSAGES:
        return numbers, summary
    called = [describe(step, trajectory.outcome(step)).what]
    if loop.pattern is Pattern.ALTERNATING:
        other = trajectory.steps[loop.steps[-2] - 1]
        called.insert(0, describe(other, trajectory.outcome(other)).what)
    code = step.result.exit_code if step.result else None
    exited = f"  (exit {code})" if code and loop.pattern is Pattern.SAME else ""
    return numbers, f"{summary}: {' and '.join(called)}{exited}"


def _numbers(steps: Sequence[StepLabel]) -> str:
    """The first steps of a group; before the end the last one comes first."""
    rest = len(steps) - _NAMED
    shown = steps if rest <= 1 else steps[:_NAMED]
    return ", ".join(map(str, shown)) + (f" +{rest} more" if rest > 1 else "")
