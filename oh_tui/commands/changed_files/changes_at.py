"""`oh-tui changes --at` and `--patch`: what a run had done to files by a step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oh_tui.commands.changed_files.states import files_of, label_of, point_in_time
from oh_tui.commands.framework.command import Call
from oh_tui.commands.framework.masking import print_masked
from oh_tui.commands.framework.printing import print_json, print_rows, say
from oh_tui.commands.framework.reading import begin_table, open_run, say_damage
from oh_tui.tables.column import Column, json_of
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem
from oh_tui.text.redact import HIDDEN, masked, safe, without_held
from oh_tui.trajectory.analysis.changes import size_words
from oh_tui.trajectory.files.at_step import NOTE, FileThen, files_then, sums
from oh_tui.trajectory.files.git_patch import patch_pieces
from oh_tui.trajectory.files.history import Files


def _lines(title: str, json: str, place: int) -> Column[FileThen, object]:
    """Null where a text is not known."""

    def count(one: FileThen) -> int | None:
        return one.lines[place] if one.lines else None

    return Column(title, lambda one, _: str(count(one) or ""), json, count, right=True)


FIELDS: tuple[Column[FileThen, object], ...] = (
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
    remark = begin_table(call, conversation, loaded.note)
    added, removed = sums(found)
    size = size_words(len(found), added, removed)
    nothing = f"no file was edited through the editor by step {args.at}; commands may have"
    remark(f"as of step {args.at}: changed {size}; {NOTE}" if found else nothing)
    print_rows(call.style, FIELDS, found)
    return 0


def report(at: str, found: list[FileThen]) -> dict[str, Any]:
    """What `--at N --json` prints. The sums leave out a file of which a text is not known; `exists`
    is null where it is not known."""
    added, removed = sums(found)
    return {
        "at": at,
        "changed": len(found),
        "added": added,
        "removed": removed,
        "files": [json_of(FIELDS, one) for one in found],
        "note": NOTE,
    }


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
