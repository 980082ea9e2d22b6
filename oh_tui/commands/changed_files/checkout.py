"""`oh-tui checkout`: the files of a run as they were at a step, in a new folder."""

from __future__ import annotations

from typing import Any

from oh_tui.batch.reports.one_run import whole
from oh_tui.commands.framework.command import OF_RUN, Call, argument, command, flag, path_of
from oh_tui.commands.framework.opening import open_run
from oh_tui.commands.framework.printing import print_json, print_rows
from oh_tui.documents.changed_files import point_in_time
from oh_tui.sources.checkout import Written, check_out, prepare, summary
from oh_tui.tables.column import Column, json_of
from oh_tui.text.clean import clean_line
from oh_tui.text.problem import Problem
from oh_tui.text.redact import masked, safe_line, without_held
from oh_tui.text.remarks import say
from oh_tui.trajectory.findings.study import Study


def _is_certain(one: Written) -> bool:
    return one.state.certain and not one.is_masked


COLUMNS: tuple[Column[Written, object], ...] = (
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
    print_rows(call.style, COLUMNS, written)
    say(f"{summary(written)}, in {clean_line(str(folder))}")
    return 0


def report(folder: str, at: str, written: list[Written]) -> dict[str, Any]:
    return {
        "folder": folder,
        "at": at or None,
        "files": [json_of(COLUMNS, one) for one in written],
    }
