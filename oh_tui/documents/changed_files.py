"""The files that a run changed, also as of a step, and who wrote their lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from oh_tui.actions.workspace import Committed
from oh_tui.conversation import Conversation
from oh_tui.documents.steps import step_at
from oh_tui.sources.source import Source
from oh_tui.tables.column import Column, json_of
from oh_tui.text.human import stamp
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line, without_private_keys
from oh_tui.text.remarks import say
from oh_tui.trajectory.changes.at_step import NOTE, BesideGit, FileThen, beside_git, sums
from oh_tui.trajectory.changes.blame import Blame
from oh_tui.trajectory.changes.changes import ChangeLog, FileChange
from oh_tui.trajectory.changes.churn import Lines
from oh_tui.trajectory.changes.history import FileHistory, Files
from oh_tui.trajectory.changes.patch import PatchedFile
from oh_tui.trajectory.changes.touched_files import Label, Moment
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.clock import seconds
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.change_rows import FileRow, rows, without_servers

if TYPE_CHECKING:
    from oh_tui.documents.shapes import common
    from oh_tui.documents.shapes import files as shapes

Git = list[tuple[str, str]]
"""A letter and a path for each file."""

ASKED = 20
"""Most files that git is asked for; each takes a call."""


class Changed(NamedTuple):
    log: ChangeLog
    git: Git | None
    rows: list[FileRow]
    beside: Mapping[str, BesideGit]
    commits: list[Committed]
    servers: int | None
    """How many of the server's own files git lists beside; None where it could not be asked."""

    def document(self) -> dict[str, Any]:
        commits = [_committed(one) for one in self.commits]
        return report(self.log, self.rows, self.git, self.beside) | {
            "commits": commits,
            "server_files": self.servers,
        }


async def changed_by(source: Source, conversation: Conversation, study: Study) -> Changed:
    """Asks git too, while the sandbox runs."""
    log = study.changes
    git, servers = await _git(source, conversation)
    found = rows(log, git, study.changes_below)
    beside = await _beside(source, conversation, study, found) if git else {}
    commits = await _commits(source, conversation, study.trajectory)
    return Changed(log, git, found, beside, commits, servers)


async def _git(source: Source, conversation: Conversation) -> tuple[Git | None, int | None]:
    """What git says in a sandbox that runs, and how many files of the server it lists beside; None
    without an answer."""
    if source.workspaces is None:
        return None, None
    try:
        found = await source.workspaces.git_changes(conversation)
    except Problem as problem:
        say(problem.sentence)
        return None, None
    if found is None:
        return None, None
    return without_servers((change.letter, change.path) for change in found)


async def _beside(
    source: Source, conversation: Conversation, study: Study, found: Iterable[FileRow]
) -> dict[str, BesideGit]:
    """What git now shows of the files that both know, beside their last versions; by their keys."""
    listed = dict.fromkeys(row.key for row in found if row.letter not in ("", "D"))
    files = [file for path in listed if (file := study.files.get(path))]
    if len(files) > ASKED:
        say(f"the first {ASKED} of {len(files):,} files are compared with git, line by line")
    by_path: dict[str, BesideGit] = {}
    for file in files[:ASKED]:
        assert source.workspaces is not None
        try:
            shown = await source.workspaces.git_text(conversation, file.path)
            by_path[file.path] = beside_git(file, shown)
        except Problem as problem:
            by_path[file.path] = BesideGit(why=problem.sentence)
    return by_path


async def _commits(source: Source, conversation: Conversation, run: Trajectory) -> list[Committed]:
    """What was committed since the run began; nothing if the server does not know."""
    if source.workspaces is None or not (run.complete and run.knows_zone):
        return []
    try:
        return await source.workspaces.commits(conversation, run.began)
    except Problem as problem:
        say(problem.sentence)
        return []


def _committed(one: Committed) -> shapes.Commit:
    when = seconds(one.commit.timestamp)
    return {
        "sha": safe_line(one.commit.sha),
        "subject": safe_line(one.commit.subject),
        "time": None if when is None else stamp(when),
        "files": [
            {"path": safe_line(change.path), "letter": change.letter} for change in one.changes
        ],
    }


def report(
    log: ChangeLog,
    found: Iterable[FileRow],
    git: Git | None = None,
    beside: Mapping[str, BesideGit] = MappingProxyType({}),
) -> dict[str, Any]:
    """What `--json` prints. The `git` of a file is null when git could not be asked or there is no
    repository, "" when git lists no change of it (a newer server answers so without a repository
    too). A file that only git knows has null for all that the run would tell."""
    return {
        "changed": log.changed,
        "added": log.added,
        "removed": log.removed,
        **_churn(log.churn.total),
        "files": [
            {
                **json_of(COLUMNS, row),
                **_churn(row.churn),
                "git": row.letter if git is not None else None,
                "git_now": _now(beside.get(row.key)),
                "patch": row.patched.letter if row.patched else None,
            }
            for row in found
        ],
        "only_read": [file.shown for file in log.only_read],
        "patch": [_patched(one) for one in log.patch] if log.patch else None,
        "note": log.note,
    }


