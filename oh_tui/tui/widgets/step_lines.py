"""One line for each step of the timeline: its columns, and what a step shows in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import NamedTuple

from oh_tui.catalog.user_annotations import RunAnnotations
from oh_tui.text.human import clock, clock_time, duration, unzoned
from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.glyphs import FAMILY_HUES, Glyphs, outcome_mark
from oh_tui.trajectory.model.clock import is_bare
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.describe import Description
from oh_tui.trajectory.search.step_attributes import (
    COST,
    RAN,
    STEP_ATTRIBUTES,
    StepColumn,
    StepOrder,
    StepSorting,
)
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.state.columns import LOOK, PHASE, Choice, fitting
from oh_tui.tui.state.opened_sub_agents import SubStep
from oh_tui.tui.widgets.drawing import Piece, fit, shorten
from oh_tui.tui.widgets.row_list import HeadCell

CLOCK = 10
GUTTER = 2
PHASE_CELLS = 9
LOOK_CELLS = 15
"""Cells of the time, the signs before a step, the phase that it begins, and its look."""

_LEFT = tuple(one for one in STEP_ATTRIBUTES if not one.at_right)
_RIGHT = tuple(one for one in STEP_ATTRIBUTES if one.at_right)
_BY_WEIGHT = sorted(STEP_ATTRIBUTES, key=lambda one: one.usual_from)
"""The most important columns first."""

LEAST = 20
"""Cells that a chosen column leaves to what was done and its result."""


class Columns(NamedTuple):
    """Widths of the columns; 0 for a column without room."""

    number: int
    at: int
    phase: int
    look: int
    what: int
    result: int
    numbers: Mapping[str, int]
    """Name of an attribute -> the width of its column."""

    @property
    def shown(self) -> frozenset[str]:
        """The columns that can be hidden and are shown."""
        widths = {"at": self.at, PHASE: self.phase, LOOK: self.look, **self.numbers}
        return frozenset(name for name, cells in widths.items() if cells)


class StepLines(NamedTuple):
    """What the lines of a run depend on. `time` is one of `timeline.TIMES`, `now` the current time
    while a step runs, `choice` the columns that the user chose; `sorts`: not in the order of the
    run; `filters`: not all of its steps."""

    trajectory: Trajectory | None
    study: Study | None
    glyphs: Glyphs
    time: str
    now: float
    choice: Choice
    sorts: bool
    filters: bool
    widest: int
    """Characters of the longest number of a step of a sub-agent that is shown; 0 without one."""
    latest: float | None
    """When the last one of these happened."""
    kept: RunAnnotations
    forgotten: frozenset[int]
    """The numbers of the steps of which nothing is in the context of the step under the cursor."""
    parted: frozenset[str]
    """The ids of the calls whose results differ from those of the record of a replay."""

    def columns(self, width: int) -> Columns:
        """The first two depend on the run, that of the cost on whether it is known."""
        trajectory = self.trajectory
        number, at = 3, CLOCK
        if trajectory is not None and trajectory.steps:
            digits = (len(str(len(trajectory))) if trajectory.complete else 0, self.widest)
            number = max(3, max(digits) + 1) if any(digits) else 1
            ends = trajectory.steps[-1].event.seconds(), self.latest
            ended = max((when for when in ends if when is not None), default=None)
            if self.time == "elapsed" and trajectory.began is not None and ended is not None:
                at = max(6, len(clock(ended - trajectory.began)) + 2)
        sizes = {"at": at, **{one.name: one.width for one in _BY_WEIGHT}}
        sizes |= {PHASE: PHASE_CELLS, LOOK: LOOK_CELLS}
        usual = {"at", *(one.name for one in _BY_WEIGHT if width >= one.usual_from)}
        if not (self.study and self.study.accounts.priced):
            usual.discard(COST.name)
        rest = width - GUTTER - number - 4
        shown = fitting(sizes, usual, self.choice, rest - LEAST)
        sizes = {name: cells if name in shown else 0 for name, cells in sizes.items()}
        rest -= sum(sizes.values())
        what = max(16, min(int(rest * 0.52), rest - 18))
        at, phase, look = sizes.pop("at"), sizes.pop(PHASE), sizes.pop(LOOK)
        return Columns(number, at, phase, look, what, max(0, rest - what), sizes)

    def head(self, width: int, order: StepSorting | None) -> list[HeadCell]:
        """The names of the columns; `order` is None for that of the run."""
        cells = self.columns(width)

        def cell(by: StepOrder, name: str, width: int) -> HeadCell:
            is_sorted = order is not None and order.order is by
            if order and is_sorted:
                name = f"{name} {self.glyphs.falling if order.is_falling else self.glyphs.rising}"
            return HeadCell(f"{name:>{width}}" if width > 0 else "", by, is_sorted=is_sorted)

        sign = "#" if self.trajectory is not None and self.trajectory.complete else ""
        return [
            HeadCell(f"{sign:>{GUTTER + cells.number + 1}}"),
            cell(StepOrder.TIME, self._clock, cells.at),
            HeadCell(_left_cell(PHASE, cells.phase)),
            HeadCell(_left_cell(LOOK, cells.look)),
            *(cell(StepOrder(one.name), one.head or "", cells.numbers[one.name]) for one in _LEFT),
            HeadCell(f"  {'what':<{cells.what}}    {'result':<{max(0, cells.result - 2)}}"),
            *(
                cell(StepOrder(one.name), one.head or "", cells.numbers[one.name] - 1)
                for one in _RIGHT
            ),
        ]

    @property
    def _clock(self) -> str:
        if self.time == "elapsed":
            return "at"
        knows_zone = self.trajectory is None or self.trajectory.knows_zone
        return self.time if knows_zone else "written"

    def pieces(
        self,
        step: Step | None,
        event: Event,
        described: Description,
        width: int,
        *,
        in_range: bool,
        sub: SubStep | None = None,
        starts: bool = False,
    ) -> list[Piece]:
        """`sub` is a step of a sub-agent opened in place; `starts`: it started some that can be."""
        cells = self.columns(width)
        trajectory = sub.run.trajectory if sub else self.trajectory
        assert trajectory is not None
        accounts = sub.run.accounts if sub else self.study.accounts if self.study else None
        what, room = cells.what, cells.result
        hue = FAMILY_HUES.get(described.family, "")
        own = step is not None and event is step.event
        outcome = trajectory.outcome(step) if step is not None and own else Outcome.OK
        mark, mark_hue = outcome_mark(self.glyphs, outcome)
        number = str(step.number) if step is not None and own and trajectory.complete else ""
        number = sub.path if sub else number
        numbers = self._numbers(step, outcome, accounts) if step is not None and own else {}

        def cell(one: StepColumn, end: str) -> Piece:
            room = cells.numbers[one.name] - len(end)
            text = f"{numbers.get(one.name, ''):>{room}}{end}" if room > 0 else ""
            return text, "" if one is RAN else "dim"

        verb, _, rest = described.what.removesuffix(" wrote").partition(" ")
        telling = f"{mark} {described.result}" if mark else f"  {described.result}"
        more = self.glyphs.more
        plain = "" if own else "dim"
        if not mark and not (rest and described.result):
            # a message, a thought, an answer: what has no result beside it takes its room
            rest, telling, what, room = rest or described.result, "", what + 2 + room, -2
        indent = "  " * sub.depth if sub else ""
        verb = indent + verb
        said = fit(" " + rest, what - width_of(verb), more) if verb else " " * what
        gutter, gutter_hue = self._gutter(step, trajectory) if own else (" ", "")
        if starts and gutter_hue != "bad":
            gutter, gutter_hue = self.glyphs.sub_agents, "mark"
        kept = self._kept_sign(event) if own else ""
        is_forgotten = own and sub is None and step is not None and step.number in self.forgotten
        unseen = self.glyphs.forgotten if is_forgotten else ""
        return [
            (gutter if kept else f"{gutter:<{GUTTER}}", gutter_hue),
            (kept, "you"),
            (unseen, "dim"),
            (f"{number:>{cells.number - len(unseen)}}", "selected" if in_range else "dim"),
            (f"{self._at(event):>{cells.at}}" if cells.at else "", "dim"),
            (_left_cell(self._phase(step, sub) if own else "", cells.phase), ""),
            (_left_cell(self._look(step, sub) if own and cells.look else "", cells.look), ""),
            *(cell(one, "") for one in _LEFT),
            ("  ", ""),
            (shorten(verb, what, more), plain or hue),
            (said, plain),
            ("  " if room >= 0 else "", ""),
            (fit(telling, room, more), mark_hue or "dim"),
            *(cell(one, " ") for one in _RIGHT),
        ]

    def _phase(self, step: Step | None, sub: SubStep | None) -> str:
        """The phase that a step begins; in another order or with a filter that of each step."""
        phases = self.study.known_phases if self.study and sub is None else None
        phase = phases.of(step.number) if phases and step else None
        begins = phase is not None and step is not None and phase.first == step.number
        return phase.name if phase and (begins or self.sorts or self.filters) else ""

    def _look(self, step: Step | None, sub: SubStep | None) -> str:
        """What a step is worth a look for, as far as that is read: such as `config +1`, the first
        reason and how many there are besides."""
        study = sub.run if sub else self.study
        reasons = study.known_hints(step) if study and step else ()
        if not reasons:
            return ""
        more = f" +{len(reasons) - 1}" if len(reasons) > 1 else ""
        return reasons[0].hint + more

    def _numbers(self, step: Step, outcome: Outcome, accounts: Accounts | None) -> dict[str, str]:
        """The texts of the columns by name. A running step shows its time so far. A span that is
        negative, because a clock was set back, is marked "?" and never shown as time."""
        found = {
            one.name: one.shown_text(accounts, step, self.glyphs.unknown) for one in STEP_ATTRIBUTES
        }
        began = step.event.seconds()
        if outcome is Outcome.RUNNING and self.now and began is not None:
            since = max(0.0, self.now - began)
            found[RAN.name] = f"{since:.0f}" if since < 999.5 else duration(since)
        elif accounts and accounts.is_odd(step):
            found[RAN.name] += "?"
        return found

    def _gutter(self, step: Step | None, trajectory: Trajectory) -> tuple[str, str]:
        """Glyph and hue before a step: in a loop, of a parallel group, your message."""
        if step is None:
            return " ", ""
        is_own = trajectory is self.trajectory
        if is_own and step.event.tool_call_id in self.parted:
            return self.glyphs.parted, "warn"
        if self.study is not None and is_own and step.number in self.study.loops:
            return self.glyphs.loop, "bad"
        if step.event.is_message:
            return (self.glyphs.user, "you") if step.event.source == "user" else (" ", "")
        if step.event.is_condensation:
            return self.glyphs.condensed, "dim"
        group = trajectory.group(step)
        if len(group) < 2 or self.sorts:
            return " ", ""
        if step.number == group[0]:
            return self.glyphs.first, "dim"
        return (self.glyphs.last if step.number == group[-1] else self.glyphs.middle), "dim"

    def _kept_sign(self, event: Event) -> str:
        if event.id in self.kept.bookmarks:
            return self.glyphs.bookmark
        return self.glyphs.note if event.id in self.kept.step_notes else ""

    def _at(self, event: Event) -> str:
        when = event.seconds()
        if when is None:
            return ""
        if self.time == "elapsed" and self.trajectory is not None:
            began = self.trajectory.began
            return clock(when - began) if began is not None else ""
        utc = UTC if self.time == "UTC" else None
        is_written = is_bare(event.timestamp)
        return unzoned(clock_time(when, UTC if is_written else utc), is_written)


def _left_cell(text: str, width: int) -> str:
    """A cell with its text at the left, apart from the one before; "" for a column without room."""
    return f"  {text:<{width - 2}}" if width else ""
