"""`oh-tui changes --at` and `--patch`: what a run had done to files by a step."""

from __future__ import annotations

from collections.abc import Iterator

from oh_tui.batch.reports.one_run import whole
from oh_tui.commands.framework.command import Call
from oh_tui.commands.framework.masking import print_masked
from oh_tui.commands.framework.opening import begin_table, open_run, say_damage
from oh_tui.commands.framework.printing import print_json, print_rows
from oh_tui.documents.changed_files import COLUMNS_THEN, label_of, point_in_time, report_at
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem
from oh_tui.text.redact import HIDDEN, masked, safe, without_held
from oh_tui.text.remarks import say
from oh_tui.trajectory.changes.at_step import NOTE, files_then, sums
from oh_tui.trajectory.changes.changes import size_words
from oh_tui.trajectory.changes.git_patch import patch_pieces
from oh_tui.trajectory.changes.history import Files
from oh_tui.trajectory.findings.study import Study


async def print_as_of(call: Call) -> int:
    """Prints the files as of a step, or the patch."""
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


# the patch


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
