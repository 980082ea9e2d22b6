"""The files that a run changed, beside git's own list where the sandbox runs; and the files as they
were after one of its steps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from textual import work
from textual.reactive import var

from oh_tui.actions.workspace import Committed
from oh_tui.api.models import GitChange
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe, safe_line
from oh_tui.trajectory.changes.at_step import (
    BesideGit,
    FileThen,
    beside_git,
    files_then,
    sums,
    text_of,
)
from oh_tui.trajectory.changes.changes import ChangeLog, size_words
from oh_tui.trajectory.changes.history import FileHistory
from oh_tui.trajectory.changes.touched_files import END, START, FilePlace, Label, Moment
from oh_tui.trajectory.findings.review_hints.hint import Reason
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.difference import unified
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.block import Block, Code, Diff, Heading, Note
from oh_tui.trajectory.presentation.change_rows import (
    FileRow,
    change_blocks,
    edited_steps,
    left_out,
    lister_of,
    rows,
    step_words,
    without_servers,
)
from oh_tui.tui.screens.changes.file_pane import Subject
from oh_tui.tui.screens.changes.file_versions import NOT_KNOWN, commands, evidence
from oh_tui.tui.screens.changes.files_screen import SLICE, WIDE, FilesScreen
from oh_tui.tui.screens.view import KeyLabels
from oh_tui.tui.widgets.drawing import Piece, joined

GitText = Callable[[str], Awaitable[str | None]]
"""Asks git for the text that a file has now, by its path. Raises Problem."""

REST = 0.2
"""Seconds that the cursor rests on a file before git is asked for it."""


class ChangesScreen(FilesScreen):
    """Call `set_git` when git has answered."""

    HELP_TITLE = "In the changed files"

    show_read: var[bool] = var(False)

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
        self.list_rule.facts = joined([] if self._waits else facts, dot)

    def key_labels(self) -> KeyLabels:
        labels, read = super().key_labels(), self.changes.only_read
        count = plural(len(read), "file")
        label = f"hide {count}" if self.show_read else f"{count} only read"
        return {**labels, "only read": self.pane.shown != "blame" and read and label}

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
        facts: list[Piece] = [(f"{plural(len(then.steps), 'edit')} by then", "")]
        facts += [("certain", "dim")] if then.state.certain else []
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
        told = Code(safe(new).removesuffix("\n"), then.file.shown)
        blocks.append(told if new else Note("an empty file"))
    elif diff := unified(safe(old), safe(new)):
        blocks.append(Diff(diff, then.file.shown))
    else:
        blocks.append(Note("the same text as before the run" if old else "an empty file"))
    return [*blocks, *commands("since then", state.since)]
