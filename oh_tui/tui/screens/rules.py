"""The rules of a run: which hold, which are broken and by which steps, which are not known."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import ClassVar, NamedTuple

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from oh_tui.batch.rules.rule import Finding
from oh_tui.batch.rules.rule import Rule as RunRule
from oh_tui.batch.rules.rule_places import Rules
from oh_tui.settings.paths import tilde
from oh_tui.tables.column import FILL, Cell, Column
from oh_tui.text.display import cached_line
from oh_tui.trajectory.glyphs import Glyphs, rule_mark
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.block import Block, Failure, Fields, Heading, Note, Plain
from oh_tui.trajectory.presentation.blocks import step_blocks
from oh_tui.trajectory.reading.describe import describe
from oh_tui.trajectory.rules.question import Answer, State
from oh_tui.tui.screens.view import KeyLabels, View, pair
from oh_tui.tui.state.rules import RunFindings
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.drawing import Labels, Piece, Rule, joined
from oh_tui.tui.widgets.row_list import RowList
from oh_tui.tui.widgets.table_list import Columns, TableList

MOST_FAULTS = 10
"""Lines of faults at most, and at most a third of all."""


RuleRow = tuple[RunRule, Finding]

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
    """What breaks a rule, what is missing where it is not known, else why it is there."""
    rule, answer = row[0], row[1].answer
    match answer.state:
        case State.BROKEN:
            return Cell(answer.broken_by(_NAMED))
        case State.UNKNOWN:
            return Cell(f"not known: {answer.lacks}", "dim")
        case State.NOTHING:
            return Cell(answer.state, "dim")
    return Cell(cached_line(rule.why), "dim")


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


def rule_blocks(rule: RunRule, found: Finding, run: Trajectory, here: int) -> list[Block]:
    """Which steps break the rule, why it is there, the step that enter goes to from `here`; and
    what it asks. Call it in a thread: it decodes these steps."""
    origin = tilde(Path(rule.origin), os.environ) if rule.origin else "oh-tui itself"
    asks = Fields((*rule.fields, ("severity", rule.severity), ("comes from", origin)))
    told = [*_found(found.answer, run), Plain(rule.why)]
    number = next_step(found.answer, here) if found.answer.steps else 0
    if 0 < number <= len(run.steps):
        told += [Heading(f"step {number:,}"), *step_blocks(run, run.steps[number - 1])]
    return [*told, Heading("the rule"), asks]


def _found(answer: Answer, run: Trajectory) -> list[Block]:
    if answer.state is State.HOLDS:
        return [Note("it holds")]
    if answer.state is State.NOTHING:
        return [Note("nothing to check: no step of the run is one that it is about")]
    if answer.state is State.UNKNOWN:
        return [Note(f"not known whether it holds: {answer.lacks}")]
    if not answer.steps:
        because = f": {answer.because}" if answer.because else ""
        return [Failure(f"the run as a whole breaks it{because}")]
    steps = [run.steps[number - 1] for number in answer.steps if number <= len(run.steps)]
    more = answer.total - len(answer.steps)
    rest = [Note(f"and {more:,} more")] if more > 0 else []
    return [Fields(tuple(map(_told, steps, repeat(run)))), *rest]


def _told(step: Step, run: Trajectory) -> tuple[str, str]:
    about = describe(step, run.outcome(step))
    return f"step {step.number:,}", "  ".join(filter(None, (about.what, about.result)))


class Chosen(NamedTuple):
    """The rule under the cursor, and the event of the step to go to."""

    rule: str
    event_id: str


class RulesScreen(View[Chosen | None]):
    """Call `show` with what the rules find, again where the run grew."""

    HELP_TITLE = "In the rules of a run"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go", "to the step"),
        *pair("J", "K", "scroll_half", "scroll", "the rule, down and up"),
        Binding("C,q", "dismiss", "close", show=False),
    ]

    def __init__(self, title: str, here: int, under: str = "") -> None:
        """`here` is the step under the cursor of the timeline, after which steps are looked for;
        `under` the rule that the cursor is to be on."""
        super().__init__()
        self._title, self._here, self._under = title, here, under
        self.found: RunFindings | None = None
        self._progress = "reading the run …"
        self.rule = Rule(id="rules-rule")
        self.faults = Labels()
        self.list = RuleList(id="rules")
        self.rule_rule, self.body = Rule(id="rule-rule"), BodyView(id="rule")
        self.bodies = (self.body,)

    def compose(self) -> ComposeResult:
        yield from (self.rule, self.faults, self.list, self.rule_rule, self.body, self.footer)

    def on_mount(self) -> None:
        self._show_all()

    # What is known

    def tell_progress(self, words: str) -> None:
        """What is done until the rules have answers, or have new ones."""
        self._progress = words
        if self.is_mounted:
            self._show_facts()

    def show(self, found: RunFindings) -> None:
        self.found, self._progress = found, ""
        if self.is_mounted:
            self._show_all()

    def _show_all(self) -> None:
        found = self.found
        if found is not None:
            self._show_faults(found.in_force)
            rows = found.rows()
            under = (n for n, (rule, _) in enumerate(rows) if rule.name == self._under)
            self.list.show(rows, next(under, None), keep_line=False)
            self._under = ""
        self._arrange()
        self._show_facts()
        self._show_rule()

    def _show_facts(self) -> None:
        self.rule.title = (("Rules", "title"), (f"  {self._title}", "dim"))
        self.rule.heavy = True
        facts: list[Piece] = [(self._progress, "warn")] if self._progress else []
        if self.found is None:
            self.list.empty = (self._progress, "esc stops")
            facts = []
        else:
            facts += self._counts(self.found)
        self.rule.facts = joined(facts, self.rule.glyphs.dot)
        self.show_keys()

    def _counts(self, found: RunFindings) -> Sequence[Piece]:
        states = [one.state for one in found.findings]
        named = {State.BROKEN: "broken", State.UNKNOWN: "not known", State.HOLDS: "hold"}
        named[State.NOTHING] = State.NOTHING
        facts: list[Piece] = []
        for state, words in named.items():
            if count := states.count(state):
                sign, hue = rule_mark(self.rule.glyphs, state)
                facts.append((f"{sign} {count:,} {words}", hue))
        if file := found.in_force.of_repository:
            facts.append((f"also those of {tilde(file, os.environ)}", "dim"))
        return facts

    # The rule under the cursor

    @on(RowList.Highlighted, "#rules")
    def _at_a_rule(self) -> None:
        self._show_rule()
        self.show_keys()

    def _show_faults(self, in_force: Rules) -> None:
        """Why a file with rules cannot be used, a fault on a line of its own."""
        told = ["C asks again; until then these are the rules of oh-tui alone."]
        told += map(str.strip, in_force.hint.splitlines())
        self.faults.most = max(3, min(MOST_FAULTS, self.size.height // 3))
        self.faults.lines = [[(in_force.faults, "bad")], *([(line, "")] for line in told)]
        self.faults.display = bool(in_force.faults)

    @work(group="rule", exclusive=True)
    async def _show_rule(self) -> None:
        row, study = self.list.current, self.found and self.found.state.study()
        if row is None or study is None:
            return
        rule, finding = row
        sign, hue = rule_mark(self.rule.glyphs, finding.state)
        self.rule_rule.title = ((f"{sign} ", hue), (rule.name, "title"))
        make = partial(rule_blocks, rule, finding, study.trajectory, self._here)
        blocks = await asyncio.to_thread(make)
        self.body.show(blocks)
        self._show_position()

    @on(BodyView.Scrolled)
    def _show_position(self) -> None:
        self.rule_rule.facts = tuple(self.body.position_facts())
        self.show_keys()

    def show_keys(self) -> None:
        self.esc = "close" if self.found else "stop"
        super().show_keys()

    def key_labels(self) -> KeyLabels:
        answer = self.list.current[1].answer if self.list.current else None
        step = next_step(answer, self._here) if answer and answer.steps else 0
        return {"to the step": step and f"to step {step:,}", "scroll": self.rule_rule.facts}

    # Keys

    @on(RowList.Opened, "#rules")
    @on(BodyView.Opened)
    def action_go(self) -> None:
        row, study = self.list.current, self.found and self.found.state.study()
        if row is None or study is None:
            return
        rule, finding = row
        if finding.answer.steps:
            number = next_step(finding.answer, self._here)
            step = study.trajectory.steps[number - 1]
            self.dismiss(Chosen(rule.name, step.event.id))
        else:
            is_broken = finding.state is State.BROKEN
            whole = "the run as a whole breaks it, no single step"
            self.footer.tell(whole if is_broken else "no step breaks it", remark=True)

    def on_resize(self) -> None:
        if self.found is not None:
            self._show_faults(self.found.in_force)
        self._arrange()
        self._show_facts()

    def _arrange(self) -> None:
        """The rules take the lines they need, at most half; the one under the cursor the rest."""
        count = self.list.row_count()
        self.rule_rule.display = self.body.display = count > 0
        self.list.styles.height = min(count, max(3, self.size.height // 2)) if count else "1fr"


def next_step(answer: Answer, here: int) -> int:
    """The first step that breaks a rule after one, else the first of all."""
    return next((number for number in answer.steps if number > here), answer.steps[0])
