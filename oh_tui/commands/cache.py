"""`oh-tui cache`: what oh-tui keeps on this machine to be faster; all of it can go."""

from __future__ import annotations

from oh_tui.commands.framework import cache_files
from oh_tui.commands.framework.command import Call, argument, command
from oh_tui.commands.framework.json_documents import moment
from oh_tui.commands.framework.printing import print_json, print_table, stamp
from oh_tui.tables.column import Column, Columns
from oh_tui.text.clean import clean_line
from oh_tui.text.human import plural, size

_COLUMNS: Columns = (
    Column("what"),
    Column("files", right=True),
    Column("size", right=True),
    Column("written", right=True),
    Column("", share=1),
)


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
                "kept": [
                    {
                        "name": name,
                        "files": one.files,
                        "bytes": one.size,
                        "written": moment(stamp(one.changed)) if one.files else None,
                    }
                    for name, one in found.items()
                ],
            }
        )
    elif clears:
        files = sum(one.files for one in found.values())
        freed = sum(one.size for one in found.values())
        print(f"{plural(files, 'file')} removed, {size(freed)}" if files else "nothing was kept")
    else:
        if not call.style.piped:
            print(clean_line(str(folder)) if folder else "there is no home folder to keep it in")
        rows = [
            (
                name,
                f"{one.files:,}",
                size(one.size),
                call.style.when(one.changed if one.files else None),
                cache_files.KEPT[name].about,
            )
            for name, one in found.items()
        ]
        print_table(call.style, _COLUMNS, rows)
    return 0
