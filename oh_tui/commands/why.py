"""`oh-tui why`: how a run ended and why, what came before it, and its first trouble."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from oh_tui.batch.reports.one_run import whole
from oh_tui.batch.reports.seen import as_read, standing
from oh_tui.catalog.automations import made_words
from oh_tui.commands.agents import setup
from oh_tui.commands.framework.command import OF_RUN, Call, command
from oh_tui.commands.framework.opening import open_run, say_damage
from oh_tui.commands.framework.printing import print_json
from oh_tui.documents.why import report
from oh_tui.text.human import dollars, duration, percent, plural
from oh_tui.trajectory.findings.ending import fit, key_was_rejected, spans
from oh_tui.trajectory.findings.loops import Pattern
from oh_tui.trajectory.findings.review_hints.hint import Hint
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.findings.verdict import stopped_loop
from oh_tui.trajectory.model.recorded import Label
from oh_tui.trajectory.model.trajectory import CUT_OFF, Trajectory
from oh_tui.trajectory.model.usage import Cost
from oh_tui.trajectory.reading.describe import describe

if TYPE_CHECKING:
    from oh_tui.documents.shapes import common, run

WIDTH = 100
"""The most columns that a line of groups takes."""

LIMIT = 160
"""Characters of the first trouble on a terminal."""

_NAMED = 3
"""How many steps of a group are named; the others are counted."""


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
    now = standing(call, conversation, study)
    found = report(as_read(call, conversation, study), study, now)
    if call.as_json:
        say_damage(loaded)
        print_json(found)
    else:
        note = loaded.note.removeprefix(CUT_OFF).lstrip("; ")  # the first line says that
        for told in filter(None, (note, study.part_of_cost)):
            print(f"note: {told}")
        print("\n".join(_lines(trajectory, found, call.style.room)))
        if made := made_words(conversation):
            print(f"{'made by':<14}automation {made}")
        if key_was_rejected(trajectory) and (helps := await setup.other_key(call, conversation)):
            print(f"{'help':<14}{helps}")
    return 1 if trajectory.cut_off else 0


# lines for people


def _lines(trajectory: Trajectory, found: run.Why, columns: int | None = None) -> Iterator[str]:
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


def _phase_rows(phases: list[run.Phase], columns: int | None) -> Iterator[tuple[str, str, str]]:
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


def _look_rows(found: run.Why, *, cut: bool) -> Iterator[tuple[str, str, str]]:
    """What is worth a look, a row for each kind: its reason, or of several steps what they are."""
    by_name: dict[str, list[run.LookAt]] = {}
    for one in found["look"]:
        by_name.setdefault(one["name"], []).append(one)
    for place, (name, looks) in enumerate(by_name.items()):
        steps = list(dict.fromkeys(one["step"] for one in looks))
        own = [step for step in steps if isinstance(step, int)]
        several = next(hint.several for hint in Hint if hint == name)
        text = several if len(steps) > 1 else looks[0]["reason"]
        in_row = spans(own) if own == steps else ""
        numbers = in_row if 0 < len(in_row) < 10 else _numbers(steps)
        yield "" if place else "look", numbers, fit(text, LIMIT) if cut else text
    if more := found["look_more"]:
        yield "", "", f"{more:,} more: oh-tui steps RUN look:any"


def _what(group: run.Before) -> str:
    """What a group is; of condensations how full the context was, where that is known."""
    fills = group.get("fill")
    if fills is None:
        return str(group["what"])
    known = sorted(fill for fill in fills if fill is not None)
    low, high = percent(known[0]), percent(known[-1])
    span = low if low == high else f"{low} to {high}"
    where = ", as far as that is known" if len(known) < len(fills) else ""
    return f"the context was {span} full when it was condensed{where}"


def _head(found: run.Why) -> str:
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


def _reason(trajectory: Trajectory, verdict: common.Verdict) -> tuple[str, str]:
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


def _numbers(steps: Sequence[object]) -> str:
    """The first steps of a group; before the end the last one comes first."""
    rest = len(steps) - _NAMED
    shown = steps if rest <= 1 else steps[:_NAMED]
    return ", ".join(map(str, shown)) + (f" +{rest} more" if rest > 1 else "")
