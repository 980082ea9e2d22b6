"""A list of files with their state in git, and below it the one under the cursor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import var

from oh_tui.tables.column import Cell, Column
from oh_tui.trajectory.changes.history import FileHistory
from oh_tui.trajectory.changes.touched_files import Label
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.glyphs import Glyphs
from oh_tui.trajectory.presentation.change_rows import FileRow, Lister, step_words
from oh_tui.tui.screens.changes.file_pane import FilePane, Subject
from oh_tui.tui.screens.view import FindLine, KeyLabels, View, pair
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.drawing import Rule
from oh_tui.tui.widgets.row_list import ColumnHead, RowList
from oh_tui.tui.widgets.table_list import Columns, TableList

Chosen = tuple[Literal["filter"], str] | tuple[Literal["step"], Label] | None
"""The user's choice, for the main screen: the steps of one file, one step, or None."""

SLICE = 0.02
"""Seconds of reading in one go, so that keys get their turn."""

LINES = 5_000
"""Lines of blame that are searched at a time."""


WIDE = 100
"""The width in cells from which the column of reads is shown."""


class FileList(TableList[FileRow]):
    lister: Lister = ""
    """Whose letters are shown."""

    def key(self, row: FileRow) -> object:
        return row.path, row.agent

    def columns(self) -> Columns[FileRow]:
        return (
            Column("path", _path, share=9, least=30, is_path=True),
            Column(self.lister, lambda row, _: row.letter, hue="number", width=len(self.lister)),
            _number("reads", _reads, "dim", WIDE),
            _number("edits", _edits),
            _number("+", _added, "edit"),
            _number("-", _removed, "bad"),
            _number("last", _last, "dim"),
            Column("", self._remark, share=1),
        )

    def _remark(self, row: FileRow, _glyphs: Glyphs) -> Cell:
        text = row.remark(self.lister)
        return Cell(text, "dim" if row.key and "not in " not in text else "warn")


def _path(row: FileRow, _glyphs: Glyphs) -> Cell:
    only_read = row.file is not None and not row.file.edits
    return Cell(row.path, "dim" if only_read else "")


def _number(
    head: str, text: Callable[[FileRow], str], hue: str = "", usual_from: int = 0
) -> Column[FileRow, object]:
    return Column(head, lambda row, _: text(row), hue=hue, right=True, usual_from=usual_from)


def _reads(row: FileRow) -> str:
    return f"{len(row.file.reads):,}" if row.file and row.file.reads else ""


def _edits(row: FileRow) -> str:
    steps = row.then.steps if row.then else row.file.edits if row.file else ()
    return f"{len(steps):,}" if steps else ""


def _added(row: FileRow) -> str:
    count = (row.then.lines or (0, 0))[0] if row.then else row.file.added if row.file else 0
    return f"+{count:,}" if count else ""


def _removed(row: FileRow) -> str:
    count = (row.then.lines or (0, 0))[1] if row.then else row.file.removed if row.file else 0
    return f"-{count:,}" if count else ""


def _last(row: FileRow) -> str:
    if row.then:
        return str(row.then.steps[-1])
    last = row.label(row.file.last_step) if row.file else ""
    return f"{last:,}" if isinstance(last, int) else last


