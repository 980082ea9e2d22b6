"""Two runs side by side: their numbers, their strips, and their steps from the first difference.

`enter` on a row shows the calls and results of both steps, `d` their difference.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import var
from textual.screen import ModalScreen

from oh_tui.trajectory.comparison.compare import Comparison, Kind, Row
from oh_tui.trajectory.comparison.step_diff import difference_blocks
from oh_tui.trajectory.comparison.words import counts_words, parting_words
from oh_tui.trajectory.content.block import Block, Heading, Note
from oh_tui.trajectory.content.blocks import call_blocks, call_title, result_blocks, result_title
from oh_tui.trajectory.content.step_context import StepContext
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.tui.keys import HELP, Hint
from oh_tui.tui.platform.base_screen import ClosesOnce
from oh_tui.tui.screens.comparison.heads import ComparedHeads, ComparedStrips
from oh_tui.tui.screens.comparison.steps import ComparedSteps
from oh_tui.tui.widgets.bars import Footer
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.drawing import Piece, Stack
from oh_tui.tui.widgets.drawing import Row as SideBySide
from oh_tui.tui.widgets.row_list import RowList
from oh_tui.tui.widgets.rule import Rule, joined

if TYPE_CHECKING:
    from oh_tui.tui.state.compared import Compared

SIDE_BY_SIDE = 100
"""Columns from which two bodies stand side by side, else one above the other."""

WITH_STRIPS = 20
"""Lines of a screen that has room for the strips."""


class CompareScreen(ModalScreen[None], ClosesOnce[None]):
    """Call `show_runs` when both runs are read, or `fail`."""

    DEFAULT_CSS = """
    CompareScreen { background: $background; }
    CompareScreen ComparedHeads { height: 2; }
    CompareScreen ComparedStrips { height: 5; }
    CompareScreen ComparedSteps, CompareScreen BodyView { height: 1fr; }
    CompareScreen #both { height: 1fr; }
    CompareScreen.-narrow #both { layout: vertical; }
    CompareScreen #both Stack { width: 1fr; height: 1fr; }
    """
    HELP_TITLE = "In the comparison"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", show=False),
        Binding("equals_sign,q", "dismiss", "close", show=False),
        Binding("e", "next_difference(1)", "next difference", show=False),
        Binding("E", "next_difference(-1)", "previous difference", show=False),
        Binding("d", "difference", "what differs, as a diff", show=False),
        Binding("right_square_bracket", "move_on(1)", "next row", show=False),
        Binding("left_square_bracket", "move_on(-1)", "previous row", show=False),
        Binding("J", "scroll_both(1)", "both down", show=False),
        Binding("K", "scroll_both(-1)", "both up", show=False),
        Binding("w", "wrap", "wrap", show=False),
        Binding("tab,shift+tab", "other_side", "other side", show=False),
    ]
    AUTO_FOCUS = "#compared-steps"

    view: var[str] = var("steps")
    """What has the room below the heads: the "steps", "both" calls and results of a row, or their
    "diff"."""

    def __init__(self) -> None:
        super().__init__()
        self._runs: tuple[Compared, Compared] | None = None
        self._comparison: Comparison | None = None
        self._waits: tuple[str, ...] = ("reading the runs …",)
        """Shown in place of steps until the runs are compared."""

    def compose(self) -> ComposeResult:
        self.rule = Rule("Compare")
        self.heads = ComparedHeads()
        self.strips = ComparedStrips()
        self.steps_rule = Rule("Steps")
        self.steps = ComparedSteps(id="compared-steps")
        self.side_rules = Rule(), Rule()
        self.bodies = BodyView(id="compared-a"), BodyView(id="compared-b")
        self.diff_rule = Rule()
        self.diff = BodyView(id="compared-diff")
        self.footer = Footer()
        yield from (self.rule, self.heads, self.strips, self.steps_rule, self.steps)
        self.both = SideBySide(id="both")
        with self.both:
            for parts in zip(self.side_rules, self.bodies, strict=True):
                yield Stack(*parts)
        yield from (self.diff_rule, self.diff, self.footer)

    def on_mount(self) -> None:
        self._arrange()
        if self._comparison:
            self._show()
        else:
            self.steps.empty = self._waits
            self._show_keys()

    # The runs

    def show_runs(self, a: Compared, b: Compared, comparison: Comparison) -> None:
        self._runs, self._comparison = (a, b), comparison
        if self.is_mounted:
            self._show()

    def tell_progress(self, *lines: str) -> None:
        """What is being read, or why nothing can be compared."""
        self._waits = lines
        if self.is_mounted:
            self.steps.empty = lines

    def _show(self) -> None:
        assert self._runs and self._comparison
        a, b = self._runs
        comparison = self._comparison
        self.heads.show(a, b)
        self.strips.show(a, b)
        self.rule.facts = ((parting_words(comparison), "" if comparison.differences else "good"),)
        dot = self.steps_rule.glyphs.dot
        self.steps_rule.facts = ((counts_words(comparison, dot), ""),)
        self._arrange()
        self.steps.show(comparison)
        self._at_a_row()

    @on(RowList.Highlighted, "#compared-steps")
    def _at_a_row(self) -> None:
        row = self.steps.current
        if row:
            numbers = [step.number if step else None for step in (row.a, row.b)]
            self.strips.select(*numbers)
        self._show_keys()
        if self.view != "steps":
            self._read_row()

    @on(ComparedStrips.Picked)
    def _go_to_step(self, message: ComparedStrips.Picked) -> None:
        row = self.steps.row_of(message.side, message.number)
        if row is not None:
            self.steps.move_to(row)

    def _show_keys(self) -> None:
        hints: list[Hint] = []
        row, comparison = self.steps.current, self._comparison
        if row and comparison:
            if self.view != "both":
                hints.append(Hint("enter", "read both", "both"))
            if comparison.differences:
                hints.append(Hint("e E", "differences", "next_difference(1)"))
            if self.view != "diff" and row.a and row.b:
                hints.append(Hint("d", "what differs", "difference"))
            if self.view != "steps":
                hints.append(Hint("[ ]", "rows", "move_on(1)"))
                hints.append(Hint("J K", "scroll", "scroll_both(1)"))
                hints.append(Hint("w", "wrap", "wrap"))
        self.footer.hints = tuple(hints)
        back = "close" if self.view == "steps" else "back"
        self.footer.always = (HELP, Hint("esc", back, "back"))
        self.steps_rule.heavy = self.view == "steps"
        for rule, body in zip(self.side_rules, self.bodies, strict=True):
            rule.heavy = body.has_focus
        self.diff_rule.heavy = self.view == "diff"

    # Both steps of a row

    @work(group="compared", exclusive=True)
    async def _read_row(self) -> None:
        """Makes the bodies in a thread: texts may be large."""
        row, comparison = self.steps.current, self._comparison
        if row is None or comparison is None:
            return
        if self.view == "diff":
            self.diff_rule.title = (*_title("A", row.a), ("   ", ""), *_title("B", row.b))
            self.diff.show(await asyncio.to_thread(_diff, row))
            return
        for name, side, run in (("A", 0, comparison.a), ("B", 1, comparison.b)):
            step, rule = (row.a, row.b)[side], self.side_rules[side]
            rule.title = _title(name, step)
            rule.facts = _facts(run, step, rule.glyphs.dot)
            self.bodies[side].show(await asyncio.to_thread(_body, run, step, name))

    # Keys

    def action_back(self) -> None:
        if self.view == "steps":
            self.dismiss(None)
        else:
            self.view = "steps"

    @on(RowList.Opened, "#compared-steps")
    @on(BodyView.Opened)
    def action_both(self) -> None:
        if self.steps.current:
            self.view = "steps" if self.view == "both" else "both"

    def action_difference(self) -> None:
        row = self.steps.current
        if row is None:
            return
        if self.view == "diff":
            self.view = "steps"
        elif row.a and row.b:
            self.view = "diff"
        else:
            name = "A" if row.a else "B"
            shows = "" if self.view == "both" else ": enter shows it"
            self.footer.tell(f"only {name} has this step{shows}", remark=True)

    def action_next_difference(self, by: int) -> None:
        row = self.steps.next_difference(by)
        if row is not None:
            self.steps.move_to(row)
        elif self.steps.current:
            where = "after this" if by > 0 else "before this"
            self.footer.tell(f"no difference {where}", remark=True)

    def action_move_on(self, rows: int) -> None:
        self.steps.action_move(rows)

    def action_scroll_both(self, by: int) -> None:
        for body in (*self.bodies, self.diff):
            body.scroll_lines(by * max(1, body.size.height // 2))

    def action_wrap(self) -> None:
        for body in (*self.bodies, self.diff):
            body.wrap = not body.wrap

    def action_other_side(self) -> None:
        if self.view == "both":
            self.bodies[self.bodies[0].has_focus].focus()

    def on_descendant_focus(self) -> None:
        self._show_keys()

    # Arrangement

    def watch_view(self) -> None:
        if not self.is_mounted:
            return
        self._arrange()
        {"steps": self.steps, "both": self.bodies[0], "diff": self.diff}[self.view].focus()
        self._at_a_row()

    def on_resize(self) -> None:
        self._arrange()

    def _arrange(self) -> None:
        in_steps, is_high = self.view == "steps", self.size.height >= WITH_STRIPS
        is_compared = self._runs is not None
        self.set_class(self.size.width < SIDE_BY_SIDE, "-narrow")
        self.heads.display = is_compared and (in_steps or is_high)
        self.strips.display = is_compared and in_steps and is_high
        self.steps_rule.display = self.steps.display = in_steps
        self.both.display = self.view == "both"
        self.diff_rule.display = self.diff.display = self.view == "diff"


def _title(name: str, step: Step | None) -> tuple[Piece, ...]:
    return (name, "title"), (f"  {call_title(step) if step else 'has no such step'}", "dim")


def _facts(run: Trajectory, step: Step | None, dot: str) -> tuple[Piece, ...]:
    if step is None:
        return ()
    told = result_title(step, run.outcome(step)).split(" · ")
    return joined([(fact, "dim") for fact in told if fact], dot)


def _body(run: Trajectory, step: Step | None, name: str) -> list[Block]:
    if step is None:
        return [Note(f"{name} has no such step")]
    context = StepContext(run, step)
    call = call_blocks(step, whole=True, context=context)
    result = result_blocks(step, run.outcome(step), context=context)
    return [*call, Heading("result"), *result] if call else result


def _diff(row: Row) -> list[Block]:
    if row.a is None or row.b is None:
        return [Note(f"only {'A' if row.kind is Kind.ONLY_A else 'B'} has this step")]
    return difference_blocks(row.a, row.b)
