"""One file: its whole change, one of its versions, or its lines with the step that wrote each."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple, TypeAlias

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.reactive import reactive

from oh_tui.tables.column import FILL, Cell, Column
from oh_tui.text.human import plural
from oh_tui.text.redact import safe_lines
from oh_tui.trajectory.changes.blame import Histories, blame
from oh_tui.trajectory.changes.history import FileHistory, FileState, Stopped
from oh_tui.trajectory.changes.touched_files import END, Label, Moment
from oh_tui.trajectory.changes.versions import Version
from oh_tui.trajectory.presentation.block import Block, Code
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.rendering.lines import in_sight
from oh_tui.tui.rendering.sections import Line
from oh_tui.tui.screens.changes import file_versions
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.drawing import Piece, Rule, fit, fit_end, joined
from oh_tui.tui.widgets.row_list import RowList
from oh_tui.tui.widgets.table_list import Columns, TableList

Shown: TypeAlias = Literal["change", "version", "text", "blame"]

READING = ("reading which step wrote each line …", "esc ends it")


LONGEST = 2_000
"""Characters of a line that are kept."""

ELSEWHERE = "?"


class BlameRow(NamedTuple):
    line: int
    text: str
    """Safe to show."""
    step: Label | None
    """The step that wrote it; None if it was there before the run, or came from elsewhere."""
    is_before: bool


def blame_rows(
    files: Histories, file: FileHistory, state: FileState, stop: Callable[[], bool]
) -> tuple[BlameRow, ...]:
    """Takes up to seconds, for a thread; raises Stopped if `stop` says so."""
    lines = blame(files, file, state, stop).lines
    texts = safe_lines([line.text for line in lines])
    return tuple(
        BlameRow(number, text[:LONGEST].expandtabs(4), line.step, line.origin == "before")
        for number, (text, line) in enumerate(zip(texts, lines, strict=True), 1)
    )


class BlameList(TableList[BlameRow]):
    """A row for each line; long ones are scrolled sideways."""

    left: reactive[int] = reactive(0)
    """Cells of the lines that are scrolled out at the left."""

    def columns(self) -> Columns[BlameRow]:
        steps = max((len(_origin(row)) for row in self.rows), default=0)
        digits = len(str(len(self.rows)))
        return (
            Column("", lambda row, _: Cell(_origin(row), _hue(row)), right=True, width=steps),
            Column("", lambda row, _: str(row.line), hue="number", right=True, width=digits),
            Column("", draw=self._in_sight, width=FILL, share=1),
        )

    _widest = 0
    """Cells of the longest line."""

    def show_lines(self, rows: tuple[BlameRow, ...], *, keep: bool = False) -> None:
        """Show other lines, from the top, or with `keep` with the cursor on the same line."""
        self._widest = max((width_of(row.text) for row in rows), default=0)
        self.left = self.left if keep else 0
        self.show(rows, self.cursor if keep else 0, keep_line=keep)

    def row_text(self, row: int) -> str:
        return self.rows[row].text

    def first_with(self, order: Sequence[int], text: str) -> int | None:
        """The first of some rows that holds a text, which is in lower case."""
        rows = self.rows
        return next((number for number in order if text in rows[number].text.lower()), None)

    def _in_sight(self, row: BlameRow, room: int) -> list[Piece]:
        start, _, lead = in_sight(Line("", ((row.text, ""),)), self.left, room)
        return [(fit(" " * lead + row.text[start:], room, self.glyphs.more), _hue(row))]

    @property
    def _room(self) -> int:
        """Cells for the text of a line."""
        return next((cells for one, cells in self.fitted(self.row_width).shown if one.draw), 0)

    # Sideways

    @property
    def is_wide(self) -> bool:
        return self._widest > self._room

    def validate_left(self, left: int) -> int:
        return max(0, min(left, self._widest - self._room))

    def show_text(self, text: str) -> None:
        """Bring the first place of a text in the row of the cursor into sight."""
        shown = self.current.text if self.current else ""
        place, room = shown.lower().find(text.lower()), self._room
        first = width_of(shown[: max(0, place)])
        if place >= 0 and not self.left <= first <= self.left + room - width_of(text):
            self.left = first - room // 3

    def action_scroll_left(self) -> None:
        self.left -= 8

    def action_scroll_right(self) -> None:
        self.left += 8

    def action_page_left(self) -> None:
        self.left -= max(1, self._room - 8)

    def action_page_right(self) -> None:
        self.left += max(1, self._room - 8)


def _hue(row: BlameRow) -> str:
    return "dim" if row.is_before else ""


def _origin(row: BlameRow) -> str:
    """The step of a line, "?" from elsewhere, "" for before the run."""
    if row.step is not None:
        return str(row.step)
    return "" if row.is_before else ELSEWHERE


class Subject(NamedTuple):
    """A file, and what is told of it as a whole."""

    path: str
    """As it is shown."""
    state: object
    """Another where its whole change is another."""
    facts: tuple[Piece, ...]
    blocks: Callable[[], list[Block]]
    """Its whole change; called in a thread."""
    key: str = ""
    """"" for one without versions."""
    files: Mapping[str, FileHistory] | None = None
    """The versions of all files, once they are read."""
    moment: Moment = END
    """Later versions are not shown."""

    @property
    def file(self) -> FileHistory | None:
        return self.files.get(self.key) if self.files else None


class FilePane(Vertical):
    """Call `show` with a file, and again when more of it is known."""

    class Changed(Message):
        """Something else of the file is shown, or the cursor is on another line of it."""

    @dataclass
    class Remark(Message):
        """A key does nothing here."""

        text: str

    def __init__(self) -> None:
        super().__init__()
        self.rule, self.body = Rule(id="change-rule"), BodyView(id="change")
        self.lines = BlameList(id="blame")
        self.lines.display = False
        self.shown: Shown = "change"
        self._subject: Subject | None = None
        self._number: int | None = None
        """The version that is shown, None for all of them."""
        self._line: int | None = None
        """The line that blame is wanted for, counted from 1, until that is read."""
        self._facts: tuple[Piece, ...] = ()
        self._stop = threading.Event()
        """Of what a thread reads now."""

    def compose(self) -> ComposeResult:
        yield from (self.rule, self.body, self.lines)

    def on_unmount(self) -> None:
        self._stop.set()

    # What is shown

    def show(self, subject: Subject) -> None:
        old, self._subject = self._subject, subject
        is_other = old is None or old.path != subject.path
        if is_other:
            self._number = self._line = None
            self._show("change")
        elif old and (old.state, old.moment) != (subject.state, subject.moment):
            self._show(self.shown, keep=True)

    def _show(self, what: Shown, *, keep: bool = False) -> None:
        self.shown = what
        self._stop.set()
        self._stop = threading.Event()
        if what == "blame" and not keep:
            self.lines.empty = READING
            self.lines.show_lines(())
        self.body.display, self.lines.display = what != "blame", what == "blame"
        self._read(keep, self._stop.is_set)
        self.post_message(self.Changed())

    @work(group="change", exclusive=True)
    async def _read(self, keep: bool, stop: Callable[[], bool]) -> None:
        """Uses a thread: comparing 10 MB takes seconds, as do the lines of hundreds of edits."""
        subject = self._subject
        if subject is None:
            return
        if self.shown == "change" or subject.file is None:
            self._facts = subject.facts
            self._show_blocks(await asyncio.to_thread(subject.blocks), keep)
            return
        file, versions = subject.file, self._versions
        if not versions:
            return
        number = min(self._number if self._number is not None else len(versions), len(versions) - 1)
        state = file_versions.state_of(file, versions, number, subject.moment)
        self._facts = tuple(file_versions.facts(versions, number, state))
        if self.shown == "blame":
            self._facts += () if state.certain else ((state.brief, "warn"),)
            rows = await asyncio.to_thread(_blamed, subject, state, stop)
            if rows is not None:
                self._show_lines(rows, state, keep)
            return
        make = partial(file_versions.version_blocks, file, versions, number, subject.moment)
        self._show_blocks(await asyncio.to_thread(partial(make, whole=self.shown == "text")), keep)

    def _show_blocks(self, blocks: list[Block], keep: bool) -> None:
        top = self.body.scroll_offset.y if keep else 0
        self.body.show(blocks)
        if top:
            self.body.scroll_lines(top)
        self._show_position()

    def _show_lines(self, rows: tuple[BlameRow, ...], state: FileState, keep: bool) -> None:
        self.lines.empty = (_why_no_lines(state),)
        self.lines.show_lines(rows, keep=keep)
        if self._line is not None:
            self.lines.move_to(self._line - 1)
            self.lines.show_around()
            self._line = None
        self._show_position()
        self.post_message(self.Changed())

    @on(RowList.Highlighted, "#blame")
    def _at_a_line(self) -> None:
        self.post_message(self.Changed())

    @on(events.Resize)
    @on(BodyView.Scrolled)
    def _show_position(self) -> None:
        if self._subject is None:
            return
        facts = list(self._facts)
        if self.shown == "blame":
            facts.append((plural(self.lines.row_count(), "line"), "dim"))
        elif self.shown == "text":  # whose lines have numbers
            whole = (block.text for block in self.body.blocks if isinstance(block, Code))
            facts += [(plural(text.count("\n") + 1, "line"), "dim") for text in whole]
        else:
            facts += self.body.position_facts()
        self.rule.facts = joined(facts, self.rule.glyphs.dot)
        path, room = self._subject.path, self.rule.title_room
        name = fit_end(path, min(room, width_of(path)), self.body.glyphs.more)
        self.rule.title = ((name, "title"),)

    # Versions

    @property
    def _versions(self) -> list[Version]:
        subject = self._subject
        if subject is None or subject.file is None:
            return []
        return file_versions.versions_until(subject.file, subject.moment)

    def _can_walk(self) -> bool:
        if self._versions:
            return True
        is_read = self._subject is not None and self._subject.files is not None
        why = "no version of it is known" if is_read else "its versions are not read yet"
        self.post_message(self.Remark(why))
        return False

    def walk(self, by: int) -> None:
        """Show the version before or after; from the whole change the last or the first."""
        if not self._can_walk():
            return
        count = len(self._versions)
        if self._number is None:
            number = count - 1 if by < 0 else 0
        else:
            number = self._number + by
        if not 0 <= number < count:
            which = "first" if by < 0 else "last"
            self.post_message(self.Remark(f"this is the {which} version: esc shows the change"))
            return
        self._number = number
        self._show("version" if self.shown == "change" else self.shown)

    def switch_text(self) -> None:
        """Show the whole text of the version, else of the last; again: what it changed."""
        if self._can_walk():
            if self._number is None:
                self._number = len(self._versions) - 1
            self._show("version" if self.shown == "text" else "text")

    def switch_blame(self) -> None:
        """Show which step wrote each line of the version, else of the last; again: no more."""
        if self.shown == "blame":
            self.go_back()
        elif self._can_walk():
            self._show("blame")

    def blame_line(self, line: int) -> None:
        """Show which step wrote a line of the last version, counted from 1."""
        if self._can_walk():
            self._line = line
            self._show("blame")

    def go_back(self) -> bool:
        """Back by one towards the whole change, which ends what is being read; False there."""
        if self.shown == "change":
            return False
        has_version = self._number is not None and self.shown != "version"
        if not has_version:
            self._number = None
        self._show("version" if has_version else "change")
        return True

    @property
    def step(self) -> Label | None:
        """The step of what is shown, or of the line under the cursor."""
        if self.shown == "blame":
            line = self.lines.current
            return line.step if line else None
        versions = self._versions if self._number is not None else []
        return versions[min(self._number or 0, len(versions) - 1)].label if versions else None

    # Moving

    @property
    def inner(self) -> BodyView | BlameList:
        return self.lines if self.shown == "blame" else self.body

    def scroll_half(self, pages: int) -> None:
        if self.shown == "blame":
            self.lines.action_page(pages / 2)
        else:
            self.body.scroll_lines(pages * max(1, self.body.size.height // 2))


def _blamed(
    subject: Subject, state: FileState, stop: Callable[[], bool]
) -> tuple[BlameRow, ...] | None:
    """None if it was stopped."""
    if subject.file is None or subject.files is None:
        return None
    try:
        return blame_rows(subject.files, subject.file, state, stop)
    except Stopped:
        return None


def _why_no_lines(state: FileState) -> str:
    if state.exists is False:
        return "the file was not there then"
    return "the file was empty" if state.version else file_versions.NOT_KNOWN
