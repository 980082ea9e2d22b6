"""`oh-tui changes`: which files a run changed, and by how much."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from oh_tui.commands.changed_files import changes_at
from oh_tui.commands.framework.command import OF_RUN, Call, argument, command, flag
from oh_tui.commands.framework.printing import Hue, Style, print_json, print_rows, say, stamp
from oh_tui.commands.framework.reading import begin_table, open_run, say_damage, whole
from oh_tui.sources.source import Source
from oh_tui.tables.column import Column, json_of
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.analysis.change_rows import (
    FileRow,
    Lister,
    left_out,
    lister_of,
    rows,
    without_servers,
)
from oh_tui.trajectory.analysis.changes import ChangeLog, FileChange
from oh_tui.trajectory.analysis.patch import PatchedFile
from oh_tui.trajectory.analysis.study import Study
from oh_tui.trajectory.files.beside_git import BesideGit, beside_git
from oh_tui.trajectory.files.churn import Lines
from oh_tui.trajectory.files.touched import shown_path
from oh_tui.trajectory.model.clock import seconds

if TYPE_CHECKING:
    from oh_tui.actions.workspaces import Committed
    from oh_tui.api.models import Conversation
    from oh_tui.trajectory.model.trajectory import Trajectory

Git = list[tuple[str, str]]
"""A letter and a path for each file."""

ASKED = 20
"""Most files that git is asked for; each takes a call."""

LINES = 40
"""Most lines that are printed of the difference of a file."""

_HUES: dict[str, Hue] = {"+": "green", "-": "red", "@": "dim"}


@command(
    "changes",
    *OF_RUN,
    flag("--patch", about="print one patch of all of it, for git apply"),
    argument("--from", metavar="M", default="", dest="since", help="the patch since step M"),
    flag("--raw", about="with --patch: texts as they were, secrets too"),
    examples={
        "changes run.zip": "the files, and how many lines came and went",
        "changes run.zip --at 42": "as of step 42, with what is certain of it",
        "changes run.zip --patch > run.patch": "for git apply",
        "changes run.zip --patch --from 20 --at 42": "between two steps",
        "changes 5f3a --json": "with what git says while the sandbox runs",
    },
    epilog="Files that sub-agents changed in the same folder are named with their steps; the sums\n"
    "are the run's own. With --at or --patch they take part in the versions. The head of a patch\n"
    "says what is not in it and what is not certain. Secrets are hidden as in exports: a patch\n"
    "that hides one may not apply. --raw leaves all but the keys of this machine.",
    takes_step=True,
)
async def changes(call: Call) -> int:
    args = call.args
    if not args.patch and (args.since or args.raw):
        raise Problem("--from and --raw are for a patch", "add --patch")
    if args.patch or args.at:
        return await changes_at.print_as_of(call)
    conversation, loaded = await open_run(call, sub_agents=True)
    study = Study(whole(loaded))
    changed = await changed_by(call.source, conversation, study)
    if call.as_json:
        say_damage(loaded)
        print_json(changed.document())
        return 0
    log, git, found, beside, commits, servers = changed
    remark = begin_table(call, conversation, loaded.note)
    remark(f"{log.headline}; {log.note}" if log.changed else log.why_nothing)
    if churn := log.churn.total:
        remark(f"churn: {churn.words}")
    elif log.files:
        remark("churn: not known, as the events lack the text of a file")
    if git == [] and log.changed:
        remark("git lists no changes: everything was pushed, or there is no repository")
    if servers:
        remark(left_out(servers))
    if below := sum(bool(row.agent) for row in found):
        remark(f"sub-agents changed {plural(below, 'file')} in the same folder")
    if log.patch:
        remark(f"the patch that it handed in changes {log.patch_size}")
    for one in commits:
        subject = safe_line(one.commit.subject)
        sha = safe_line(one.commit.short_sha or one.commit.sha)[:12]
        remark(f"committed {sha} {subject}  {plural(len(one.changes), 'file')}")
    lister = lister_of(log, git)
    print_rows(call.style, (*_FIELDS, *_listed(lister)), found)
    if any(row.file and not row.file.whole for row in found):
        remark("pieces: only parts of the file are known, so + and - sum up its edits")
    for path, now in beside.items():
        if now.same is not True:
            against = f", against what step {now.step} left" if now.same is False else ""
            remark(f"{shown_path(path)}: {safe_line(now.words)}{against}")
            _print_lines(call, now)
    if same := sum(now.same is True for now in beside.values()):
        remark(f"git has the same text of {plural(same, 'file')}")
    return 0


class Changed(NamedTuple):
    """What a run changed, and what git says of it."""

    log: ChangeLog
    git: Git | None
    rows: list[FileRow]
    beside: Mapping[str, BesideGit]
    commits: list[Committed]
    servers: int | None
    """How many of the server's own files git lists beside; None where it could not be asked."""

    def document(self) -> dict[str, Any]:
        """What `--json` prints."""
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


