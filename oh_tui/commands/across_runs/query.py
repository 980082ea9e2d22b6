"""`oh-tui query`: SQL over the runs that are indexed."""

from __future__ import annotations

from argparse import ArgumentTypeError

from oh_tui.batch.reports.over_runs import PARTIAL
from oh_tui.catalog.user_annotations import Annotations
from oh_tui.commands.framework.command import Call, argument, command, flag
from oh_tui.commands.framework.exit_codes import OK
from oh_tui.commands.framework.printing import print_csv, print_json_line, print_table
from oh_tui.library.library import Library
from oh_tui.library.sql_query import TABLES, asked
from oh_tui.tables.column import Column, Columns
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe, safe_line
from oh_tui.text.remarks import say

SECONDS = 60.0


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < 1e6:
        raise ArgumentTypeError(f"{safe_line(text)!r} is not a number of seconds")
    return seconds


@command(
    "query",
    argument("sql", metavar="SQL", help=f"one SELECT over {TABLES}"),
    flag("--csv", about="comma-separated values, with a head"),
    argument(
        "--seconds",
        type=_seconds,
        default=SECONDS,
        metavar="N",
        help=f"give up after so many; {SECONDS:g} by default",
    ),
    examples={
        "query 'select model, sum(cost) from runs where not cost_is_estimate group by 1'":
            "by model",
        "query \"select run from files where path like '%parse.py'\"":
            "runs that read or changed it",
        "query 'select title, notes.note from runs join notes using (run)'":
            "what you wrote of them",
        "query 'select * from runs' --csv": "for a spreadsheet",
    },
    epilog="It reads what is in the index, with your tags, bookmarks and notes, and cannot write.\n"
    "--csv has texts as they are: a spreadsheet may take one that begins with = + - @ for a\n"
    "formula, so import the columns of texts as text.",
    wants="nothing",
)  # fmt: skip
async def query(call: Call) -> int:
    folder = call.settings.library_folder
    if folder is None:
        raise Problem("There is no index of runs", "--no-library or OH_TUI_CACHE turns it off")
    if call.as_json and call.args.csv:
        raise Problem("--json and --csv cannot be used together", "leave one out")
    with asked(folder, call.args.sql, call.args.seconds, _kept(call.annotations())) as answer:
        if call.as_json:
            for column in answer.columns:
                if answer.columns.count(column) > 1:
                    hint = f"name one: {column} as other"
                    raise Problem(f"Two columns are called {column}", hint)
            for row in answer.rows:
                print_json_line(dict(zip(answer.columns, map(_value, row), strict=True)))
        elif call.args.csv:
            print_csv(answer.columns, (map(_text, row) for row in answer.rows))
        else:
            columns: Columns = [Column(name, share=1) for name in answer.columns]
            print_table(call.style, columns, ([_text(one) for one in row] for row in answer.rows))
    with Library(folder) as library:
        lacking, status = library.lacking(), library.status()
    if not lacking:
        return OK
    say(f"not in the index: runs of {plural(lacking, 'file')} that could not be read; oh-tui index")
    return OK if status and status.runs else PARTIAL


def _kept(annotations: Annotations) -> dict[str, list[tuple[str, ...]]]:
    """Tags, bookmarks and notes as rows, without lone surrogates, which SQLite does not take."""
    rows: dict[str, list[tuple[str, ...]]] = {"tags": [], "bookmarks": [], "notes": []}
    for name, one in annotations.runs.items():
        run = safe(name)
        rows["tags"] += ((run, safe(key), safe(value)) for key, value in one.tags.items())
        rows["bookmarks"] += ((run, safe(event)) for event in one.bookmarks)
        notes = {"": one.note, **one.step_notes} if one.note else one.step_notes
        rows["notes"] += ((run, safe(event), safe(text)) for event, text in notes.items())
    return rows


def _value(value: object) -> object:
    """A value as JSON has it. Texts are clean, unless the question made them otherwise."""
    if isinstance(value, str):
        return safe_line(value)
    return value.hex() if isinstance(value, bytes) else value


def _text(value: object) -> str:
    return "" if value is None else str(_value(value))