class FilesScreen(View[Chosen]):
    """A subclass lists the files; `show_study` gets the run, `grown` says that it has more."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "step", "to the step of the line"),
        Binding("enter", "whole", "read whole"),
        Binding("b", "blame", "no blame"),
        Binding("/", "find", "find", tooltip="find in blame"),
        *pair("n", "N", "next_hit", "hits", "next and previous hit"),
        *pair("right", "left", "scroll_sideways", "sideways"),
        *pair("(", ")", "version", "versions", "the version before, after", by=-1),
        Binding("z", "whole", "zoom"),
        Binding("b", "blame", "blame", tooltip="blame: which step wrote each line"),
        Binding("t", "text", "its text", tooltip="the whole text of the version"),
        Binding("&", "filter", "filter"),
        Binding("s", "step", "to the step", tooltip="the step of what is shown"),
        Binding("x", "only_read", "only read"),
        *pair("J", "K", "scroll_half", "scroll", "change down and up"),
        Binding("w", "wrap", "wrap"),
        Binding("tab,shift+tab", "app.focus_next", "other pane", show=False),
        Binding("c,H,q", "dismiss", "close", show=False),
    ]

    whole: var[bool] = var(False)
    """The file has the whole screen."""

    def __init__(self, title: str = "") -> None:
        super().__init__()
        self.run_title = title
        self.study: Study | None = None
        self._waits: tuple[str, ...] = ("reading the run …",)
        """Shown in place of files until the run is read."""
        self._files: dict[str, FileHistory] | None = None
        """The versions of each file by its key, once they are read."""
        self.files = FileList(id="changed-files")
        self.head = ColumnHead(self.files)
        self.list_rule = Rule(id="changed-rule")
        self.pane = FilePane()
        blame, missing = self.pane.lines, "no line holds that text"
        self.find = FindLine(blame, blame.first_with, missing, at_once=LINES)
        self.lines = (self.find,)

    def compose(self) -> ComposeResult:
        yield from (self.list_rule, self.head, self.files, self.pane)
        yield from (self.find, self.footer)

    def on_mount(self) -> None:
        if self._waits:
            self._list()
        else:
            self.read()

    # The run

    def show_study(self, study: Study, progress: str = "") -> None:
        self.study, self._waits = study, ()
        if self.is_mounted:
            self.read()

    def fail(self, why: tuple[str, ...]) -> None:
        self._waits = why
        if self.is_mounted:
            self._list()

    def grown(self) -> None:
        if not self._waits:
            self.read()

    def read(self) -> object:
        """Reads the run in slices, in a worker, and lists the files."""
        raise NotImplementedError

    async def _read_versions(self) -> None:
        files = self.study.files if self.study else None
        if files is None:
            return
        is_read = files.update(budget=SLICE)
        while not is_read:
            await asyncio.sleep(0)  # keys get their turn
            is_read = files.update(budget=SLICE)
        self._files = {file.path: file for file in files.files}

    def _rows(self) -> Sequence[FileRow]:
        raise NotImplementedError

    def _show_facts(self) -> None:
        raise NotImplementedError

    def _subject(self, row: FileRow) -> Subject:
        raise NotImplementedError

    def _list(self) -> None:
        self.files.show(tuple(self._rows()))
        self._arrange()
        self._show_facts()
        self._show_file()
        self.show_keys()

    # What is shown

    @on(RowList.Highlighted, "#changed-files")
    def _at_a_file(self) -> None:
        self._show_file()
        self.show_keys()

    def _show_file(self) -> None:
        if row := self.files.current:
            self.pane.show(self._subject(row))

    def on_file_pane_changed(self) -> None:
        is_elsewhere = not (self.pane.inner.has_focus or self.find.is_open)
        if self.pane.inner.display and is_elsewhere:
            is_blame = self.pane.shown == "blame"
            if is_blame or not self.files.has_focus:
                (self.pane.inner if is_blame or self.whole else self.files).focus()
        self.show_keys()

    def on_file_pane_remark(self, message: FilePane.Remark) -> None:
        self.footer.tell(message.text, remark=True)

    def show_keys(self) -> None:
        self.list_rule.heavy = self.files.has_focus
        self.pane.rule.heavy = not self.files.has_focus
        self.esc = "back" if self.whole or self.pane.shown != "change" else "close"
        super().show_keys()

    def key_labels(self) -> KeyLabels:
        pane, row = self.pane, self.files.current
        blame = row is not None and pane.shown == "blame"
        file = None if blame else row
        has_versions = file and self._files and file.key in self._files
        size = "smaller" if self.whole else "read whole"
        text = {"change": "", "text": "what it changed"}.get(pane.shown, "its text")
        return {
            "to the step of the line": blame and pane.step and f"to step {step_words(pane.step)}",
            **dict.fromkeys(("no blame", "find"), blame),
            "hits": blame and bool(self.find.needle),
            "sideways": blame and pane.lines.is_wide,
            "versions": blame or has_versions,
            "zoom": blame and size,
            "read whole": file and size,
            "blame": has_versions,
            "its text": has_versions and text,
            "filter": file and file.is_own,
            "to the step": file and file.key and f"to step {step_words(self._step_of(file))}",
            "only read": False,
            "scroll": file and not self.whole,
            "wrap": file,
        }

    def _step_of(self, row: FileRow) -> Label:
        """The step of the version or the line that is shown, else the last of the file."""
        if self.pane.step is not None:
            return self.pane.step
        if row.then:
            return row.then.steps[-1]
        return row.label(row.file.last_step) if row.file else 0

    # Keys

    def go_back(self) -> None:
        if self.find.needle and self.pane.shown == "blame":
            self.find.look_for("")
        elif self.pane.go_back():
            pass
        elif self.whole:
            self.whole = False
        else:
            super().go_back()

    def action_version(self, by: int) -> None:
        if self.files.current:
            self.pane.walk(by)

    def action_text(self) -> None:
        if self.files.current:
            self.pane.switch_text()

    def action_blame(self) -> None:
        if self.files.current:
            self.pane.switch_blame()

    @on(RowList.Opened, "#changed-files")
    @on(BodyView.Opened)
    def action_whole(self) -> None:
        if self.files.current:
            self.whole = not self.whole

    def watch_whole(self, whole: bool) -> None:
        if self.is_mounted:
            self._arrange()
            (self.pane.inner if whole or self.pane.shown == "blame" else self.files).focus()
            self.show_keys()  # the file may have had the focus before

    def action_filter(self) -> None:
        row = self._touched()
        if row and not row.is_own:
            self.footer.tell("only sub-agents edited it, and a filter leaves their steps out")
        elif row:
            self.dismiss(("filter", row.path))

    @on(RowList.Opened, "#blame")
    def action_step(self) -> None:
        if row := self._touched():
            if self.pane.shown == "blame" and self.pane.step is None:
                self.footer.tell("no step of this run wrote that line", remark=True)
            else:
                self.dismiss(("step", self._step_of(row)))

    def _touched(self) -> FileRow | None:
        """The row under the cursor, if a known step of this run touched its file."""
        row = self.files.current
        if row and not row.key:
            self.footer.tell("no editor or patch call of this run touched that file")
            return None
        return row

    def action_wrap(self) -> None:
        if self.pane.shown == "blame":
            self.footer.tell("a line is one row here: ← → scroll sideways", remark=True)
            return
        self.pane.body.wrap = not self.pane.body.wrap

    def action_scroll_sideways(self, by: int) -> None:
        self.pane.lines.left += 8 * by

    def action_scroll_half(self, by: int) -> None:
        self.pane.scroll_half(by)

    # Finding

    def action_find(self) -> None:
        if self.pane.shown != "blame":
            self.footer.tell("/ finds in the lines of blame: b shows them", remark=True)
        elif self.pane.lines.rows:
            self.find.ask()

    def action_next_hit(self, by: int) -> None:
        if self.pane.shown == "blame" and self.pane.lines.rows:
            self.find.next_hit(by)

    def on_find_line_found(self) -> None:
        self.pane.lines.show_text(self.find.needle)

    # Arrangement

    def on_resize(self) -> None:
        self._arrange()
        self._show_facts()

    def _arrange(self) -> None:
        """The list takes the lines it needs, at most two fifths; the file takes the rest."""
        count = self.files.row_count()
        most = max(3, (self.size.height - 4) * 2 // 5)
        self.list_rule.display = self.head.display = self.files.display = not self.whole
        self.pane.display = count > 0
        self.files.styles.height = min(count, most) if count else "1fr"
