"""The headless twin: one file a family of commands; the only places that print.

A command is a row of `TABLE` here and an entry of `COMMANDS` in the file that the row names, with
its parser, its function and its examples. The file is loaded when the command is given, so that
the list of them costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from oh_tui.sources.source import Source

MakeSource: TypeAlias = "Callable[[], Source]"
"""Makes the source that the words on the command line mean, when a command is ready to ask it."""


class Entry(NamedTuple):
    """Where a command lives, among which it is listed, and what it does in one line."""

    home: str
    group: str
    about: str


_FIND, _READ, _ACT, _OWN = "find", "read a run", "act", "oh-tui itself"

TABLE = {
    "conversations": Entry("listing", _FIND, "list the conversations, the last created first"),
    "sandboxes": Entry("listing", _FIND, "list the sandboxes and what is in them"),
    "show": Entry("listing", _FIND, "all that is known of one conversation"),
    "status": Entry("account", _FIND, "how many wait for you, failed, run"),
    "whoami": Entry("account", _FIND, "which server, which key, whose account"),
    "open": Entry("explorer", _READ, "open files in the explorer"),
    "why": Entry("why", _READ, "how did it end, and why?"),
    "steps": Entry("steps", _READ, "what happened, step by step"),
    "tail": Entry("tail", _READ, "the last steps, and with -f those to come"),
    "changes": Entry("changes", _READ, "which files did it change, and by how much?"),
    "check": Entry("check", _READ, "do its calls and results match?"),
    "count": Entry("events", _READ, "how many events, and who says so"),
    "events": Entry("events", _READ, "the events as they are, without secrets"),
    "export": Entry("export", _READ, "the steps as Markdown or JSON lines, to be passed on"),
    "download": Entry("download", _READ, "save trajectories as zips"),
    "start": Entry("start", _ACT, "start a conversation"),
    "send": Entry("answer", _ACT, "say something to the agent"),
    "approve": Entry("answer", _ACT, "let the calls run that wait for an answer"),
    "reject": Entry("answer", _ACT, "reject the calls that wait, with a reason"),
    "stop": Entry("answer", _ACT, "stop the agent"),
    "continue": Entry("answer", _ACT, "let the agent go on"),
    "exec": Entry("shell", _ACT, "run a command in the sandbox"),
    "get": Entry("files", _ACT, "get a file of the sandbox"),
    "put": Entry("files", _ACT, "put a file into the sandbox"),
    "pause": Entry("sandbox", _ACT, "pause a sandbox"),
    "resume": Entry("sandbox", _ACT, "resume a sandbox"),
    "cache": Entry("cache", _OWN, "what oh-tui keeps on this machine; clear it"),
}
"""Every command, in the order in which they are listed."""
