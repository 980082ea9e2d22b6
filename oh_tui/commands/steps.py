"""`oh-tui steps`: what happened in a run, step by step."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable, Iterator

from oh_tui.commands.shared.documents import (
    GLYPHS,
    Facts,
    conversation_json,
    counts_json,
    step_json,
    totals_json,
    verdict_json,
)
from oh_tui.commands.shared.frame import Call, Command, filter_argument, run_argument
from oh_tui.commands.shared.printing import Cell, Column, Hue, Row, Style, print_json, say, table
from oh_tui.commands.shared.reading import name, open_run, whole
from oh_tui.text.clean import clean_line
from oh_tui.text.human import clock, dollars, plural, tenths
from oh_tui.trajectory.analysis.query import Query, parse
from oh_tui.trajectory.analysis.suggestions import meant
from oh_tui.trajectory.content.describe import describe
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.tool_use import Family

COLUMNS = (
    Column("#", right=True),
    Column("at", right=True),
    Column("llm", right=True),
    Column("ran", right=True),
    Column(""),
    Column("what", share=3),
    Column("result", share=2),
    Column("cost", right=True),
)

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


async def steps(call: Call) -> int:
    query = parse(call.asked.filter)
    conversation, loaded = await open_run(call)
    facts = Facts(whole(loaded))
    found = list(matching(facts, query))
    if not found and (hint := meant(query, facts.trajectory)):
        say(f"no step is {clean_line(query.text)}: {hint}")
    if loaded.note and (call.as_json or call.style.piped):
        say(loaded.note)
    if call.as_json:
        print_json(
            {
                "conversation": conversation_json(conversation),
                "verdict": verdict_json(facts.verdict),
                "counts": counts_json(facts) | {"shown": len(found)},
                "totals": totals_json(facts),
                "steps": [step_json(facts, step) for step in found],
            }
        )
        return 0
    if not call.style.piped:
        print(call.style.paint(name(conversation), "bold"))
        if loaded.note:
            print(f"note: {loaded.note}")
        if facts.verdict.word:  # of a run that is cut off the note says so
            print(f"{facts.verdict.word}  {facts.verdict.cause}".rstrip())
    for text in table(call.style, COLUMNS, step_rows(call.style, facts, found)):
        print(text)
    if not call.style.piped:
        print(call.style.paint(_foot(facts, query, len(found)), "dim"))
    return 0


def matching(facts: Facts, query: Query) -> Iterator[Step]:
    """The steps that are asked for, in order."""
    trajectory = facts.trajectory
    for step in trajectory.steps:
        if query.empty or query.matches(step, trajectory, facts):
            yield step


def step_rows(style: Style, facts: Facts, steps: Iterable[Step]) -> Iterator[Row]:
    return (step_row(style, facts, step) for step in steps)


def step_row(style: Style, facts: Facts, step: Step) -> Row:
    """A step under `COLUMNS`. Times are since the run began, unless they are asked for as such."""
    trajectory, accounts = facts.trajectory, facts.accounts
    outcome = trajectory.outcome(step)
    told = describe(step, outcome)
    when, began = step.event.seconds(), trajectory.began
    if style.times == "relative":
        at = "" if when is None or began is None else clock(when - began)
    else:
        at = style.when(when)
    llm, ran, spent = accounts.llm(step), accounts.ran(step), accounts.of(step)
    mark, hue = _mark(style, facts, step, outcome)
    return (
        str(step.number),
        Cell(at, "dim"),
        Cell("" if llm is None else tenths(llm), "dim"),
        Cell("" if ran is None else tenths(ran), "dim"),
        Cell(mark, hue),
        Cell(told.what, _HUES.get(told.family, "")),
        Cell(told.result, hue),
        Cell(dollars(spent.cost) if spent and spent.cost else "", "dim"),
    )


def _mark(style: Style, facts: Facts, step: Step, outcome: Outcome) -> tuple[str, Hue]:
    drawn = GLYPHS.get(outcome)
    mark = style.glyph(*drawn) if drawn else ""
    hue: Hue = _MARK_HUES.get(outcome, "amber" if drawn else "")
    if step.number in facts.loops:
        return style.glyph("∞", "@") + mark, "red"
    return mark, hue


def _foot(facts: Facts, query: Query, shown: int) -> str:
    counts = facts.trajectory.counts
    total = plural(len(facts.trajectory), "step")
    if not len(facts.trajectory):
        total = "nothing was asked yet"
    parts = [
        total if query.empty else f"{shown:,} of {total}",
        f"{plural(counts.hidden, 'other event')} hidden" if counts.hidden else "",
    ]
    return ", ".join(filter(None, parts))


def _arguments(parser: ArgumentParser) -> None:
    run_argument(parser)
    filter_argument(parser)


COMMANDS = {
    "steps": Command(
        "ID|PATH [FILTER]",
        _arguments,
        steps,
        (
            ("steps run.zip", "all steps"),
            ("steps 5f3a is:failed", "the commands that failed"),
            ("steps 5f3a 'tool:terminal took:>5s'", "the slow ones"),
            ("steps run.zip --json | jq .totals.cost", "for a script"),
        ),
    )
}
