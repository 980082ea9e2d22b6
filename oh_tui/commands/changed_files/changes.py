"""`oh-tui changes`: which files a run changed and by how much, as of a step too, and the patch."""

from __future__ import annotations

from collections.abc import Iterator

from oh_tui.batch.reports.one_run import whole
from oh_tui.commands.framework.command import OF_RUN, Call, argument, command, flag
from oh_tui.commands.framework.masking import print_masked
from oh_tui.commands.framework.opening import begin_table, open_run, say_damage
from oh_tui.commands.framework.printing import Hue, Style, print_json, print_rows
from oh_tui.documents.changed_files import (
    COLUMNS,
    COLUMNS_THEN,
    changed_by,
    label_of,
    point_in_time,
    report_at,
)
from oh_tui.tables.column import Column
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem
from oh_tui.text.redact import HIDDEN, masked, safe, safe_line, without_held
from oh_tui.text.remarks import say
from oh_tui.trajectory.changes.at_step import NOTE, BesideGit, files_then, sums
from oh_tui.trajectory.changes.changes import size_words
from oh_tui.trajectory.changes.git_patch import patch_pieces
from oh_tui.trajectory.changes.history import Files
from oh_tui.trajectory.changes.touched_files import shown_path
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.presentation.change_rows import FileRow, Lister, left_out, lister_of

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
        return await _print_as_of(call)
    conversation, loaded = await open_run(call, sub_agents=True)
    changed = await changed_by(call.source, conversation, Study(whole(loaded)))
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
    print_rows(call.style, (*COLUMNS, *_listed(lister_of(log, git))), found)
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


def _listed(lister: Lister) -> Iterator[Column[FileRow, Style]]:
    def remark(row: FileRow, _style: Style) -> str:
        churn = row.churn
        gone = churn.words if churn and churn.gone else ""
        return ", ".join(filter(None, (row.remark(lister), gone)))

    yield Column(lister or "git", lambda row, _: row.letter)
    yield Column("", remark, share=2)


async def _print_as_of(call: Call) -> int:
    args = call.args
    conversation, loaded = await open_run(call, sub_agents=True)
    files = Study(whole(loaded)).files
    moment = point_in_time(files, args.at)
    if args.patch:
        return _print_patch(call, files)
    found = list(files_then(files.files, moment))
    if call.as_json:
        say_damage(loaded)
        print_json(report_at(args.at, found))
        return 0
    remark = begin_table(call, conversation, loaded.note)
    added, removed = sums(found)
    size = size_words(len(found), added, removed)
    nothing = f"no file was edited through the editor by step {args.at}; commands may have"
    remark(f"as of step {args.at}: changed {size}; {NOTE}" if found else nothing)
    print_rows(call.style, COLUMNS_THEN, found)
    return 0


def _print_patch(call: Call, files: Files) -> int:
    """The patch goes to stdout as it is, and to a terminal without control characters."""
    if call.as_json:
        raise Problem("A patch is text, not JSON", "leave one of --patch and --json out")
    args = call.args
    pieces = patch_pieces(files, label_of(files, args.since) or 0, label_of(files, args.at))
    hidden = 0

    def printed() -> Iterator[str]:
        nonlocal hidden
        for piece in pieces:
            told = without_held(piece) if args.raw else masked(piece)
            hidden += told.count(HIDDEN) - piece.count(HIDDEN)
            yield told if call.style.piped else safe(told)

    print_masked(printed())
    if hidden:
        hint = "" if args.raw else ", and --raw leaves those of the run"
        say(f"{plural(hidden, 'secret')} hidden: the patch may not apply{hint}")
    return 0
