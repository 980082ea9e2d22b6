"""`oh-tui blame`: which step wrote each line of a file."""

from __future__ import annotations

from collections.abc import Iterator

from oh_tui.batch.reports.one_run import whole
from oh_tui.commands.framework.command import OF_RUN, Call, argument, command
from oh_tui.commands.framework.opening import begin_table, open_run, say_damage
from oh_tui.commands.framework.printing import Row, print_json, print_table
from oh_tui.documents.changed_files import blame_report, point_in_time
from oh_tui.tables.column import Cell, Column, Columns
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_lines
from oh_tui.trajectory.changes.blame import Blame, blame
from oh_tui.trajectory.changes.history import FileState
from oh_tui.trajectory.findings.study import Study

COLUMNS: Columns = (
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
    print_table(call.style, COLUMNS, _rows(found))
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
