"""`oh-tui changes --at` and `--patch`: what a run had done to files by a step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oh_tui.commands.changed_files.states import files_of, label_of, point_in_time
from oh_tui.commands.framework.command import Call
from oh_tui.commands.framework.masking import print_masked
from oh_tui.commands.framework.printing import Column, Row, print_json, print_table, say
from oh_tui.commands.framework.reading import name, open_run, say_damage
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem
from oh_tui.text.redact import HIDDEN, masked, safe, without_held
from oh_tui.trajectory.analysis.changes import size_words
from oh_tui.trajectory.files.at_step import NOTE, FileThen, files_then, sums
from oh_tui.trajectory.files.git_patch import patch_pieces
from oh_tui.trajectory.files.history import Files

COLUMNS = (
    Column("path", share=3),
    Column("edits", right=True),
    Column("+", right=True),
    Column("-", right=True),
    Column("last", right=True),
    Column("state", share=2),
)


async def print_as_of(call: Call) -> int:
    """Prints the files as of a step, or the patch."""
    args = call.args
    conversation, loaded = await open_run(call, sub_agents=True)
    files = files_of(loaded)
    moment = point_in_time(files, args.at)
    if args.patch:
        return _print_patch(call, files)
    found = list(files_then(files.files, moment))
    if call.as_json:
        say_damage(loaded)
        print_json(report(args.at, found))
        return 0
    remark = say if call.style.piped else print
    if not call.style.piped:
        print(call.style.paint(name(conversation), "bold"))
    if loaded.note:
        remark(f"note: {loaded.note}")
    added, removed = sums(found)
    size = size_words(len(found), added, removed)
    remark(f"as of step {args.at}: changed {size}; {NOTE}" if found else _nothing(args.at))
    print_table(call.style, COLUMNS, _rows(found))
    return 0


def _nothing(step: str) -> str:
    return f"no file was edited through the editor by step {step}; commands may have"


def report(at: str, found: list[FileThen]) -> dict[str, Any]:
    """What `--at N --json` prints. `added` and `removed` are null where a text is not known, and
    the sums leave that file out; `exists` is null where it is not known."""
    added, removed = sums(found)
    return {
        "at": at,
        "changed": len(found),
        "added": added,
        "removed": removed,
        "files": [
            {
                "path": one.file.shown,
                "exists": one.state.exists,
                "certain": one.state.certain,
                "state": one.state.words,
                "since": [writer.label for writer in one.state.since],
                "added": one.lines[0] if one.lines else None,
                "removed": one.lines[1] if one.lines else None,
                "created": one.created,
                "steps": list(one.steps),
            }
            for one in found
        ],
        "note": NOTE,
    }


def _rows(found: list[FileThen]) -> Iterator[Row]:
    for one in found:
        added, removed = one.lines or (0, 0)
        yield (
            one.file.shown,
            str(len(one.steps)),
            str(added or ""),
            str(removed or ""),
            str(one.steps[-1]),
            ", ".join(filter(None, (one.fate, one.state.words))),
        )


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
