"""Two runs side by side: their numbers, their strips, and their steps from the first difference;
of three to eight first a table, whose rows are compared with the first.

`enter` on a row of steps shows the calls and results of both, `d` their difference; `s` shows what
the model saw where they part.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import var
from textual.widget import Widget

from oh_tui.sources.compared import Compared, fork_of
from oh_tui.tables.column import Cell
from oh_tui.text.redact import safe
from oh_tui.trajectory.comparison.compare import (
    Comparison,
    Kind,
    Parting,
    StepPair,
    counts_words,
    difference_blocks,
    parting_words,
)
from oh_tui.trajectory.comparison.parted import Parted, Seen, name_of, parting
from oh_tui.trajectory.comparison.seen import Differing
from oh_tui.trajectory.model.difference import unified
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.block import Block, Diff, Note, Plain
from oh_tui.trajectory.presentation.blocks import call_title, result_title, step_blocks
from oh_tui.tui.screens.comparison.parts import (
    ComparedHeads,
    ComparedRuns,
    ComparedSteps,
    ComparedStrips,
    RunRow,
    SeenMessages,
)
from oh_tui.tui.screens.view import KeyLabels, View, pair
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.drawing import Labels, Piece, Rule, SideBySide, Stack, joined
from oh_tui.tui.widgets.row_list import ColumnHead, RowList

SIDE_BY_SIDE = 100
"""Columns from which two bodies stand side by side, else one above the other."""

WITH_STRIPS = 20
"""Lines of a screen that has room for the strips."""


class CompareScreen(View[None]):
    """Call `tell_progress` while runs are read, or if they cannot be, and `show_runs` with them."""

    DEFAULT_CSS = """
    CompareScreen #compared-heads { height: 2; }
    CompareScreen ComparedStrips { height: 5; }
    CompareScreen #both Stack:last-child { margin-left: 1; }
    CompareScreen.-narrow #both { layout: vertical; }
    CompareScreen.-narrow #both Stack { margin: 0; }
    """
    HELP_TITLE = "In the comparison"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "pair", "compare it with A"),
        Binding("enter", "both", "read both"),
        *pair("e", "E", "next_difference", "differences", "next and previous difference"),
        Binding("d", "difference", "what differs", tooltip="what differs, as a diff"),
        Binding("s", "seen", "what it saw", tooltip="what the model saw where they part"),
        *pair("]", "[", "move_on", "rows", "next and previous row"),
        *pair("J", "K", "scroll_half", "scroll", "both down and up"),
        Binding("w", "wrap", "wrap"),
        Binding("tab,shift+tab", "app.focus_next", "other side", show=False),
        Binding("=,q", "close", "close", show=False),
    ]
    AUTO_FOCUS = ""

    view: var[str] = var("steps")
    """The table of "runs", the "steps" of two, the messages that their models have "seen", "both"
    bodies of a row, or their "diff"."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._runs: list[Compared] = []
        self._comparisons: list[tuple[Comparison, Parted | None]] = []
        """Of the first run with each of the others, and why their answers part."""
        self._other = 1
        """The place of the run that is compared with the first."""
        self._rows = "steps"
        """Of which view a row is shown: "steps" or "seen"."""
        self._start = "runs" if count > 2 else "steps"
        """The view that `esc` comes back to before it closes the screen."""
        self.set_reactive(CompareScreen.view, self._start)
        self.rule = Rule("Compare")
        self.table = ComparedRuns(id="compared-runs")
        self.table_head = ColumnHead(self.table)
        self.heads = ComparedHeads(id="compared-heads")
        self.strips = ComparedStrips()
        self.steps_rule = Rule("Steps")
        self.steps = ComparedSteps(id="compared-steps")
        self.why = Labels()
        self.seen = SeenMessages(id="compared-seen")
        self.side_rules = Rule(), Rule()
        self.sides = BodyView(id="compared-a"), BodyView(id="compared-b")
        self.diff_rule = Rule()
        self.diff = BodyView(id="compared-diff")
        self.bodies = (*self.sides, self.diff)
        self.both = SideBySide(id="both")
        self.tell_progress("reading the runs …")

    def compose(self) -> ComposeResult:
        yield from (self.rule, self.table_head, self.table)
        yield from (self.heads, self.why, self.strips, self.steps_rule, self.steps, self.seen)
        with self.both:
            for parts in zip(self.side_rules, self.sides, strict=True):
                yield Stack(*parts)
        yield from (self.diff_rule, self.diff, self.footer)

    def on_mount(self) -> None:
        self._show_view()

    # The runs

    @property
    def _comparison(self) -> Comparison | None:
        return self._comparisons[self._other - 1][0] if self._comparisons else None

    @property
    def _parted(self) -> Parted | None:
        return self._comparisons[self._other - 1][1] if self._comparisons else None

    def tell_progress(self, *lines: str) -> None:
        """What is being read, or why nothing can be compared."""
        self.table.empty = self.steps.empty = lines

    async def show_runs(self, runs: list[Compared], step: int = 0) -> None:
        """Compares the first with each of the others; shows both bodies at a `step` of B."""
        first, *others = runs
        comparisons = []
        for place, run in enumerate(others, 2):
            self.tell_progress(f"comparing {place} of {len(runs)} …")
            comparisons.append(await asyncio.to_thread(_compared, first, run))
        self._runs, self._comparisons = runs, comparisons
        parts = ("", *(_parts(one.first) for one, _ in comparisons))
        self.table.show([*map(RunRow, "ABCDEFGH", runs, map(Cell, parts))], 1, keep_line=False)
        self._show_pair(1)
        if step and (row := self.steps.row_of(1, step)) is not None:
            self.steps.move_to(row)
            self.view = "both"

    def _show_pair(self, place: int) -> None:
        self._other = place
        a, b, (comparison, parted) = self._runs[0], self._runs[place], self._comparisons[place - 1]
        gap = b.figures.less(a.figures)
        self.heads.show([RunRow("A", a), RunRow("B", b, Cell(gap.words, "mark"))], 0)
        self.strips.show(a, b)
        dot = self.steps_rule.glyphs.dot
        self.steps_rule.facts = ((counts_words(comparison, dot), ""),)
        self.steps.compare(comparison)
        self.why.lines = _why(parted)
        self.seen.show([*parted.real, *parted.noise] if parted else ())
        self._arrange()
        self._at_a_row()

    @on(RowList.Opened, "#compared-runs")
    def action_pair(self) -> None:
        if self.table.cursor:
            self._show_pair(self.table.cursor)
            self.view = "steps"
        else:
            self.footer.tell("this is A: choose another row to compare with it", remark=True)

    @on(RowList.Highlighted, "#compared-steps")
    def _at_a_row(self) -> None:
        row = self.steps.current
        if row:
            numbers = [step.number if step else None for step in (row.a, row.b)]
            self.strips.select(*numbers)
        self.show_keys()
        if self.view in ("both", "diff"):
            self._read_row()

    @on(RowList.Highlighted, "#compared-seen")
    def _at_a_message(self) -> None:
        self.show_keys()
        if self.view in ("both", "diff"):
            self._read_row()

    @on(ComparedStrips.Picked)
    def _go_to_step(self, message: ComparedStrips.Picked) -> None:
        row = self.steps.row_of(message.side, message.number)
        if row is not None:
            self.steps.move_to(row)

    def key_labels(self) -> KeyLabels | None:
        row, comparison, view = self._row, self._comparison, self.view
        if comparison is None or (row is None and view != "runs"):
            return None
        in_row = view in ("both", "diff")
        return {
            "compare it with A": view == "runs",
            "read both": view in ("steps", "seen", "diff"),
            "differences": self._rows == "steps" and view != "runs" and comparison.differences,
            "what differs": view in ("steps", "seen", "both") and row and bool(row.a and row.b),
            "what it saw": view == "steps" and bool(self._parted and self._parted.differs),
            **dict.fromkeys(("rows", "scroll", "wrap"), in_row),
        }

    def show_keys(self) -> None:
        self.esc = "close" if self.view == self._start else "back"
        super().show_keys()
        comparison = self._comparison
        self.steps_rule.heavy = self.view == "steps"
        for rule, body in zip(self.side_rules, self.sides, strict=True):
            rule.heavy = body.has_focus
        self.diff_rule.heavy = self.view == "diff"
        if comparison and self.view == "runs":
            self.rule.facts = ((f"{len(self._runs)} runs", ""),)
        elif comparison:
            hue = "" if comparison.differences else "good"
            fork = fork_of(self._runs[0], self._runs[self._other])
            facts = [(fork.words, "mark")] if fork else []
            self.rule.facts = joined(
                [*facts, (parting_words(comparison), hue)], self.rule.glyphs.dot
            )

    # Both steps of a row

    @work(group="compared", exclusive=True)
    async def _read_row(self) -> None:
        """Makes the bodies in a thread: texts may be large."""
        row, comparison = self._row, self._comparison
        if row is None or comparison is None:
            return
        if isinstance(row, Differing):
            await self._read_message(row)
            return
        if self.view == "diff":
            self.diff_rule.title = (*_title("A", row.a), ("   ", ""), *_title("B", row.b))
            self.diff.show(await asyncio.to_thread(_diff, row))
            return
        for name, side, run in (("A", 0, comparison.a), ("B", 1, comparison.b)):
            step, rule = (row.a, row.b)[side], self.side_rules[side]
            rule.title = _title(name, step)
            rule.facts = _facts(run, step, rule.glyphs.dot)
            self.sides[side].show(await asyncio.to_thread(_body, run, step, name))

    async def _read_message(self, row: Differing) -> None:
        if self.view == "diff":
            self.diff_rule.title = ((f"what the model saw: {name_of(row)}", "title"),)
            texts = (f"{safe(text or '').rstrip()}\n" for text in (row.a, row.b))
            self.diff.show([Diff(await asyncio.to_thread(unified, *texts))])
            return
        for name, text, rule, body in zip(
            "AB", (row.a, row.b), self.side_rules, self.sides, strict=True
        ):
            rule.title, rule.facts = ((name, "title"), (f"  {name_of(row)}", "dim")), ()
            blocks = [Plain(safe(text)) if text else Note(f"{name} has no such message")]
            body.show(blocks)

    # Keys

    @property
    def _row(self) -> StepPair | Differing | None:
        """The row that enter and `d` show."""
        return self.seen.current if self._rows == "seen" else self.steps.current

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        in_table = self.view == "runs" and action in _OF_STEPS
        return not in_table and super().check_action(action, parameters)

    def action_back(self) -> None:
        if self.view in ("both", "diff"):
            self.view = self._rows
        elif self.view == "seen":
            self._rows = self.view = "steps"
        else:
            self.action_close()

    def action_close(self) -> None:
        self._rows = "steps"
        if self.view == self._start:
            self.dismiss(None)
        else:
            self.view = self._start

    @on(RowList.Opened, "#compared-steps")
    @on(RowList.Opened, "#compared-seen")
    @on(BodyView.Opened)
    def action_both(self) -> None:
        if self._row:
            self.view = self._rows if self.view == "both" else "both"

    def action_seen(self) -> None:
        """Show what the model saw where the runs part, or the steps again."""
        parted = self._parted
        if self._rows == "seen":
            self._rows = self.view = "steps"
        elif parted and parted.differs:
            self._rows = self.view = "seen"
        else:
            self.footer.tell(
                parted.sentence if parted else "their answers do not part", remark=True
            )

    def action_difference(self) -> None:
        row = self._row
        if row is None:
            return
        if self.view == "diff":
            self.view = self._rows
        elif row.a and row.b:
            self.view = "diff"
        else:
            name = "A" if row.a else "B"
            shows = "" if self.view == "both" else ": enter shows it"
            self.footer.tell(f"only {name} has it{shows}", remark=True)

    def action_next_difference(self, by: int) -> None:
        row = self.steps.next_difference(by) if self._rows == "steps" else None
        if row is not None:
            self.steps.move_to(row)
        elif self.steps.current:
            where = "after this" if by > 0 else "before this"
            self.footer.tell(f"no difference {where}", remark=True)

    def action_move_on(self, rows: int) -> None:
        (self.seen if self._rows == "seen" else self.steps).action_move(rows)

    # Arrangement

    def watch_view(self) -> None:
        if self.is_mounted:
            self._show_view()

    def _show_view(self) -> None:
        self._arrange()
        views: dict[str, Widget] = {
            "runs": self.table, "steps": self.steps, "seen": self.seen, "both": self.sides[0],
            "diff": self.diff,
        }  # fmt: skip
        views[self.view].focus()
        self._at_a_row()

    @on(events.Resize)
    def _arrange(self) -> None:
        in_runs, in_steps, in_seen = (self.view == one for one in ("runs", "steps", "seen"))
        is_high = self.size.height >= WITH_STRIPS
        is_compared = bool(self._runs) and not in_runs
        self.set_class(self.size.width < SIDE_BY_SIDE, "-narrow")
        self.table_head.display = self.table.display = in_runs
        self.heads.display = is_compared and (in_steps or in_seen or is_high)
        self.why.display = is_compared and (in_steps or in_seen)
        self.seen.display = in_seen
        self.strips.display = is_compared and in_steps and is_high
        self.steps_rule.display = self.steps.display = in_steps
        self.both.display = self.view == "both"
        self.diff_rule.display = self.diff.display = self.view == "diff"


