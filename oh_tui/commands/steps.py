"""`oh-tui steps`: what happened in a run, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from oh_tui.batch.reports.one_run import whole
from oh_tui.batch.reports.seen import as_read, last_known, standing
from oh_tui.catalog.names import name
from oh_tui.catalog.user_annotations import NOTHING, RunAnnotations
from oh_tui.commands.framework.command import OF_RUN, STEPS_OF_RUN, Call, command
from oh_tui.commands.framework.opening import open_run
from oh_tui.commands.framework.printing import Hue, Row, Style, print_json, print_table
from oh_tui.documents.run import children_json, step_with_children_json, sub_agent_json
from oh_tui.documents.steps import head_json, matching, say_unjudged
from oh_tui.tables.column import Cell, Column, Columns
from oh_tui.text.clean import clean_line
from oh_tui.text.human import clock, dollars, plural, tenths
from oh_tui.text.remarks import say
from oh_tui.trajectory.findings.study import Study, SubRun, SubRuns
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.tool_use import Family
from oh_tui.trajectory.reading.describe import describe
from oh_tui.trajectory.search.step_filter import Query, parse, suggest

if TYPE_CHECKING:
    from oh_tui.documents.shapes import run

COLUMNS: Columns = (
    Column("#", right=True),
    Column("at", right=True),
    Column("llm", right=True),
    Column("ran", right=True),
    Column(""),
    Column("what", share=3),
    Column("result", share=2),
    Column("cost", right=True),
)

_WHAT, _COST = 5, 7
"""Places among them."""

_HUES: dict[Family, Hue] = {
    Family.YOU: "blue",
    Family.AGENT: "violet",
    Family.TERMINAL: "cyan",
    Family.EDIT: "green",
    Family.WEB: "blue",
    Family.MCP: "blue",
    Family.ERROR: "red",
}


_MARK_HUES: dict[Outcome, Hue] = {Outcome.ERROR: "red", Outcome.REJECTED: "dim"}


GLYPHS = {
    Outcome.COMMAND_FAILED: ("!", "!"),
    Outcome.ERROR: ("✗", "x"),
    Outcome.REJECTED: ("–", "-"),
    Outcome.WAITING: ("◆", "?"),
    Outcome.RUNNING: ("●", "*"),
    Outcome.NO_RESULT: ("▒", "/"),
}
"""The mark of an outcome, and its ASCII form."""


@command(
    "steps",
    *OF_RUN,
    STEPS_OF_RUN,
    examples={
        "steps run.zip": "all steps",
        "steps 5f3a is:failed": "the commands that failed",
        "steps 5f3a tool:terminal 'took:>5s'": "the slow ones",
        "steps run.zip --json | jq .totals.cost": "for a script",
    },
)
async def steps(call: Call) -> int:
    query = parse(call.args.filter)
    conversation, loaded = await open_run(call, sub_agents=True)
    study, kept = Study(whole(loaded)), call.annotations().of(conversation)
    conversation = as_read(call, conversation, study)
    now = standing(call, conversation, study)
    found = matching(study, query, kept)
    say_unjudged(query.gave_up, query.unknown(study))
    loose = study.sub_runs.loose if query.empty else []
    note = "; ".join(filter(None, (loaded.note, _sub_agents_note(study, query))))
    if not found and (hint := suggest(query, study.trajectory)):
        say(f'no steps match "{clean_line(query.text)}": {hint}')
    if note and (call.as_json or call.style.piped):
        say(note)
    if call.as_json:
        known = last_known(call, conversation, now)
        document: run.Steps = {
            **head_json(conversation, known, study, now, kept, len(found)),
            "steps": [step_with_children_json(study, step, kept) for step in found],
        }
        if loose:
            document["sub_agents"] = [sub_agent_json(one) for one in loose]
            document["children"] = [child for one in loose for child in children_json(one, kept)]
        print_json(document)
        return 0
    if not call.style.piped:
        print(call.style.paint(name(conversation), "bold"))
        if note:
            print(f"note: {note}")
        if now.verdict.word:  # the note says when a run is cut off
            print(f"{now.verdict.word}  {now.verdict.cause}".rstrip())
    print_table(call.style, COLUMNS, _rows(call.style, study, found, loose, kept))
    if not call.style.piped:
        print(call.style.paint(_foot(study, query, len(found)), "dim"))
    return 0


def _sub_agents_note(study: Study, query: Query) -> str:
    """What cannot be told of the sub-agents; and that a filter is not for them."""
    sub_runs = study.sub_runs
    if query.empty or not sub_runs.runs:
        return sub_runs.note
    agents = plural(len(list(sub_runs.all())), "sub-agent")
    return f"the filter does not look at the steps of {agents}"


def _rows(
    style: Style, study: Study, found: list[Step], loose: list[SubRun], kept: RunAnnotations
) -> Iterator[Row]:
    """The steps, below each those of the sub-agents that it started, indented."""
    began = study.trajectory.began
    for step in found:
        yield _with_sub_cost(list(step_row(style, study, step, kept=kept)), study.sub_runs, step)
        for run in study.sub_runs.of(step):
            yield from _sub_rows(style, kept, run, began)
    for run in loose:
        yield from _sub_rows(style, kept, run, began)


def _sub_rows(
    style: Style, kept: RunAnnotations, run: SubRun, began: float | None, depth: int = 1
) -> Iterator[Row]:
    for step in run.trajectory.steps:
        row = list(step_row(style, run, step, began, kept))
        what = row[_WHAT]
        assert isinstance(what, Cell)
        row[0], row[_WHAT] = f"{run.path}{step.number}", Cell("  " * depth + what.text, what.hue)
        yield _with_sub_cost(row, run.sub_runs, step)
        for one in run.sub_runs.of(step):
            yield from _sub_rows(style, kept, one, began, depth + 1)
    for one in run.sub_runs.loose:
        yield from _sub_rows(style, kept, one, began, depth + 1)


def _with_sub_cost(row: list[str | Cell], sub_runs: SubRuns, step: Step) -> Row:
    """The row; with the cost of the sub-agents that the step started beside its own."""
    cost, sub = row[_COST], sub_runs.used_by(step).cost
    assert isinstance(cost, Cell)
    if sub:
        row[_COST] = Cell(f"{cost.text} +{dollars(sub)}".lstrip(), cost.hue)
    return row


def step_row(
    style: Style,
    study: Study,
    step: Step,
    began: float | None = None,
    kept: RunAnnotations = NOTHING,
) -> Row:
    """A step under `COLUMNS`. Times count from when the run `began`, of a sub-agent that which
    started it, unless `style` asks for absolute ones."""
    trajectory, accounts = study.trajectory, study.accounts
    outcome = trajectory.outcome(step)
    about = describe(step, outcome)
    when = step.event.seconds()
    began = trajectory.began if began is None else began
    time = style.when(step.event.timestamp)
    if style.times == "relative":
        time = "" if when is None or began is None else clock(when - began)
    llm, ran = accounts.llm(step), accounts.ran(step)
    spent = accounts.of(step) or accounts.inherited(step)
    mark, hue = _mark(style, study, step, outcome, kept)
    return (
        str(step.number),
        Cell(time, "dim"),
        Cell("" if llm is None else tenths(llm), "dim"),
        Cell("" if ran is None else tenths(ran), "dim"),
        Cell(mark, hue),
        Cell(about.what, _HUES.get(about.family, "")),
        Cell(about.result, hue),
        Cell(dollars(spent.cost) if spent and spent.cost else "", "dim"),
    )


def _mark(
    style: Style, study: Study, step: Step, outcome: Outcome, kept: RunAnnotations
) -> tuple[str, Hue]:
    drawn = GLYPHS.get(outcome)
    mark = style.glyph(*drawn) if drawn else ""
    hue: Hue = _MARK_HUES.get(outcome, "amber" if drawn else "")
    if step.event.id in kept.bookmarks:
        mark, hue = style.glyph("★", "b") + mark, hue or "blue"
    if step.event.id in kept.step_notes:
        mark, hue = style.glyph("¶", ";") + mark, hue or "blue"
    if step.number in study.loops:
        return style.glyph("∞", "@") + mark, "red"
    return mark, hue


def _foot(study: Study, query: Query, shown: int) -> str:
    counts = study.trajectory.counts
    count = len(study.trajectory)
    total = plural(count, "step") if count else "nothing was asked yet"
    parts = [
        total if query.empty else f"{shown:,} of {total}",
        f"{plural(counts.hidden, 'other event')} hidden" if counts.hidden else "",
        study.part_of_cost,
        f"steps 1-{taken} inherited" if (taken := study.accounts.taken[0]) else "",
    ]
    return ", ".join(filter(None, parts))
