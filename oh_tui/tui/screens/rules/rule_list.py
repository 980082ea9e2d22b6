"""The rules as rows: whether each holds, and the steps that break it; and one rule in full."""

from __future__ import annotations

import os
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

from oh_tui.settings.paths import tilde
from oh_tui.trajectory.analysis.rules.question import State
from oh_tui.trajectory.looks import rule_mark
from oh_tui.trajectory.presentation.block import Block, Failure, Fields, Heading, Note, Plain
from oh_tui.trajectory.presentation.describe import describe
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.widgets.drawing import Piece, fit, shorten
from oh_tui.tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oh_tui.sources.rules.rule import Finding, Rule
    from oh_tui.trajectory.analysis.rules.question import Answer
    from oh_tui.trajectory.model.steps import Step
    from oh_tui.trajectory.model.trajectory import Trajectory

    RuleRow = tuple[Rule, Finding]

_SEVERITY = 8
"""Cells of this column."""

_NAMED = 3
"""Steps that a row names."""

_HUES = {"high": "bad", "medium": "warn", "low": "dim"}


class RuleList(RowList):
    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.rows: Sequence[RuleRow] = ()
        self._names = 0
        """Cells of the longest name."""

    @property
    def current(self) -> RuleRow | None:
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def show(self, rows: Sequence[RuleRow], under: str = "") -> None:
        """Show other rows. The cursor goes to the rule `under`, else stays with its rule."""
        under = under or (self.current[0].name if self.current else "")
        self.rows = rows
        self._names = max((width_of(rule.name) for rule, _ in rows), default=0)
        self.rows_changed(next((n for n, row in enumerate(rows) if row[0].name == under), 0))

    def row_count(self) -> int:
        return len(self.rows)

    def pieces(self, row: int, width: int) -> list[Piece]:
        rule, found = self.rows[row]
        sign, hue = rule_mark(self.glyphs, found.state)
        names = min(self._names, max(12, width // 2))
        room = max(0, width - 2 - _SEVERITY - names - 2)
        is_broken = found.state is State.BROKEN
        told = shorten(told_of(found.answer), room, self.glyphs.more)
        return [
            (f"{sign} ", hue),
            (f"{found.severity:<{_SEVERITY}}", _HUES[found.severity] if is_broken else "dim"),
            (fit(rule.name, names, self.glyphs.more), "dim" if found.state is State.HOLDS else ""),
            (f"  {told}", "" if is_broken else "dim"),
        ]


def told_of(answer: Answer) -> str:
    """What breaks a rule, and of one that is not known what is missing."""
    if answer.state is State.UNKNOWN:
        return f"not known: {answer.lacks}"
    if answer.state is State.HOLDS:
        return ""
    return answer.broken_by(_NAMED)


def rule_blocks(rule: Rule, found: Finding, run: Trajectory) -> list[Block]:
    """Why the rule is there, what it asks, and the steps that break it. Decodes those: call it in a
    thread."""
    origin = tilde(Path(rule.origin), os.environ) if rule.origin else "oh-tui itself"
    blocks: list[Block] = [
        Plain(rule.why),
        Fields((*rule.asked, ("severity", rule.severity), ("comes from", origin))),
    ]
    answer = found.answer
    if answer.state is State.HOLDS:
        return [*blocks, Note("it holds")]
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