_OF_STEPS = ("both", "seen", "difference", "next_difference", "move_on", "scroll_half", "wrap")
"""The actions that the table of runs has not."""


def _compared(a: Compared, b: Compared) -> tuple[Comparison, Parted | None]:
    return Comparison(a.study.trajectory, b.study.trajectory), parting(a.study, b.study)


def _why(parted: Parted | None) -> tuple[tuple[Piece, ...], ...]:
    if parted is None:
        return ()
    step = parted.b or parted.a
    hue = "mark" if parted.seen is Seen.OTHER else "dim"
    lacks = f"; {parted.not_told}" if parted.seen and parted.not_told else ""
    at = f"at step {step}: " if step else ""
    return (((at, "dim"), (parted.sentence, hue), (lacks, "dim")),)


def _parts(first: Parting | None) -> str:
    if first is None:
        return "nowhere"
    return f"step {first.b}" if first.b else "ends earlier"


def _title(name: str, step: Step | None) -> tuple[Piece, ...]:
    return (name, "title"), (f"  {call_title(step) if step else 'has no such step'}", "dim")


def _facts(run: Trajectory, step: Step | None, dot: str) -> tuple[Piece, ...]:
    if step is None:
        return ()
    told = result_title(step, run.outcome(step)).split(" · ")
    return joined([(fact, "dim") for fact in told], dot)


def _body(run: Trajectory, step: Step | None, name: str) -> list[Block]:
    return step_blocks(run, step) if step else [Note(f"{name} has no such step")]


def _diff(row: StepPair) -> list[Block]:
    if row.a is None or row.b is None:
        return [Note(f"only {'A' if row.kind is Kind.ONLY_A else 'B'} has this step")]
    return difference_blocks(row.a, row.b)
