"""`oh-tui download`: trajectories as zips, each whole or not at all."""

from __future__ import annotations

import asyncio
from pathlib import Path

from oh_tui.api.errors import TooLarge
from oh_tui.batch.background_indexing import InFile, fill
from oh_tui.batch.reports.one_run import find
from oh_tui.catalog.names import conversation_id, title
from oh_tui.commands.framework import failing
from oh_tui.commands.framework.acting import short, target_of
from oh_tui.commands.framework.command import Call, argument, command
from oh_tui.commands.framework.exit_codes import OK, REFUSED
from oh_tui.commands.framework.printing import print_json
from oh_tui.conversation import Conversation
from oh_tui.library.library import Library
from oh_tui.text import human
from oh_tui.text.clean import clean_line
from oh_tui.text.problem import Problem, worded
from oh_tui.text.remarks import show_progress


@command(
    "download",
    argument("words", nargs="+", metavar="ID", help="the conversations"),
    argument(
        "-o",
        "--output",
        metavar="PATH",
        default="",
        help="a folder, or the new file for a single one; by default download_folder of the "
        "settings, else the current folder",
    ),
    settings=("download_folder",),
    examples={
        "download 5f3a": "named after its title and id",
        "download 5f3a -o run.zip": "nothing is ever overwritten",
        "download 5f3a 0123 -o runs/": "several: where one fails, the others go on",
    },
    wants="server",
)
async def download(call: Call) -> int:
    """Prints the path of each file when it is there. What fails is told, and the others go on."""
    is_single = len(call.identifiers) == 1
    folder, name = target_of(call, single=is_single)
    saved: list[dict[str, str | int]] = []
    code = OK
    try:
        for identifier in call.identifiers:
            try:
                conversation = await find(call.source, identifier)
                path = await _save(call, conversation, folder, name)
            except Problem as problem:
                if is_single:
                    raise
                show_progress("")
                failing.as_json = call.as_json
                hint = worded(problem.hint, identifier)
                code = failing.say(f"{identifier}: {problem.sentence}", hint, REFUSED)
                continue
            await asyncio.to_thread(_index, call, path)
            shown = clean_line(str(path))
            size = path.stat().st_size
            saved.append({"id": conversation_id(conversation), "path": shown, "bytes": size})
            if not call.as_json:
                print(shown, flush=True)
    finally:
        show_progress("")
        if call.as_json and saved:
            print_json({"files": saved})
    return code


def _index(call: Call, path: Path) -> None:
    """Takes the file into the index, where that can be written; as quietly as it is left out."""
    # the runs of the demo are made up
    folder = call.settings.library_folder if call.source.address else None
    with Library(folder, writes=True) as library:
        if library:
            fill(library, InFile(path))


async def _save(call: Call, conversation: Conversation, folder: Path, name: str) -> Path:
    def progress(received: int) -> None:
        show_progress(f"{title(conversation)}: {human.size(received)}")

    try:
        return await call.remote.download(conversation, folder, progress, name)
    except TooLarge as error:
        own = short(conversation)
        hint = f"oh-tui events {own} > {own}.jsonl reads its events page by page"
        raise TooLarge(error.sentence, hint, status=error.status) from error
