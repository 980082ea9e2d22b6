"""The contents of Call and Result for a step or an event, made without widgets, as in a thread."""

from __future__ import annotations

from typing import NamedTuple

from oh_tui.text.display import cached_line
from oh_tui.text.human import compact, dollars, duration, size
from oh_tui.text.redact import safe
from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.glyphs import Glyphs, outcome_mark
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage import NO_USAGE, Usage
from oh_tui.trajectory.presentation import blocks as content
from oh_tui.trajectory.presentation import step_context
from oh_tui.trajectory.presentation.block import Block, Json, Note, Thought
from oh_tui.tui.widgets.drawing import Piece

LARGE = 100_000
"""Bytes of JSON up to which making the bodies takes less than a frame; else a thread does."""


NOTE_LINES = 2
"""Lines of a note above the call, unless the pane has the whole screen."""


PARTS = 4
"""The most parts that the title of a call or a result has."""


class Place(NamedTuple):
    """Where a step stands in the whole run."""

    label: str
    """Its number, of a step of a sub-agent as 12.3."""
    accounts: Accounts | None = None
    """Those of the run or of the sub-agent; None until they are made."""
    below: Usage = NO_USAGE
    """What the sub-agents used that it started."""


class Shown(NamedTuple):
    """The facts in the rules of Call and Result, and the blocks below them."""

    call_facts: tuple[Piece, ...]
    result_facts: tuple[Piece, ...]
    call: list[Block]
    result: list[Block]
    at_end: bool = False


def weight(step: Step | None, event: Event) -> int:
    """Bytes of JSON to read for its bodies."""
    return sum(len(each.raw()) for each in (event, *(step.results if step else ())))


def of_event(event: Event, run: Trajectory, as_json: bool) -> Shown:
    blocks: list[Block] = [Json(content.json_text(Step(0, event)))] if as_json else []
    blocks = blocks or content.event_blocks(event, step_context.StepContext(run, event))
    return Shown(((cached_line(event.kind), "dim"),), (("hidden event", "dim"),), [], blocks)


def of_step(
    step: Step,
    outcome: Outcome,
    run: Trajectory,
    study: Study | None,
    glyphs: Glyphs,
    place: Place,
    *,
    whole_call: bool,
    as_json: bool,
    note: str = "",
) -> Shown:
    """`note` is the user's own on the step; it stands above the call."""
    glyph, hue = outcome_mark(glyphs, outcome)
    call = _title(step, run, place)
    # the outcome comes first and in colour; without room the last facts are left out
    ran = place.accounts.ran(step) if place.accounts else None
    ended, *rest = content.result_title(step, outcome, ran).split(" · ")
    rest[:0] = _loop(step, run, study)
    result = ((f"{glyph} {ended}".strip(), hue or "dim"), *((fact, "dim") for fact in rest))[:PARTS]
    if as_json:
        result = (("JSON (R)", "mark"), result[0])  # the other facts describe the hidden blocks
        return Shown(call, result, _noted(note, glyphs), [Json(content.json_text(step))])
    context = step_context.StepContext(run, step)
    return Shown(
        call,
        result,
        _noted(note, glyphs, whole=whole_call)
        + content.call_blocks(step, whole=whole_call, context=context)
        + (_details(step, place, rest) if whole_call else []),
        content.result_blocks(step, outcome, context=context),
        outcome in (Outcome.ERROR, Outcome.COMMAND_FAILED),
    )


def at_first(
    step: Step | None, event: Event, run: Trajectory, place: Place | None, whole_call: bool
) -> Shown:
    """Shown while the rest is made: the call, unless it is the large part."""
    waits = Note(f"reading {size(weight(step, event))} …")
    if step is None or place is None:
        return Shown((), (), [], [waits])
    small = weight(None, event) < LARGE
    context = step_context.StepContext(run, step)
    call = content.call_blocks(step, whole=whole_call, context=context) if small else []
    return Shown(_title(step, run, place), (), call, [waits])


def _noted(note: str, glyphs: Glyphs, *, whole: bool = False) -> list[Block]:
    return [Thought(f"{glyphs.note} {safe(note)}", 0 if whole else NOTE_LINES)] if note else []


def _title(step: Step, run: Trajectory, place: Place) -> tuple[Piece, ...]:
    """The step, its tool and what it cost, else its tokens: with the phase that follows no more
    than four parts."""
    name = content.call_title(step, numbered=run.complete, label=place.label)
    accounts, spent = place.accounts, _spent(step, place)
    told = " ".join(spent[-2:] if place.below.cost else spent[-1:])
    if accounts and accounts.is_inherited(step):
        told = f"inherited {told}".strip()
    return ((f"{name} · {told}" if told else name, "dim"),)


def _spent(step: Step, place: Place) -> list[str]:
    """The model's time, tokens and cost of a step, and the cost of the sub-agents it started."""
    if place.accounts is None:
        return []
    accounts, llm = place.accounts, place.accounts.llm(step)
    spent = accounts.of(step) or accounts.inherited(step)
    facts = [f"llm {duration(llm)}"] if llm is not None and llm >= 0.05 else []
    if spent and spent.tokens:
        facts.append(f"{compact(spent.tokens)} tokens")
    if spent and spent.cost:
        facts.append(f"${spent.cost:.3f}" if spent.cost < 0.1 else dollars(spent.cost))
    if place.below.cost:
        facts.append(f"+{dollars(place.below.cost)} by sub-agents")
    return facts


def _details(step: Step, place: Place, rest: list[str]) -> list[Block]:
    """What the titles have no room for, shown below the whole call. That of a result has room for
    one fact besides the outcome, the lines in sight and blame."""
    told = _spent(step, place)[: -2 if place.below.cost else -1]
    more = [f"result: {', '.join(rest[1:])}"] if rest[1:] else []
    return [Note(one) for one in (", ".join(told), *more) if one]


def _loop(step: Step, run: Trajectory, study: Study | None) -> tuple[str, ...]:
    """The loop that a step is in, with its steps if the verdict names them."""
    if study is None or step.number not in study.loops:
        return ()
    named = study.verdict.steps
    if step.number not in named or len(named) < 2 or not run.complete:
        return ("in a loop",)
    return (f"in the loop {named[0]}-{named[-1]}",)
