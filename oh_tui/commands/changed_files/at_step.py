"""`oh-tui blame` and `oh-tui checkout`: files of a run as they were at a step, with the steps that
wrote their lines, and in a new folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oh_tui.batch.reports.one_run import whole
from oh_tui.commands.framework.command import OF_RUN, Call, argument, command, flag, path_of
from oh_tui.commands.framework.opening import begin_table, open_run, say_damage
from oh_tui.commands.framework.printing import Row, print_json, print_rows, print_table
from oh_tui.documents.changed_files import blame_report, point_in_time
from oh_tui.sources.checkout import Written, check_out, prepare, summary
from oh_tui.tables.column import Cell, Column, Columns, json_of
from oh_tui.text.clean import clean_line
from oh_tui.text.problem import Problem
from oh_tui.text.redact import masked, safe_line, safe_lines, without_held
from oh_tui.text.remarks import say
from oh_tui.trajectory.changes.blame import Blame, blame
from oh_tui.trajectory.changes.history import FileState
from oh_tui.trajectory.findings.study import Study


def _is_certain(one: Written) -> bool:
    return one.state.certain and not one.is_masked


_WRITTEN: tuple[Column[Written, object], ...] = (
    Column(
        "file", lambda one, _: safe_line(one.name or one.state.path),
        "path", lambda one: one.state.path, share=1,
    ),
    Column(json="name", get=lambda one: one.name or None),
    Column(
        "certain", lambda one, _: "yes" if _is_certain(one) and one.name else "",
        "certain", _is_certain,
    ),
    Column("state", json="state", get=lambda one: one.words, share=1),
)  # fmt: skip


@command(
    "checkout",
    *OF_RUN,
    argument("-o", "--output", metavar="FOLDER", required=True, help="a folder that is new"),
    flag("--raw", about="texts as they were, secrets too, but for the keys of this machine"),
    examples={
        "checkout run.zip --at 42 -o then/": "each file as it was after step 42",
        "checkout run.zip -o last/": "the last version of each that is known",
    },
    epilog="Writes the files that editor and patch calls changed, below their paths; those not in\n"
    "the working folder go into _outside. Nothing is written over, and nothing outside the\n"
    "folder. The table says which were certainly so, and why one was not written. Secrets\n"
    "are hidden as in exports: a file with one is then not as it was. Line ends are LF;\n"
    "encoding and mode are in no event.",
    takes_step=True,
)
async def checkout(call: Call) -> int:
    _, loaded = await open_run(call, sub_agents=True)
    files = Study(whole(loaded)).files
    states = [file.at(point_in_time(files, call.args.at)) for file in files.files]
    if not states:
        raise Problem("This run edited no file through the editor", "commands may have")
    folder = path_of(call.args.output)
    prepare(folder)
    written = list(check_out(states, files.root, folder, without_held if call.args.raw else masked))
    if call.as_json:
        print_json(report(str(folder), call.args.at, written))
        return 0
    if loaded.note:
        say(f"note: {loaded.note}")
    print_rows(call.style, _WRITTEN, written)
    say(f"{summary(written)}, in {clean_line(str(folder))}")
    return 0


def report(folder: str, at: str, written: list[Written]) -> dict[str, Any]:
    return {
        "folder": folder,
        "at": at or None,
        "files": [json_of(_WRITTEN, one) for one in written],
    }


_BLAMED: Columns = (
    Column("step", right=True),
    Column("line", right=True),
    Column("text", share=1),
)

_WORDS = {"before": "before", "elsewhere": "?", "edit": ""}
"""What stands in place of a step, by the origin of a line."""


@command(
    "blame",
    *OF_RUN,
    argument("path", metavar="PATH", help="a file as the run names it, or the end of its path"),
    examples={
        "blame run.zip parse.py": "the last version that is known",
        "blame run.zip src/dates/parse.py --at 42": "as it was after step 42",
        "blame 5f3a parse.py --json": "the same for a script",
    },
    epilog="A line that an edit keeps keeps its step. before: it was there before the run's first\n"
    "edit. ?: an edit found it, and no edit wrote it: a command, a person or another run did.\n"
    "The first line says whether the file was certainly so. Line ends, encoding and mode are in\n"
    "no event. Exit code 2 for a file that no editor or patch call changed.",
    takes_step=True,
)
async def blame_file(call: Call) -> int:
    conversation, loaded = await open_run(call, sub_agents=True)
    files = Study(whole(loaded)).files
    file = files.named(call.args.path)
    found = blame(files, file, file.at(point_in_time(files, call.args.at)))
    if call.as_json:
        say_damage(loaded)
        print_json(blame_report(file, call.args.at, found))
        return 0
    if not found.lines:
        raise Problem(f"{file.shown} has no lines to blame: {_nothing(found.state)}")
    remark = begin_table(call, conversation, loaded.note)
    remark(f"{file.shown}: {found.state.words}")
    print_table(call.style, _BLAMED, _rows(found))
    return 0


def _nothing(state: FileState) -> str:
    if state.exists is False:
        return "it was not there then"
    return "it was empty" if state.version else "its text is not known"


def _rows(found: Blame) -> Iterator[Row]:
    texts = safe_lines([line.text for line in found.lines])
    for number, (line, text) in enumerate(zip(found.lines, texts, strict=True), 1):
        step = Cell(_WORDS[line.origin] or str(line.step), "" if line.step else "dim")
        yield step, Cell(str(number), "dim"), text.expandtabs(4)
