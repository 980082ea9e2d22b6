"""`oh-tui cache`: what oh-tui keeps on this machine to be faster; all of it can go."""

from __future__ import annotations

from typing import TypeAlias

from oh_tui.commands.framework import cache_files
from oh_tui.commands.framework.command import Call, argument, command
from oh_tui.commands.framework.printing import Style, print_json, print_rows
from oh_tui.documents.run import moment
from oh_tui.tables.column import Column, json_of
from oh_tui.text.clean import clean_line
from oh_tui.text.human import plural, size, stamp

Row: TypeAlias = tuple[str, cache_files.Held]

_COLUMNS: tuple[Column[Row, Style], ...] = (
    Column("what", json="name", get=lambda row: row[0]),
    Column("files", json="files", get=lambda row: row[1].files, right=True),
    Column("size", lambda row, _: size(row[1].size), "bytes", lambda row: row[1].size, right=True),
    Column(
        "written", lambda row, style: style.when(_written(row)),
        "written", lambda row: moment(stamp(row[1].changed)) if row[1].files else None,
        right=True,
    ),
    Column("", lambda row, _: cache_files.KEPT[row[0]].about, share=1),
)  # fmt: skip


def _written(row: Row) -> float | None:
    return row[1].changed if row[1].files else None


@command(
    "cache",
    argument("action", metavar="show|clear", nargs="?", choices=("show", "clear"), default="show"),
    argument(
        "name",
        metavar="NAME",
        nargs="?",
        choices=tuple(cache_files.KEPT),
        help=f"one of them alone: {', '.join(cache_files.KEPT)}",
    ),
    examples={
        "cache": "what is kept, and how much it takes",
        "cache clear": "remove all of it",
    },
    wants="nothing",
)
async def cache(call: Call) -> int:
    folder = call.settings.cache_folder
    names = [call.args.name] if call.args.name else list(cache_files.KEPT)
    clears = call.args.action == "clear"
    found = {
        name: (cache_files.clear if clears else cache_files.held)(folder, name) for name in names
    }
    if call.as_json:
        print_json(
            {
                "folder": clean_line(str(folder)) if folder else None,
                "cleared": clears,
                "kept": [json_of(_COLUMNS, one) for one in found.items()],
            }
        )
    elif clears:
        files = sum(one.files for one in found.values())
        freed = sum(one.size for one in found.values())
        print(f"{plural(files, 'file')} removed, {size(freed)}" if files else "nothing was kept")
    else:
        if not call.style.piped:
            print(clean_line(str(folder)) if folder else "there is no home folder to keep it in")
        print_rows(call.style, _COLUMNS, found.items())
    return 0
