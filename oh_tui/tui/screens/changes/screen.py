"""The files that a run changed; where the sandbox runs, git's own list stands beside ours."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.reactive import var

from oh_tui.api.models import GitChange
from oh_tui.text.human import plural
from oh_tui.trajectory.analysis.change_rows import FileRow, lister_of, rows
from oh_tui.trajectory.analysis.changes import ChangeLog
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.tui.keys import Hint
from oh_tui.tui.screens.changes.change_blocks import change_blocks, commit_notes, edited_steps
from oh_tui.tui.screens.changes.file_pane import Subject
from oh_tui.tui.screens.changes.files_screen import SLICE, FilesScreen
from oh_tui.tui.widgets.drawing import Piece
from oh_tui.tui.widgets.file_list import WIDE
from oh_tui.tui.widgets.rule import joined

if TYPE_CHECKING:
    from oh_tui.sources.actions.workspaces import Committed
    from oh_tui.trajectory.analysis.study import Study
    from oh_tui.trajectory.presentation.block import Block


class ChangesScreen(FilesScreen):
    """Call `set_git` when git has answered."""

    HELP_TITLE = "In the changed files"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "only_read", "only read", show=False),
    ]

    show_read: var[bool] = var(False)
    """Files that were only read are listed too."""

    def __init__(self, title: str = "") -> None:
        super().__init__(title)
        self.changes = ChangeLog(Trajectory())
        self._git: list[tuple[str, str]] | None = None
        self._why = ""
        self._commits: Sequence[Committed] = ()

    # The run and git

    def show_study(self, study: Study, progress: str = "") -> None:
        self.changes = study.changes
        super().show_study(study, progress)

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
        self._commits = commits
        if self.is_mounted:
            self._list()

    @work(group="changes", exclusive=True)
    async def read(self) -> None:
        while not self.changes.update(budget=SLICE):
            done, total = self.changes.progress
            self.files.empty = (f"reading the calls, {done:,} of {plural(total, 'step')} …",)
            await asyncio.sleep(0)
        self._list()
        await self._read_versions()
        self._show_file()
        self._show_keys()

    def _rows(self) -> Sequence[FileRow]:
        log = self.changes
        found = [] if self._waits else rows(log, self._git)
        read = [FileRow(file.shown, file) for file in log.only_read]
        why = [] if found else [log.why_nothing]
        if read and not found and not self.show_read:
            them = "it" if len(read) == 1 else "them"
            why.append(f"{plural(len(read), 'file')} only read: x shows {them}")
        self.files.empty = self._waits or tuple(why)
        self.files.lister = lister_of(log, self._git)
        return (*found, *(read if self.show_read else ()))

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

    def _more_hints(self, row: FileRow | None) -> list[Hint]:
        hints = super()._more_hints(row)
        if self.changes.only_read:
            count = plural(len(self.changes.only_read), "file")
            label = f"hide {count}" if self.show_read else f"{count} only read"
            hints.insert(0, Hint("x", label, "only_read"))
        return hints

    def _subject(self, row: FileRow) -> Subject:
        edits = len(row.file.edits) if row.file else -1
        facts: list[Piece] = []
        if row.file and edits:
            facts.append((edited_steps(row.file), ""))
        return Subject(
            row.path,
            (edits, self.changes, self._commits),
            tuple(facts),
            partial(_blocks, self.changes, self._commits, row),
            row.key,
            self._files,
        )

    def action_only_read(self) -> None:
        self.show_read = not self.show_read
        self._list()


def _blocks(log: ChangeLog, commits: Sequence[Committed], row: FileRow) -> list[Block]:
    return [*commit_notes(commits, row), *change_blocks(log, row)]
