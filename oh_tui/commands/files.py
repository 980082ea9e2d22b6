"""`oh-tui get` and `oh-tui put`: files out of a sandbox and into it, each whole or not at all."""

from __future__ import annotations

import posixpath
import shutil
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from oh_tui.commands.shared.acting import require_consent, short
from oh_tui.commands.shared.documents import conversation_id, line
from oh_tui.commands.shared.frame import Call, Command, path_of
from oh_tui.commands.shared.ids import find
from oh_tui.commands.shared.printing import for_terminal, print_json, tell_progress
from oh_tui.text.clean import clean_line
from oh_tui.text.human import size
from oh_tui.text.problem import Problem

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation
    from oh_tui.sources.workspace import Workspace


async def get(call: Call) -> int:
    """Prints where the file is, or with `-o -` the file itself."""
    told = call.asked.output
    if told == "-" and call.as_json:
        raise Problem("With -o - the file itself is printed", "leave out --json")
    folder, name = _target(call)
    conversation, workspace = await _workspace(call)
    path = await workspace.path(call.asked.path, read_only=call.settings.read_only)
    progress = _progress(f"getting {clean_line(posixpath.basename(path))}")
    try:
        if told == "-":
            await _print(workspace, path, progress)
            return 0
        saved = await workspace.get(path, folder, progress, name)
    finally:
        tell_progress("")
    if call.as_json:
        bytes_ = saved.stat().st_size
        print_json(_document(conversation, path, clean_line(str(saved)), bytes_))
    else:
        print(clean_line(str(saved)))
    return 0


async def put(call: Call) -> int:
    from oh_tui.sources.workspace import local_path, local_size

    local = local_path(call.asked.file)
    conversation, workspace = await _workspace(call)
    path = await workspace.path(call.asked.path, read_only=call.settings.read_only)
    path, there = await workspace.target(path, local.name)
    shown = clean_line(path)
    if there is not None:
        require_consent(
            call,
            f"{shown} is there already, {size(there)}, and would be replaced",
            f"oh-tui put {short(conversation)} FILE PATH --yes",
        )
    progress = _progress(f"putting {clean_line(local.name)}, {size(local_size(local))}")
    call.goes_on = f"a part of the file may be in the sandbox: {shown}"
    try:
        sent = await workspace.put(local, path, progress)
    finally:
        tell_progress("")
    call.goes_on = ""
    if call.as_json:
        print_json(_document(conversation, path, clean_line(str(local)), sent))
    else:
        print(f"{shown}\t{sent}" if call.style.piped else f"{shown}  {size(sent)}")
    return 0


async def _workspace(call: Call) -> tuple[Conversation, Workspace]:
    conversation = await find(call.source, call.identifier)
    call.about = short(conversation)
    sandboxes = call.source.sandboxes
    assert sandboxes is not None
    return conversation, await sandboxes.workspace(conversation)


def _target(call: Call) -> tuple[Path, str]:
    """The folder to save in, and the name of the file if one is told. Raises Problem."""
    told = call.asked.output
    if told in ("", "-"):
        return call.settings.download_folder, ""
    path = path_of(told)
    if path.is_dir():
        return path, ""
    if told.endswith("/") or not path.parent.is_dir():
        missing = path if told.endswith("/") else path.parent
        raise Problem(f"There is no folder {clean_line(str(missing))}", "make it first")
    if path.exists() or path.is_symlink():
        raise Problem(
            f"{clean_line(told)} is there already", "nothing is overwritten: name another"
        )
    return path.parent, path.name


async def _print(
    workspace: Workspace, path: str, progress: Callable[[int, int | None], None]
) -> None:
    """The whole file, once all of it is here; on a terminal what does that no harm."""
    with tempfile.TemporaryDirectory(prefix="oh-tui-") as name:
        saved = await workspace.get(path, Path(name), progress)
        tell_progress("")
        if sys.stdout.isatty():
            print(end=for_terminal(saved.read_bytes().decode("utf-8", "replace")), flush=True)
            return
        with saved.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()


def _progress(doing: str) -> Callable[[int, int | None], None]:
    def tell(done: int, whole: int | None) -> None:
        tell_progress(f"{doing}: {size(done)}" + (f" of {size(whole)}" if whole else ""))

    return tell


def _document(
    conversation: Conversation, path: str, local: str, bytes_: int
) -> dict[str, str | int | None]:
    return {
        "id": conversation_id(conversation),
        "path": line(path),
        "local": local,
        "bytes": bytes_,
    }


def _get_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("word", metavar="ID", help="a conversation whose sandbox runs")
    parser.add_argument("path", metavar="PATH", help="a file of the sandbox")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        default="",
        help="a new file or a folder, or - for stdout; the present folder if not told",
    )


def _put_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("word", metavar="ID", help="a conversation whose sandbox runs")
    parser.add_argument("file", metavar="FILE", help="a file of this machine")
    parser.add_argument("path", metavar="PATH", help="where in the sandbox: a file or a folder")
    parser.add_argument("--yes", action="store_true", help="replace a file that is there")


_RELATIVE = "A PATH that does not begin with / counts from the folder in which the agent works."

COMMANDS = {
    "get": Command(
        "ID PATH",
        _get_arguments,
        get,
        (
            ("get 5f3a src/dates/parse.py", "into the present folder; nothing is overwritten"),
            ("get 5f3a /tmp/coverage.xml -o -", "to stdout"),
        ),
        reads="server",
        epilog=_RELATIVE,
    ),
    "put": Command(
        "ID FILE PATH",
        _put_arguments,
        put,
        (
            ("put 5f3a fixtures.json tests/", "asks before a file there is replaced"),
            ("put 5f3a fixtures.json /tmp/f.json --yes", "in a script"),
        ),
        reads="server",
        acts=True,
        epilog=_RELATIVE,
    ),
}
