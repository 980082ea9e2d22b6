"""`oh-tui mcp`: serves the runs to other agents, read only, over standard input and output."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

from oh_tui.commands.framework.command import PATHS, Call, command
from oh_tui.commands.framework.run_words import STDIN
from oh_tui.mcp import session
from oh_tui.sources.file_source import FileSource
from oh_tui.text.clean import clean_line
from oh_tui.text.problem import Problem
from oh_tui.text.remarks import say


@command(
    "mcp",
    PATHS,
    has_json=False,
    serves=True,
    of_one_server=True,
    examples={
        "mcp": "the runs of the server that the settings name",
        "mcp --server local": "those that the OpenHands CLI keeps on this machine",
        "mcp runs/ output.jsonl": "those in files and folders, and no others",
    },
    epilog="A client of the Model Context Protocol starts it: docs/mcp.md has the lines for\n"
    "OpenHands, Claude Code, Codex and Zed. It gives what is named here and nothing beyond, acts\n"
    "on nothing, and hides secrets as exports do. Needs an extra: pip install 'oh-tui[mcp]'.\n"
    "It ends with its client.",
)
async def mcp(call: Call) -> int:
    if STDIN in call.args.paths:
        raise Problem("Standard input is for the client", "name a file")
    if sys.stdin is None:
        raise Problem("Standard input is closed", "a client of the protocol writes there")
    for path in call.paths:
        if not path.exists():
            raise Problem(f"There is no file or folder {clean_line(str(path))}", "check the path")
    protocol = _protocol()
    if isinstance(call.opened, FileSource):
        call.opened.stays_inside = True
    if sys.stdin.isatty():
        say("waits for a client of the Model Context Protocol on standard input; ctrl+d ends it")
    opened = session.Session(call)
    try:
        await protocol.serve(opened)
    finally:
        await opened.close()
    return 0


def _protocol() -> ModuleType:
    """The part that needs the SDK. Raises Problem without it."""
    try:
        return importlib.import_module("oh_tui.mcp.protocol")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "oh_tui":
            raise
        told = "The Model Context Protocol needs its SDK, which is an extra"
        raise Problem(told, "pip install 'oh-tui[mcp]'") from error
