"""`oh-tui get` and `oh-tui put`: files out of a sandbox and into it, each whole or not at all."""

from __future__ import annotations

import posixpath
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from oh_tui.actions.workspace import Workspace, local_path, local_size
from oh_tui.catalog.names import conversation_id
from oh_tui.commands.framework.acting import require_consent, short, target_of
from oh_tui.commands.framework.command import RUNNING, Call, argument, command, flag
from oh_tui.commands.framework.opening import meant
from oh_tui.commands.framework.printing import for_terminal, print_json
from oh_tui.conversation import Conversation
from oh_tui.documents.run import line
from oh_tui.text.clean import clean_line
from oh_tui.text.human import size
from oh_tui.text.problem import Problem
from oh_tui.text.remarks import progress, show_progress

if TYPE_CHECKING:
    from oh_tui.documents.shapes import files

_RELATIVE = "A PATH that does not begin with / counts from the folder in which the agent works."


@command(
    "get",
    RUNNING,
    argument("path", metavar="PATH", help="the file, where the agent works"),
    argument(
        "-o",
        "--output",
        metavar="FILE",
        default="",
        help="a new file or a folder, or - for stdout; by default download_folder of the "
        "settings, else the current folder",
    ),
    settings=("download_folder", "read_only"),
    examples={
        "get 5f3a src/dates/parse.py": "into the current folder; nothing is overwritten",
        "get 5f3a /tmp/coverage.xml -o -": "to stdout",
    },
    wants="server",
    epilog=_RELATIVE,
)
async def get(call: Call) -> int:
    """Prints where the file is, or with `-o -` the file itself."""
    to_stdout = call.args.output == "-"
    if to_stdout and call.as_json:
        raise Problem("With -o - the file itself is printed", "leave out --json")
    folder, name = target_of(call)
    conversation, workspace = await _workspace(call)
    path = await workspace.path(call.args.path, read_only=call.settings.read_only)
    with progress():
        show = _progress(f"getting {clean_line(posixpath.basename(path))}")
        if to_stdout:
            await _print(workspace, path, show)
            return 0
        saved = await workspace.get(path, folder, show, name)
    shown = clean_line(str(saved))
    if call.as_json:
        print_json(_document(conversation, path, shown, saved.stat().st_size))
    else:
        print(shown)
    return 0


@command(
    "put",
    RUNNING,
    argument("file", metavar="FILE", help="a file of this machine"),
    argument("path", metavar="PATH", help="where it goes: a file or a folder"),
    flag("--yes", about="replace a file that is there"),
    examples={
        "put 5f3a fixtures.json tests/": "asks before a file there is replaced",
        "put 5f3a fixtures.json /tmp/f.json --yes": "in a script",
    },
    wants="change",
    epilog=_RELATIVE,
)
async def put(call: Call) -> int:
    local = local_path(call.args.file)
    conversation, workspace = await _workspace(call)
    path = await workspace.path(call.args.path, read_only=call.settings.read_only)
    path, there = await workspace.target(path, local.name)
    shown = clean_line(path)
    if there is not None:
        require_consent(
            call,
            f"{shown} is there already, {size(there)}, and would be replaced",
            f"oh-tui put {short(conversation)} FILE PATH --yes",
        )
    call.goes_on = f"a part of the file may be {workspace.workplace.inside}: {shown}"
    with progress():
        show = _progress(f"putting {clean_line(local.name)}, {size(local_size(local))}")
        sent = await workspace.put(local, path, show)
    call.goes_on = ""
    if call.as_json:
        print_json(_document(conversation, path, clean_line(str(local)), sent))
    else:
        print(f"{shown}\t{sent}" if call.style.piped else f"{shown}  {size(sent)}")
    return 0


async def _workspace(call: Call) -> tuple[Conversation, Workspace]:
    conversation = await meant(call)
    return conversation, await call.workspaces.open(conversation)


async def _print(workspace: Workspace, path: str, show: Callable[[int, int | None], None]) -> None:
    """Prints the file once all of it is here; a terminal gets no control characters."""
    with tempfile.TemporaryDirectory(prefix="oh-tui-") as name:
        saved = await workspace.get(path, Path(name), show)
        show_progress("")
        if sys.stdout.isatty():
            print(end=for_terminal(saved.read_bytes().decode("utf-8", "replace")), flush=True)
            return
        with saved.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()


def _progress(doing: str) -> Callable[[int, int | None], None]:
    def show(done: int, total: int | None) -> None:
        show_progress(f"{doing}: {size(done)}" + (f" of {size(total)}" if total else ""))

    return show


def _document(conversation: Conversation, path: str, local: str, bytes_: int) -> files.MovedFile:
    return {
        "id": conversation_id(conversation),
        "path": line(path),
        "local": local,
        "bytes": bytes_,
    }