def _churn(lines: Lines | None) -> common.Churn:
    written, gone = lines or (None, None)
    return {"lines_written": written, "lines_removed_later": gone}


def _now(beside: BesideGit | None) -> dict[str, object] | None:
    """How git's text of a file differs from the last version; null where it was not compared."""
    if beside is None or beside.same is None:
        return None
    return {"step": beside.step, "same": beside.same, "diff": beside.diff}


def _patched(file: PatchedFile) -> shapes.PatchedFile:
    return {
        "path": safe_line(file.path),
        "letter": file.letter,
        "added": file.added,
        "removed": file.removed,
    }


def _of_file(
    json: str, title: str = "", get: Callable[[FileChange], object] | None = None
) -> Column[FileRow, object]:
    """What the run tells of a file; null for one that only git knows."""
    read = get or attrgetter(json)

    def value(row: FileRow) -> object:
        return read(row.file) if row.file else None

    return Column(title or None, lambda row, _: str(value(row) or ""), json, value, right=True)


COLUMNS: tuple[Column[FileRow, object], ...] = (
    Column("path", json="path", share=3),
    Column(json="sub_agent", get=lambda row: row.agent or None),
    _of_file("reads", "reads", lambda file: len(file.reads)),
    _of_file("edits", "edits", lambda file: len(file.edits)),
    _of_file("added", "+"),
    _of_file("removed", "-"),
    *map(_of_file, ("created", "deleted", "whole", "last_step", "steps")),
    Column(
        "last step",
        lambda row, _: str(row.label(row.file.last_step)) if row.file else "",
        right=True,
    ),
)


def _lines(title: str, json: str, place: int) -> Column[FileThen, object]:
    """Null where a text is not known."""

    def count(one: FileThen) -> int | None:
        return one.lines[place] if one.lines else None

    return Column(title, lambda one, _: str(count(one) or ""), json, count, right=True)


COLUMNS_THEN: tuple[Column[FileThen, object], ...] = (
    Column("path", json="path", get=lambda one: one.file.shown, share=3),
    Column(json="exists", get=lambda one: one.state.exists),
    Column(json="certain", get=lambda one: one.state.certain),
    Column(json="state", get=lambda one: one.state.words),
    Column(json="since", get=lambda one: [writer.label for writer in one.state.since]),
    Column("edits", lambda one, _: str(len(one.steps)), right=True),
    _lines("+", "added", 0),
    _lines("-", "removed", 1),
    Column(json="created"),
    Column(
        "last",
        lambda one, _: str(one.steps[-1]),
        "steps",
        lambda one: list(one.steps),
        right=True,
    ),
    Column(
        "state",
        lambda one, _: ", ".join(filter(None, (one.fate, one.state.words))),
        share=2,
    ),
)  # fmt: skip


def report_at(at: str, found: list[FileThen]) -> dict[str, Any]:
    """What `--at N --json` prints. The sums leave out a file of which a text is not known; `exists`
    is null where it is not known."""
    added, removed = sums(found)
    return {
        "at": at,
        "changed": len(found),
        "added": added,
        "removed": removed,
        "files": [json_of(COLUMNS_THEN, one) for one in found],
        "note": NOTE,
    }


def blame_report(file: FileHistory, at: str, found: Blame) -> shapes.Blame:
    """What `--json` prints. The texts are raw until they are printed."""
    texts = without_private_keys([line.text for line in found.lines])
    return {
        "path": file.shown,
        "at": at or None,
        "certain": found.state.certain,
        "state": found.state.words,
        "lines": [
            {"line": number, "step": line.step, "origin": line.origin, "text": text}
            for number, (line, text) in enumerate(zip(found.lines, texts, strict=True), 1)
        ],
    }


def label_of(files: Files, step: str) -> Label | None:
    """A step as the histories of files name it, by its number, the path of a sub-agent's or an
    event; None without one, 0 is before the run. Raises Problem for a step that is not there."""
    if not step:
        return None
    path, _, number = step.rpartition(".")
    part = next((one for one in files.parts if one.prefix == (f"{path}." if path else "")), None)
    if part is None or not number:
        raise Problem(f"This run has no step {safe_line(step)[:60]}")
    return step if number == "0" else part.label(step_at(part.trajectory, number))


def point_in_time(files: Files, step: str) -> Moment:
    """When a step ended; END when no step is named. Raises Problem if the run has no such step."""
    return files.moment(label_of(files, step))
