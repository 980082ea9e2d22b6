"""The files that a run changed, and below them the whole change of the file under the cursor.

Where the sandbox runs, git's own list of changes is shown beside ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import var
from textual.screen import ModalScreen

from oh_tui.api.models import GitChange
from oh_tui.text.human import plural
from oh_tui.text.redact import safe, safe_line
from oh_tui.trajectory.analysis.change_rows import FileRow, lister_of, rows
from oh_tui.trajectory.analysis.changes import ChangeLog, FileChange
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.block import Block, Diff, Heading, Note
from oh_tui.trajectory.presentation.difference import unified
from oh_tui.tui.keys import HELP, Hint
from oh_tui.tui.platform.base_screen import ClosesOnce
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.widgets.bars import Footer
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.drawing import Piece, fit_end
from oh_tui.tui.widgets.file_list import WIDE, FileList
from oh_tui.tui.widgets.row_list import ColumnHead, RowList
from oh_tui.tui.widgets.rule import Rule, joined

if TYPE_CHECKING:
    from oh_tui.sources.actions.workspaces import Committed
    from oh_tui.trajectory.analysis.study import Study

Chosen = tuple[Literal["filter"], str] | tuple[Literal["step"], int] | None
"""The user's choice, for the main screen: the steps of one file, one step, or None."""

PIECES = 200
"""Edits shown of a file that is not known whole, the last ones."""

SLICE = 0.02
"""Seconds of reading in one go, so that keys get their turn."""