def _print_lines(call: Call, one: BesideGit) -> None:
    """The lines that differ; a pipe gets rows alone."""
    if one.diff and one.why:
        say(one.why)
    lines = one.diff.split("\n") if one.diff and not call.style.piped else []
    for line in lines[:LINES]:
        print("  " + call.style.paint(line, _HUES.get(line[:1], "")))
    if len(lines) > LINES:
        more = call.style.glyph("…", "...")
        print(f"  {more} {plural(len(lines) - LINES, 'line')} more: --json has all")


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
    told: dict[str, BesideGit] = {}
    for file in files[:ASKED]:
        assert source.workspaces is not None
        try:
            shown = await source.workspaces.git_text(conversation, file.path)
            told[file.path] = beside_git(file, shown)
        except Problem as problem:
            told[file.path] = BesideGit(why=problem.sentence)
    return told


async def _commits(source: Source, conversation: Conversation, run: Trajectory) -> list[Committed]:
    """What was committed since the run began; nothing if the server does not know."""
    if source.workspaces is None or not (run.complete and run.knows_zone):
        return []
    try:
        return await source.workspaces.commits(conversation, run.began)
    except Problem as problem:
        say(problem.sentence)
        return []


def _committed(one: Committed) -> dict[str, object]:
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
                **json_of(_FIELDS, row),
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


def _churn(lines: Lines | None) -> dict[str, int | None]:
    written, gone = lines or (None, None)
    return {"lines_written": written, "lines_removed_later": gone}


def _now(beside: BesideGit | None) -> dict[str, object] | None:
    """How git's text of a file differs from the last version; null where it was not compared."""
    if beside is None or beside.same is None:
        return None
    return {"step": beside.step, "same": beside.same, "diff": beside.diff}


def _patched(file: PatchedFile) -> dict[str, object]:
    names = ("letter", "added", "removed")
    return {"path": safe_line(file.path), **{name: getattr(file, name) for name in names}}


def _of_file(
    json: str, title: str = "", get: Callable[[FileChange], object] | None = None
) -> Column[FileRow, Style]:
    """What the run tells of a file; null for one that only git knows."""
    read = get or attrgetter(json)

    def value(row: FileRow) -> object:
        return read(row.file) if row.file else None

    return Column(title or None, lambda row, _: str(value(row) or ""), json, value, right=True)


_FIELDS: tuple[Column[FileRow, Style], ...] = (
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


def _listed(lister: Lister) -> Iterator[Column[FileRow, Style]]:
    """What git or the patch lists, for people."""

    def remark(row: FileRow, _style: Style) -> str:
        churn = row.churn
        gone = churn.words if churn and churn.gone else ""
        return ", ".join(filter(None, (row.remark(lister), gone)))

    yield Column(lister or "git", lambda row, _: row.letter)
    yield Column("", remark, share=2)
