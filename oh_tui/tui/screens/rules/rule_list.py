"""The rules as rows: whether each holds, and the steps that break it; and one rule in full."""

from __future__ import annotations

import os
from itertools import repeat
from pathlib import Path

from oh_tui.batch.rules.rule import Finding, Rule
from oh_tui.settings.paths import tilde
from oh_tui.tables.column import FILL, Cell, Column
from oh_tui.trajectory.glyphs import Glyphs, rule_mark
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.block import Block, Failure, Fields, Heading, Note, Plain
from oh_tui.trajectory.reading.describe import describe
from oh_tui.trajectory.rules.question import Answer, State
from oh_tui.tui.widgets.table_list import Columns, TableList

RuleRow = tuple[Rule, Finding]

_NAMED = 3
"""Steps that a row names."""

_AT_REST = (State.HOLDS, State.NOTHING)

_HUES = {"high": "bad", "medium": "warn", "low": "dim", "look": "dim"}


def _severity(row: RuleRow, _glyphs: Glyphs) -> Cell:
    found = row[1]
    return Cell(found.severity, _HUES[found.severity] if found.state is State.BROKEN else "dim")


def _name(row: RuleRow, _glyphs: Glyphs) -> Cell:
    rule, found = row
    return Cell(rule.name, "dim" if found.state in _AT_REST else "")


def _told_of(row: RuleRow, _glyphs: Glyphs) -> Cell:
    found = row[1]
    return Cell(told_of(found.answer), "" if found.state is State.BROKEN else "dim")


class RuleList(TableList[RuleRow]):
    def columns(self) -> Columns[RuleRow]:
        return (
            Column("", lambda row, glyphs: Cell(*rule_mark(glyphs, row[1].state)), width=1),
            Column("severity", _severity, gap=1, width=6),
            Column("rule", _name, share=1, least=12),
            Column("", _told_of, width=FILL, share=1),
        )

    def key(self, row: RuleRow) -> object:
        return row[0].name


def told_of(answer: Answer) -> str:
    """What breaks a rule, or what is missing where it is not known."""
    if answer.state is State.UNKNOWN:
        return f"not known: {answer.lacks}"
    if answer.state is State.NOTHING:
        return answer.state
    return "" if answer.state is State.HOLDS else answer.broken_by(_NAMED)


def rule_blocks(rule: Rule, found: Finding, run: Trajectory) -> list[Block]:
    """Why the rule is there, what it asks, and the steps that break it. Decodes those: call it in a
    thread."""
    origin = tilde(Path(rule.origin), os.environ) if rule.origin else "oh-tui itself"
    blocks: list[Block] = [
        Plain(rule.why),
        Fields((*rule.fields, ("severity", rule.severity), ("comes from", origin))),
    ]
    answer = found.answer
    if answer.state is State.HOLDS:
        return [*blocks, Note("it holds")]
    if answer.state is State.NOTHING:
        return [*blocks, Note("nothing to check: no step of the run is one that it is about")]
    if answer.state is State.UNKNOWN:
        return [*blocks, Note(f"not known whether it holds: {answer.lacks}")]
    if not answer.steps:
        because = f": {answer.because}" if answer.because else ""
        return [*blocks, Failure(f"the run as a whole breaks it{because}")]
    steps = [run.steps[number - 1] for number in answer.steps if number <= len(run.steps)]
    more = answer.total - len(answer.steps)
    rest = [Note(f"and {more:,} more")] if more > 0 else []
    return [*blocks, Heading("broken by"), Fields(tuple(map(_told, steps, repeat(run)))), *rest]


def _told(step: Step, run: Trajectory) -> tuple[str, str]:
    about = describe(step, run.outcome(step))
    return f"step {step.number:,}", "  ".join(filter(None, (about.what, about.result)))