class ChangesScreen(ModalScreen[Chosen], ClosesOnce[Chosen]):
    """Call `show_study` with the run, `grown` when the run got more events, and `set_git` when git
    has answered."""

    DEFAULT_CSS = """
    ChangesScreen { background: $background; }
    ChangesScreen ColumnHead { height: 1; width: 1fr; }
    ChangesScreen FileList { height: 1fr; }
    ChangesScreen BodyView { height: 1fr; }
    """
    HELP_TITLE = "In the changed files"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", show=False),
        Binding("c,q", "dismiss", "close", show=False),
        Binding("ampersand", "filter", "filter", show=False),
        Binding("s", "step", "last step", show=False),
        Binding("x", "only_read", "only read", show=False),
        Binding("w", "wrap", "wrap", show=False),
        Binding("z", "whole", "zoom", show=False),
        Binding("J", "scroll_change(1)", "change down", show=False),
        Binding("K", "scroll_change(-1)", "change up", show=False),
        Binding("tab,shift+tab", "other_pane", "other pane", show=False),
    ]
    AUTO_FOCUS = "#changed-files"

    whole: var[bool] = var(False)
    """The change has the whole screen."""
    show_read: var[bool] = var(False)
    """Files that were only read are listed too."""

    def __init__(self, title: str = "") -> None:
        super().__init__()
        self.changes = ChangeLog(Trajectory())
        self.run_title = title
        self.study: Study | None = None
        """The analysis of the run, once it is available."""
        self._waits: tuple[str, ...] = ("reading the run …",)
        """Shown in place of files until the run is read."""
        self._git: list[tuple[str, str]] | None = None
        self._why = ""
        self._commits: Sequence[Committed] = ()
        self._shown: tuple[str, int] | None = None
        """The file whose change is shown, and how many edits it had then."""

    def compose(self) -> ComposeResult:
        self.files = FileList(id="changed-files")
        self.head = ColumnHead(self.files)
        self.list_rule = Rule(id="changed-rule")
        self.change_rule = Rule(id="change-rule")
        self.change = BodyView(id="change")
        self.footer = Footer()
        yield from (self.list_rule, self.head, self.files)
        yield from (self.change_rule, self.change, self.footer)

    def on_mount(self) -> None:
        if self._waits:
            self._list()
        else:
            self.read()

    # The run and git

    def show_study(self, study: Study, progress: str = "") -> None:
        """Show the run that has been read."""
        self.study, self.changes, self._waits, self._shown = study, study.changes, (), None
        if self.is_mounted:
            self.read()

    def fail(self, why: tuple[str, ...]) -> None:
        """The run cannot be read."""
        self._waits = why
        if self.is_mounted:
            self._list()

    def grown(self) -> None:
        """The run has more steps or results than before."""
        if not self._waits:
            self.read()

    def set_git(self, changes: Sequence[GitChange] | None, why: str = "") -> None:
        """Git's answer, or None and the reason when it could not be asked."""
        self._why = why
        self._git = (
            None if changes is None else [(change.letter, change.path) for change in changes]
        )
        if self.is_mounted:
            self._list()

    def set_commits(self, commits: Sequence[Committed]) -> None:
        """What was committed since the run began, the newest first."""
        self._commits, self._shown = commits, None
        if self.is_mounted:
            self._list()

    @work(group="changes", exclusive=True)
    async def read(self) -> None:
        while not self.changes.update(budget=SLICE):
            done, total = self.changes.progress
            self.files.empty = (f"reading the calls, {done:,} of {plural(total, 'step')} …",)
            await asyncio.sleep(0)
        self._list()

    def _list(self) -> None:
        log = self.changes
        found = [] if self._waits else rows(log, self._git)
        read = [FileRow(file.shown, file) for file in log.only_read]
        why = [] if found else [log.why_nothing]
        if read and not found and not self.show_read:
            them = "it" if len(read) == 1 else "them"
            why.append(f"{plural(len(read), 'file')} only read: x shows {them}")
        self.files.empty = self._waits or tuple(why)
        self.files.lister = lister_of(log, self._git)
        self.files.rows = (*found, *(read if self.show_read else ()))
        self._arrange()
        self._show_facts()
        self._show_change()

    def _show_facts(self) -> None:
        log, dot = self.changes, self.list_rule.glyphs.dot
        run_title = f"  {self.run_title}" if self.run_title and self.size.width >= WIDE else ""
        self.list_rule.title = (("Changed files", "title"), (run_title, "dim"))
        remarks = [row.remark(self.files.lister) for row in self.files.rows]
        differ = sum("not in " in remark or "outside" in remark for remark in remarks)
        facts: list[Piece] = [
            (log.size if log.changed else "", ""),
            (f"patch: {log.patch_size}", "")
            if log.patch
            else ("editor and patch calls only", "dim"),
            (plural(len(self._commits), "commit") if self._commits else "", ""),
            ("" if log.trajectory.complete else "older events not read", "warn"),
        ]
        if self._git == [] and log.changed:
            facts.append(("git: no change, or no repository", "warn"))
        elif differ:
            facts.append((f"{self.files.lister} differs in {differ}", "warn"))
        elif self._why:
            facts.append((f"git: {self._why}", "dim"))
        shown = [] if self._waits else [fact for fact in facts if fact[0]]
        self.list_rule.facts = joined(shown, dot)
        self._show_keys()

    def _show_keys(self) -> None:
        row = self.files.current
        self.list_rule.heavy = self.files.has_focus
        self.change_rule.heavy = not self.files.has_focus
        hints: list[Hint] = []
        if row:
            hints.append(Hint("enter", "smaller" if self.whole else "read whole", "whole"))
        if row and row.file:
            hints.append(Hint("&", "filter its steps", "filter"))
            hints.append(Hint("s", f"to step {row.file.last_step:,}", "step"))
        if self.changes.only_read:
            count = plural(len(self.changes.only_read), "file")
            label = f"hide {count}" if self.show_read else f"{count} only read"
            hints.append(Hint("x", label, "only_read"))
        if row and not self.whole:
            hints.append(Hint("J K", "scroll", "scroll_change(1)"))
        hints.append(Hint("w", "wrap", "wrap"))
        self.footer.hints = tuple(hints)
        self.footer.always = (HELP, Hint("esc", "back" if self.whole else "close", "back"))

    # The change of one file

    @on(RowList.Highlighted, "#changed-files")
    def _at_a_file(self) -> None:
        self._show_keys()
        self._show_change()

    def _show_change(self) -> None:
        row = self.files.current
        if row is None:
            return
        edits = len(row.file.edits) if row.file else -1
        if self._shown != (row.path, edits):
            again = self._shown is not None and self._shown[0] == row.path
            self._shown = (row.path, edits)
            self._read_change(row, keep=again)

    @work(group="change", exclusive=True)
    async def _read_change(self, row: FileRow, *, keep: bool) -> None:
        """Uses a thread, because comparing two texts of 10 MB takes a second or two."""
        blocks: list[Block] = commit_notes(self._commits, row)
        blocks += await asyncio.to_thread(change_blocks, self.changes, row)
        top = self.change.scroll_offset.y if keep else 0
        self.change.show(blocks)
        if top:
            self.change.scroll_lines(top)
        self._show_position()

    @on(BodyView.Scrolled)
    def _show_position(self) -> None:
        row = self.files.current
        if row is None:
            return
        facts: list[Piece] = []
        if row.file and row.file.edits:
            facts.append((edited_steps(row.file), ""))
        first, last, total = self.change.position()
        if total > last - first + 1:
            facts.append((f"lines {first:,}-{last:,} of {total:,}", "dim"))
        room = max(12, self.size.width - 9 - sum(len(text) + 3 for text, _ in facts))
        name = fit_end(row.path, min(room, width_of(row.path)), self.change.glyphs.before)
        self.change_rule.title = ((name, "title"),)
        self.change_rule.facts = joined(facts, self.change_rule.glyphs.dot)

    # Keys

    def action_back(self) -> None:
        if self.whole:
            self.whole = False
        else:
            self.dismiss(None)

    def action_whole(self) -> None:
        if self.files.current:
            self.whole = not self.whole

    @on(RowList.Opened, "#changed-files")
    @on(BodyView.Opened)
    def _open(self) -> None:
        self.action_whole()

    def watch_whole(self, whole: bool) -> None:
        if self.is_mounted:
            self._arrange()
            (self.change if whole else self.files).focus()
            self._show_keys()  # the change may have had the focus before

    def action_filter(self) -> None:
        if row := self._touched():
            self.dismiss(("filter", row.path))

    def action_step(self) -> None:
        row = self._touched()
        if row and row.file:
            self.dismiss(("step", row.file.last_step))

    def _touched(self) -> FileRow | None:
        """The row under the cursor, if a known step of this run touched its file."""
        row = self.files.current
        if row and row.file is None:
            self.footer.tell("no editor or patch call of this run touched that file")
            return None
        return row

    def action_only_read(self) -> None:
        self.show_read = not self.show_read
        self._list()

    def action_wrap(self) -> None:
        self.change.wrap = not self.change.wrap

    def action_scroll_change(self, lines: int) -> None:
        self.change.scroll_lines(lines * max(1, self.change.size.height // 2))

    def action_other_pane(self) -> None:
        if self.whole or not self.files.current:
            return
        (self.change if self.files.has_focus else self.files).focus()

    def on_descendant_focus(self) -> None:
        self._show_keys()

    def on_resize(self) -> None:
        self._arrange()
        self._show_facts()
        self._show_position()

    def _arrange(self) -> None:
        """The list takes the lines it needs, at most two fifths; the change takes the rest."""
        count = self.files.row_count()
        most = max(3, (self.size.height - 4) * 2 // 5)
        self.list_rule.display = self.head.display = self.files.display = not self.whole
        self.change_rule.display = self.change.display = count > 0
        self.files.styles.height = min(count, most) if count else "1fr"
        self.head.refresh()


def edited_steps(file: FileChange) -> str:
    """Such as "1 edit, step 12" or "7 edits, steps 9-49"."""
    steps = file.steps
    if len(steps) == 1:
        return f"1 edit, step {steps[0]:,}"
    return f"{len(steps):,} edits, steps {steps[0]:,}-{steps[-1]:,}"


def commit_notes(commits: Sequence[Committed], row: FileRow) -> list[Block]:
    """The commits that changed a file."""
    return [
        Note(f"in the commit {safe_line(commit.short_sha)} {safe_line(commit.subject)}")
        for commit, changes in commits
        if any(
            one.path == row.file.path if row.file else one.path.endswith(f"/{row.path}")
            for one in changes
        )
    ]


def change_blocks(log: ChangeLog, row: FileRow) -> list[Block]:
    """The change of a file in the patch, then as the calls made it."""
    if row.patched is None:
        return _call_blocks(log, row)
    hunks = safe(row.patched.hunks)
    no_lines = Note("the patch shows none of its lines: it is binary, empty or only renamed")
    blocks: list[Block] = [Heading("in the patch")]
    blocks.append(Diff(hunks, row.path) if hunks else no_lines)
    if row.file and row.file.edits:
        blocks += [Heading("by editor and patch calls"), *_call_blocks(log, row)]
    return blocks


def _call_blocks(log: ChangeLog, row: FileRow) -> list[Block]:
    """The whole change of a file, or those parts of it that the events hold."""
    file = row.file
    if file is None:
        return [
            Note("git lists it as changed, but no editor or patch call of this run touched it:"),
            Note("a command changed it, or it was changed before the run"),
        ]
    if not file.edits:
        steps = ", ".join(str(step.number) for step in file.reads[:20])
        more = ", …" if len(file.reads) > 20 else ""
        return [Note(f"only read, in step {steps}{more}")]
    whole = log.whole_change(file.path)
    if whole is not None:
        return [_difference(file, *whole)]
    blocks: list[Block] = [Note("only parts of this file are known; its edits, one by one:")]
    hidden = len(file.edits) - PIECES
    if hidden > 0:
        blocks.append(Note(f"the first {plural(hidden, 'edit')} are not shown here"))
    for step, hunk in log.hunks(file.path, PIECES):
        blocks.append(Heading(f"step {step}"))
        blocks.append(
            Diff(safe(hunk), file.shown) if hunk else Note("this call does not say which lines")
        )
    return blocks


def _difference(file: FileChange, old: str, new: str) -> Block:
    text = unified(safe(old), safe(new))
    if text:
        return Diff(text, file.shown)
    if file.created and file.deleted:
        return Note("created and deleted in this run")
    if file.same:
        return Note("its last edit restored the text from before the first one")
    if file.created or file.deleted:
        return Note(f"an empty file, {'new' if file.created else 'deleted'}")
    return Note("only invisible characters differ, such as line ends")
