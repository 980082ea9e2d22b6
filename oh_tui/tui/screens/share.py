"""What leaves with the run shown, what of it is to stay, and the file that others get."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, NamedTuple

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from oh_tui.catalog.user_annotations import NOTHING
from oh_tui.settings.part_file import publish
from oh_tui.settings.paths import tilde
from oh_tui.sharing.formats import FORMATS, write
from oh_tui.sharing.html.page import fitting
from oh_tui.sharing.left_out import PARTS, Ranges, leave_out, part_of
from oh_tui.sharing.shared_run import Part, SharedRun, Sink, hidden_events, what_leaves
from oh_tui.sharing.what_leaves import WhatLeaves
from oh_tui.sources.saving import download_name
from oh_tui.tables.column import FILL, Cell, Column
from oh_tui.text.human import size
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.presentation.block import Block, Fields, Heading, Note, Plain
from oh_tui.tui.desktop import open_file
from oh_tui.tui.remedies import hint_of
from oh_tui.tui.screens.view import KeyLabels, View, pair
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.drawing import PaneMessage, Rule, joined
from oh_tui.tui.widgets.row_list import RowList
from oh_tui.tui.widgets.table_list import Columns, TableList


class ChoiceRow(NamedTuple):
    label: str
    value: str
    is_less: bool
    """Less leaves by it."""


@dataclass(frozen=True)
class Choice:
    format: str = next(iter(FORMATS))
    without: frozenset[Part] = frozenset()
    notes: bool = False
    only: Ranges | None = None


class ChoiceList(TableList[ChoiceRow]):
    """A row for each choice; space or a double click changes it."""

    class Done(PaneMessage):
        """Enter: nothing more is to be changed."""

    def columns(self) -> Columns[ChoiceRow]:
        return (
            Column("", lambda row, _: row.label, hue="dim", width=10),
            Column("", lambda row, _: Cell(row.value, "mark" * row.is_less), width=FILL, share=1),
        )

    def key(self, row: ChoiceRow) -> object:
        return row.label

    def action_open(self) -> None:
        self.post_message(self.Done(self))


class ShareScreen(View[None]):
    """`copy` takes a path to the clipboard, `saved` remembers it."""

    DEFAULT_CSS = "ShareScreen ChoiceList { height: 7; }"
    HELP_TITLE = "In what is shared"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "write", "write"),
        Binding("space", "change", "change", tooltip="change the choice"),
        Binding("o", "open_file", "open", tooltip="open the file that was written"),
        Binding("y", "copy_path", "copy path", tooltip="copy its path"),
        *pair("J", "K", "scroll_leaves", "scroll", "what leaves, down and up"),
        Binding("S,q", "dismiss", "close", show=False),
    ]
    AUTO_FOCUS = "#choices"

    def __init__(
        self,
        run: SharedRun,
        folder: Path,
        selected: tuple[int, int] | None,
        *,
        copy: Callable[[str], None],
        saved: Callable[[Path], None],
    ) -> None:
        """`selected` are the first and the last of the steps selected in the timeline."""
        super().__init__()
        self._run, self._folder, self._copy, self._saved = run, folder, copy, saved
        self._range = (selected,) if selected else None
        self.choice = Choice(only=self._range)
        self._copied: SharedRun | None = None
        """The run as it was when this opened: a live one grows."""
        self._copying = threading.Lock()
        self._looking: Choice | None = None
        """For which choice is looked at what leaves, and not told yet."""
        self._looked_at = 0
        self._headline = ""
        self._stop = threading.Event()
        self._is_writing = False
        self.written: Path | None = None
        self.rule, self.leaves_rule = Rule(id="share-rule"), Rule("What leaves", id="leaves-rule")
        self.list, self.leaves = ChoiceList(id="choices"), BodyView(id="leaves")

    def compose(self) -> ComposeResult:
        yield from (self.rule, self.list, self.leaves_rule, self.leaves, self.footer)

    def on_mount(self) -> None:
        self.rule.title = (("Share", "title"), (f"  {self._run.title}", "dim"))
        self.rule.heavy = True
        self._show()
        self._look()

    def on_unmount(self) -> None:
        self._looking = None
        self._stop.set()

    # What is chosen

    def _rows(self) -> Iterator[ChoiceRow]:
        choice = self.choice
        yield ChoiceRow("format", FORMATS[choice.format].label, is_less=False)
        for part in PARTS:
            is_out = part in choice.without
            yield ChoiceRow(part, "left out" if is_out else "shared", is_less=is_out)
        notes = choice.notes and FORMATS[choice.format].has_notes
        yield ChoiceRow(
            "notes", "yours are shared" if notes else "yours stay here", is_less=not notes
        )
        count = len(self._run.steps)
        if choice.only:
            first, last = choice.only[0]
            yield ChoiceRow(
                "steps",
                f"{first}-{last}, of {count:,}" if last > first else f"{first}",
                is_less=True,
            )
        else:
            yield ChoiceRow("steps", f"all {count:,}", is_less=False)

    def _show(self) -> None:
        self.list.show(list(self._rows()))
        where = tilde(self._folder.absolute(), os.environ)
        self.rule.facts = ((f"{self._target(self.choice).name} in {where}", "dim"),)
        self.esc = "stop" if self._is_writing else "close"
        self.show_keys()

    def key_labels(self) -> KeyLabels:
        return dict.fromkeys(("open", "copy path"), self.written is not None)

    def _target(self, choice: Choice) -> Path:
        name = Path(download_name(self._run.conversation))
        return self._folder / name.with_suffix(FORMATS[choice.format].ending)

    @on(RowList.Opened)
    def _clicked_twice(self, message: RowList.Opened) -> None:
        message.stop()
        self.action_change()

    def action_change(self) -> None:
        choice, row = self.choice, self.list.cursor
        if row == len(PARTS) + 2 and self._range is None:
            self.footer.tell("v in the timeline selects a range of steps to share alone")
            return
        if row == len(PARTS) + 1 and not FORMATS[choice.format].has_notes:
            labels = " and ".join(one.label for one in FORMATS.values() if one.has_notes)
            self.footer.tell(f"notes go along only with {labels}")
            return
        if row == 0:
            names = list(FORMATS)
            after = names[(names.index(choice.format) + 1) % len(names)]
            self.choice = replace(choice, format=after)
        elif row <= len(PARTS):
            self.choice = replace(choice, without=choice.without ^ {PARTS[row - 1]})
        elif row == len(PARTS) + 1:
            self.choice = replace(choice, notes=not choice.notes)
        else:
            self.choice = replace(choice, only=None if choice.only else self._range)
        self._show()
        self._look()

    # What leaves

    @work(group="share", exclusive=True)
    async def _look(self) -> None:
        self._looking = choice = self.choice
        self._looked_at = 0
        self._tell_looking()
        ticks = self.set_interval(0.2, self._tell_looking)
        try:
            found, blocks = await asyncio.to_thread(self._leaves_by, choice)
        finally:
            ticks.stop()
        self._looking = None
        self._headline = found.headline
        self.leaves.show(blocks)
        self._show_position()

    @on(BodyView.Scrolled)
    def _show_position(self) -> None:
        if self._looking is None:
            facts = [(self._headline, "dim"), *self.leaves.position_facts()]
            self.leaves_rule.facts = joined(facts, self.leaves_rule.glyphs.dot)

    def _leaves_by(self, choice: Choice) -> tuple[WhatLeaves, list[Block]]:
        """What leaves, and blocks that tell it and show the first lines of the file, as many as the
        screen has. Raises Problem once the user looks at another choice."""

        def is_wanted(step: int) -> bool:
            self._looked_at = step
            return self._looking is choice

        format, part = FORMATS[choice.format], self._part(choice)
        found = what_leaves(format.write, part, is_wanted)
        head = safe(format.head(part, self.app.size.height))
        return found, [*_blocks(found), Heading("how it begins"), Plain(head)]

    def _tell_looking(self) -> None:
        at = f", step {self._looked_at:,} of {len(self._run.steps):,}" if self._looked_at else ""
        self.leaves_rule.facts = ((f"looking{at} …", "dim"),)

    def _part(self, choice: Choice) -> SharedRun:
        """What is shared by a choice. For a thread."""
        run = self._run
        with self._copying:
            if self._copied is None:
                study = Study(leave_out(run.study.trajectory, frozenset()))
                others = hidden_events(study.trajectory)
                steps = study.trajectory.steps
                self._copied = replace(run, study=study, steps=steps, others=others)
        kept = run.kept if choice.notes else NOTHING
        part = part_of(replace(self._copied, kept=kept), choice.without, choice.only)
        return fitting(part) if choice.format == "html" else part

    def action_scroll_leaves(self, lines: int) -> None:
        self.leaves.scroll_lines(lines)

    # Writing

    @on(ChoiceList.Done)
    def _done(self, message: ChoiceList.Done) -> None:
        message.stop()
        self.action_write()

    def action_write(self) -> None:
        if self._looking is not None:
            self.footer.tell("what leaves comes first: enter writes it then")
        elif not self._is_writing:
            self._write(self.choice)

    @work(group="share-write", exclusive=True)
    async def _write(self, choice: Choice) -> None:
        self._is_writing = True
        self._stop.clear()
        self._show()
        done = [0]
        tell = self.footer.tell
        ticks = self.set_interval(
            0.2, lambda: tell(f"writing, {size(done[0])} · esc stops", log=False)
        )
        try:
            path = await asyncio.to_thread(self._write_file, choice, done)
        except Problem as problem:
            hint = f" · {hint_of(problem)}" if hint_of(problem) else ""
            self.footer.tell(f"{problem.sentence}{hint}", error=True, about="share")
        except _Stopped:
            self.footer.tell("stopped, nothing was kept")
        else:
            self.written = path
            self._saved(path)
            folder = tilde(path.absolute().parent, os.environ)
            self.footer.tell(f"wrote {path.name} in {folder}, {size(done[0])}", about="share")
        finally:
            ticks.stop()
            self._is_writing = False
            if self.is_mounted:
                self._show()

    def _write_file(self, choice: Choice, done: list[int]) -> Path:
        run = self._part(choice)

        def pieces() -> Iterator[str]:
            for piece in FORMATS[choice.format].write(run, Sink(run)):
                if self._stop.is_set():
                    raise _Stopped
                done[0] += len(piece.encode())
                yield piece

        return write(self._target(choice), pieces(), publish)

    def action_back(self) -> None:
        if self._is_writing:
            self._stop.set()
        else:
            super().action_back()

    def action_open_file(self) -> None:
        if self.written is None:
            self.footer.tell("nothing is written yet: enter does it")
        elif not open_file(self.written):
            self.footer.tell("there is no desktop to open it with · y copies the path")

    def action_copy_path(self) -> None:
        if self.written is None:
            self.footer.tell("nothing is written yet: enter does it")
        else:
            self._copy(str(self.written))
            self.footer.tell("its path was sent to the terminal's clipboard")


class _Stopped(Exception):
    """Esc, or the view was closed."""


def _blocks(found: WhatLeaves) -> list[Block]:
    rows = found.rows
    if not rows:
        return [Note("no whole file, host, address, user name, image or secret was found")]
    notes: list[Block] = []
    if found.suspects:
        notes = [Note("what may be a secret is written as it is: leave it out, or its steps")]
    return [Fields(tuple(rows)), *notes]
