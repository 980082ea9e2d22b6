"""The files of a run as they were after one of its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncio
from collections.abc import Sequence
from functools import partial

from textual import work

from oh_tui.text.human import plural
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe
from oh_tui.trajectory.changes.at_step import FileThen, files_then, sums, text_of
from oh_tui.trajectory.changes.changes import size_words
from oh_tui.trajectory.changes.touched_files import END, START
from oh_tui.trajectory.changes.named_places import FilePlace
from oh_tui.trajectory.changes.order_in_time import END, START, Label, Moment
from oh_tui.trajectory.model.difference import unified
from oh_tui.trajectory.presentation.block import Block, Code, Diff, Note
from oh_tui.trajectory.presentation.change_rows import FileRow, step_words
from oh_tui.tui.screens.changes.file_list import WIDE
from oh_tui.trajectory.presentation.change_blocks import step_words
from oh_tui.trajectory.presentation.change_rows import FileRow
from oh_tui.tui.screens.changes.file_pane import Subject
from oh_tui.tui.screens.changes.file_versions import NOT_KNOWN, commands, evidence
from oh_tui.tui.screens.changes.files_screen import WIDE, FilesScreen
from oh_tui.tui.widgets.drawing import Piece
from oh_tui.tui.widgets.rule import joined


class FilesThenScreen(FilesScreen):
    """`step` is a number, or of a sub-agent's step a path such as "12.3"; `event_id` is that of the
    run's own step, whose number changes when older events come."""

    HELP_TITLE = "In the files as of a step"

    def __init__(
        self, title: str, step: Label, place: FilePlace | None = None, *, event_id: str = ""
    ) -> None:
        """With a `place` blame is shown of that line, once it is read."""
        super().__init__(title)
        self._step, self._place, self._event_id = step, place, event_id
        self._moment: Moment = END
        self._found: Sequence[FileThen] = ()

    @work(group="changes", exclusive=True)
    async def read(self) -> None:
        self.files.empty = ("reading the edits …",)
        self.files.refresh()
        await self._read_versions()
        if self.study is None or self._files is None:
            return
        if own := self.study.trajectory.step_of(self._event_id):
            below = str(self._step).partition(".")[2]
            self._step = f"{own.number}.{below}" if below else own.number
        self._moment = moment = self.study.files.moment(self._step)
        files = list(self._files.values())
        self._found = await asyncio.to_thread(lambda: list(files_then(files, moment)))
        nothing = f"no file was edited through the editor by step {step_words(self._step)}"
        self.files.empty = (f"{nothing}; commands may have",)
        self._list()
        if self._place is not None:
            self._blame(self._place)
            self._place = None

    def _blame(self, place: FilePlace) -> None:
        """Show which step wrote a line of a file, as that was then."""
        assert self.study is not None
        try:
            file = self.study.files.named(place.path)
        except Problem as problem:
            self.footer.tell(problem.sentence)
            return
        row = next((n for n, row in enumerate(self.files.rows) if row.key == file.path), None)
        if row is None:
            self.footer.tell(f"{file.shown} was not edited by step {step_words(self._step)}")
            return
        self.files.move_to(row)
        self._show_file()
        self.pane.blame_line(place.line)

    def _rows(self) -> Sequence[FileRow]:
        if self._waits:
            self.files.empty = self._waits
        return [FileRow(one.file.shown, None, then=one) for one in self._found]

    def _show_facts(self) -> None:
        about = f"  {self.run_title}" if self.run_title and self.size.width >= WIDE else ""
        title = f"Files as of step {step_words(self._step)}"
        self.list_rule.title = ((title, "title"), (about, "dim"))
        found, facts = self._found, list[Piece]()
        if found:
            facts.append((size_words(len(found), *sums(found)), ""))
            if unsure := sum(not one.state.certain for one in found):
                facts.append((f"{unsure:,} may have changed since", "warn"))
            facts.append(("editor and patch calls only", "dim"))
        if self.study and not self.study.trajectory.complete:
            facts.append(("older events not read", "warn"))
        self.list_rule.facts = joined(facts, self.list_rule.glyphs.dot)

    def _subject(self, row: FileRow) -> Subject:
        assert row.then is not None
        then = row.then
        count = len(then.steps)
        facts: list[Piece] = [(f"{plural(count, 'edit')} by then", "")]
        facts.append((then.state.brief, "dim" if then.state.certain else "warn"))
        return Subject(
            row.path,
            (then.steps, then.state.words),
            tuple(facts),
            partial(then_blocks, then, self._moment),
            row.key,
            self._files,
            self._moment,
        )


def then_blocks(then: FileThen, moment: Moment) -> list[Block]:
    """What had become of a file since the run began. Reads two results."""
    state = then.state
    blocks: list[Block] = [] if state.certain else [Note(state.words)]
    if said := evidence(then.file, state, moment):
        blocks.append(Note(said))
    if state.exists is False:
        blocks.append(Note("the file was not there then"))
    old, new = text_of(then.file.at(START)), text_of(state)
    if new is None:
        blocks.append(Note(NOT_KNOWN))
    elif old is None:
        blocks.append(Note("the text before the run is not known; the whole text then:"))
        blocks.append(Code(safe(new), then.file.shown) if new else Note("an empty file"))
    elif diff := unified(safe(old), safe(new)):
        blocks.append(Diff(diff, then.file.shown))
    else:
        blocks.append(Note("the same text as before the run" if old else "an empty file"))
    return [*blocks, *commands("since then", state.since)]
