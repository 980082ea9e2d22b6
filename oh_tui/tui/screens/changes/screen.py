"""The files that a run changed; where the sandbox runs, git's own list stands beside ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from textual import work
from textual.reactive import var

from oh_tui.actions.workspaces import Committed
from oh_tui.api.git_models import GitChange
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.changes.at_step import BesideGit, beside_git
from oh_tui.trajectory.changes.changes import ChangeLog
from oh_tui.trajectory.changes.history import FileHistory
from oh_tui.trajectory.changes.order_in_time import Label
from oh_tui.trajectory.findings.review_hints.hint import Reason
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.block import Block, Diff, Heading, Note
from oh_tui.trajectory.presentation.change_rows import (
    FileRow,
    change_blocks,
    edited_steps,
    left_out,
    lister_of,
    rows,
    without_servers,
)
from oh_tui.tui.screens.changes.file_pane import Subject
from oh_tui.tui.screens.changes.files_screen import SLICE, WIDE, FilesScreen
from oh_tui.tui.screens.view import KeyLabels
from oh_tui.tui.widgets.drawing import Piece
from oh_tui.tui.widgets.rule import joined

GitText = Callable[[str], Awaitable[str | None]]
"""Asks git for the text that a file has now, by its path. Raises Problem."""

REST = 0.2
"""Seconds that the cursor rests on a file before git is asked for it."""


class ChangesScreen(FilesScreen):
    """Call `set_git` when git has answered."""

    HELP_TITLE = "In the changed files"

    show_read: var[bool] = var(False)
    """Files that were only read are listed too."""

    def __init__(self, title: str = "") -> None:
        super().__init__(title)
        self.changes = ChangeLog(Trajectory())
        self._below: Mapping[str, ChangeLog] = {}
        """What sub-agents changed, by what the numbers of their steps begin with."""
        self._looks: dict[tuple[str, str], tuple[tuple[Label, Reason], ...]] = {}
        """What is worth a look in each file, by the sub-agent that changed it and its key."""
        self._has_churn = False
        """All edits are read, so that churn takes no time."""
        self._git: list[tuple[str, str]] | None = None
        self._servers = 0
        """Files of the server that git lists beside."""
        self._why = ""
        self._commits: Sequence[Committed] = ()
        self._git_text: GitText | None = None
        self._asked: tuple[str, int] | None = None
        """The file that git was asked for last, and how many edits it had."""
        self._beside: dict[tuple[str, int], BesideGit] = {}
        """What git told of each file, with so many edits."""

    # The run and git

    def show_study(self, study: Study, progress: str = "") -> None:
        self.changes = study.changes
        super().show_study(study, progress)

    def set_git(
        self,
        changes: Sequence[GitChange] | None,
        why: str = "",
        git_text: GitText | None = None,
    ) -> None:
        """Git's answer, or None and the reason when it could not be asked."""
        self._why, self._git_text = why, git_text
        self._git, self._servers = None, 0
        if changes is not None:
            self._git, self._servers = without_servers((one.letter, one.path) for one in changes)
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
        self._below = self.study.changes_below if self.study else {}
        for log in (self.changes, *self._below.values()):
            is_read = log.churn.update(budget=SLICE)
            while not is_read:
                await asyncio.sleep(0)  # keys get their turn
                is_read = log.churn.update(budget=SLICE)
        self._has_churn = True
        self._list()
        if self.study:
            self._looks = await _looks_by_file(self.study)
            self._list()

    def _rows(self) -> Sequence[FileRow]:
        log = self.changes
        listed = [] if self._waits else rows(log, self._git, self._below)
        found = [row._replace(looks=self._looks.get((row.agent, row.key), ())) for row in listed]
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
        below = sum(bool(row.agent) for row in self.files.rows)
        differ = sum("not in " in remark or "outside" in remark for remark in remarks)
        facts: list[Piece] = [
            (log.size if log.changed else "", ""),
            (f"patch: {log.patch_size}", "")
            if log.patch
            else (left_out(self._servers) or "editor and patch calls only", "dim"),
            (f"{plural(below, 'file')} by sub-agents" if below else "", ""),
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

    def key_labels(self) -> KeyLabels:
        labels, read = super().key_labels(), self.changes.only_read
        count = plural(len(read), "file")
        label = f"hide {count}" if self.show_read else f"{count} only read"
        return {**labels, "only read": labels["wrap"] and read and label}

    def _subject(self, row: FileRow) -> Subject:
        edits = len(row.file.edits) if row.file else -1
        log = self._below[f"{row.agent}."] if row.agent else self.changes
        facts: list[Piece] = []
        if row.file and edits:
            facts.append((edited_steps(row), ""))
            churn = row.churn if self._has_churn else None
            if churn and churn.gone:
                facts.append((churn.words, "dim"))
        file = self._with_git(row)
        beside = self._beside.get(_state(file)) if file else None
        if beside:
            facts.append((beside.words, "warn" if beside.same is False else "dim"))
        return Subject(
            row.path,
            (row.agent, edits, log, self._commits, beside, row.looks),
            tuple(facts),
            partial(_blocks, log, self._commits, row, beside),
            row.key,
            self._files,
        )

    # The file beside git

    def _with_git(self, row: FileRow) -> FileHistory | None:
        """The file of a row, if git lists it too and may have a text of it."""
        is_listed = bool(self._git) and row.letter not in ("", "D")
        return self._files.get(row.key) if self._files and is_listed else None

    def _show_file(self) -> None:
        super()._show_file()
        row = self.files.current
        file = self._with_git(row) if row else None
        if file is None or self._git_text is None:
            return
        state = _state(file)
        if state not in self._beside and state != self._asked:
            self._asked = state
            self._ask_git(file, self._git_text)

    @work(group="beside", exclusive=True)
    async def _ask_git(self, file: FileHistory, git_text: GitText) -> None:
        """One call for the file that the cursor rests on; again when the run edited it again."""
        await asyncio.sleep(REST)
        state = _state(file)
        try:
            shown = await git_text(file.path)
            self._beside[state] = await asyncio.to_thread(beside_git, file, shown)
        except Problem as problem:
            self._beside[state] = BesideGit(why=problem.sentence)
        super()._show_file()

    def action_only_read(self) -> None:
        self.show_read = not self.show_read
        self._list()


async def _looks_by_file(
    study: Study,
) -> dict[tuple[str, str], tuple[tuple[Label, Reason], ...]]:
    """Reads the steps of a run and its sub-agents in slices, so that keys get their turn."""
    found: dict[tuple[str, str], list[tuple[Label, Reason]]] = {}
    end = time.monotonic() + SLICE
    for run in (study, *study.sub_runs.all()):
        for step in run.trajectory.steps:
            for reason in run.review_hints.of(step):
                label = f"{run.path}{step.number}" if run.path else step.number
                for path in dict.fromkeys(map(run.changes.key, reason.paths)):
                    found.setdefault((run.path[:-1], path), []).append((label, reason))
            if time.monotonic() > end:
                await asyncio.sleep(0)
                end = time.monotonic() + SLICE
    return {key: tuple(looks) for key, looks in found.items()}


def _state(file: FileHistory) -> tuple[str, int]:
    return file.path, len(file.edits)


def _blocks(
    log: ChangeLog, commits: Sequence[Committed], row: FileRow, beside: BesideGit | None
) -> list[Block]:
    told = git_blocks(beside, row.path) if beside else []
    return [*look_notes(row), *commit_notes(commits, row), *told, *change_blocks(log, row)]


def commit_notes(commits: Sequence[Committed], row: FileRow) -> list[Block]:
    return [
        Note(f"in the commit {safe_line(commit.short_sha)} {safe_line(commit.subject)}")
        for commit, changes in commits
        if any(
            one.path == row.file.path if row.file else one.path.endswith(f"/{row.path}")
            for one in changes
        )
    ]


MOST_LOOKS = 5
"""Reasons that stand above a file; the others are counted."""


def look_notes(row: FileRow) -> list[Block]:
    notes: list[Block] = [
        Note(f"worth a look, step {label}: {reason.why}")
        for label, reason in row.looks[:MOST_LOOKS]
    ]
    if more := len(row.looks) - MOST_LOOKS:
        notes += [Note(f"and {more:,} more: & with look:any")] if more > 0 else []
    return notes


def git_blocks(beside: BesideGit, path: str) -> list[Block]:
    """How git now differs from the last version of a file, to stand before what the run changed."""
    if beside.same is None:
        return [Note(safe_line(beside.words))]
    if beside.same:
        return []
    only = Note("only invisible characters or hidden secrets differ")
    lines = Diff(beside.diff, path) if beside.diff else only
    notes = [Note(beside.why)] if beside.why else []
    head = Heading(f"git now, against what step {beside.step} left")
    return [head, *notes, lines, Heading("by editor and patch calls")]
