"""`oh-tui download`: trajectories as zips, each whole or not at all."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from oh_tui.api.errors import TooLarge
from oh_tui.api.models import Conversation
from oh_tui.commands.shared.documents import conversation_id
from oh_tui.commands.shared.frame import Call, Command, path_of
from oh_tui.commands.shared.ids import SHOWN, find
from oh_tui.commands.shared.printing import print_json, tell_progress
from oh_tui.commands.shared.reading import title
from oh_tui.text.clean import clean_line
from oh_tui.text.human import size
from oh_tui.text.problem import Problem


async def download(call: Call) -> int:
    """Prints the path of each file when it is there; stops at the first that fails."""
    folder, name = _target(call)
    found = [await find(call.source, identifier) for identifier in call.identifiers]
    saved: list[dict[str, str | int]] = []
    try:
        for conversation in found:
            path = await _save(call, conversation, folder, name)
            saved.append(
                {
                    "id": conversation_id(conversation),
                    "path": clean_line(str(path)),
                    "bytes": path.stat().st_size,
                }
            )
            if not call.as_json:
                print(clean_line(str(path)), flush=True)
    finally:
        tell_progress("")
        if call.as_json and (saved or not found):
            print_json({"files": saved})
    return 0


def _target(call: Call) -> tuple[Path, str]:
    """The folder to save in, and the name of the file if one is told. Raises Problem."""
    told = call.asked.output
    if not told:
        return call.settings.download_folder, ""
    path = path_of(told)
    if path.is_dir():
        return path, ""
    if len(call.identifiers) > 1 or told.endswith("/"):
        raise Problem(f"There is no folder {clean_line(told)}", "make it first")
    if path.exists() or path.is_symlink():
        raise Problem(
            f"{clean_line(told)} is there already", "nothing is overwritten: name another"
        )
    if not path.parent.is_dir():
        raise Problem(f"There is no folder {clean_line(str(path.parent))}", "make it first")
    return path.parent, path.name


async def _save(call: Call, conversation: Conversation, folder: Path, name: str) -> Path:
    def progress(received: int) -> None:
        tell_progress(f"{title(conversation)}: {size(received)}")

    remote = call.source.remote
    assert remote is not None
    try:
        return await remote.download(conversation, folder, progress, name)
    except TooLarge as error:
        shown = conversation_id(conversation)[:SHOWN]
        hint = f"oh-tui events {shown} > {shown}.jsonl reads its events page by page"
        raise TooLarge(error.sentence, hint, status=error.status) from error


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("words", nargs="+", metavar="ID", help="the conversations")
    parser.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        default="",
        help="a folder, or the new file for a single one; the present folder if not told",
    )


COMMANDS = {
    "download": Command(
        "ID...",
        _arguments,
        download,
        (
            ("download 5f3a", "named after its title and id"),
            ("download 5f3a -o run.zip", "nothing is ever overwritten"),
            ("download 5f3a 0123 -o runs/", "several"),
        ),
        reads="server",
    )
}
