"""The commands of the shell, one file for each family; nothing else prints.

A command is a row of `TABLE` and a function with the decorator `command`, in the module that the
row names. The module is loaded when the command is called, so that the list costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from oh_tui.sources.source import Source

MakeSource: TypeAlias = Callable[[], Source]
"""Makes the source that the command line names, once a command is ready to ask it."""


class Entry(NamedTuple):
    group: str
    about: str
    home: str = ""
    """The module that declares it; by default the one of its own name."""


_FIND, _READ, _KEEP = "find", "read a run", "keep for yourself"
_ACT, _OWN = "act", "oh-tui itself"

TABLE = {
    "conversations": Entry(_FIND, "list the conversations, the last created first"),
    "grep": Entry(_FIND, "search many runs for words, and print the lines", "across_runs.grep"),
    "stats": Entry(_FIND, "sums over many runs, by model, repository, day", "across_runs.stats"),
    "failures": Entry(_FIND, "what failed in many runs, and what helped", "across_runs.failures"),
    "audit": Entry(_FIND, "which rules hold in runs, and which are broken", "across_runs.audit"),
    "query": Entry(_FIND, "run SQL over the indexed runs", "across_runs.query"),
    "sandboxes": Entry(_FIND, "list the sandboxes and what is in them"),
    "automations": Entry(
        _FIND, "list what servers run by themselves; run, stop, switch it", "agents.automations"
    ),
    "tasks": Entry(_FIND, "list the tasks that the server suggests to work on"),
    "show": Entry(_FIND, "everything known about one conversation"),
    "status": Entry(_FIND, "how many wait for you, failed, run", "account"),
    "whoami": Entry(_FIND, "which server, which key, whose account", "account"),
    "open": Entry(_READ, "open files in the explorer", "explorer"),
    "why": Entry(_READ, "how did it end, and why?"),
    "steps": Entry(_READ, "what happened, step by step"),
    "tail": Entry(_READ, "the last steps, and with -f those to come"),
    "context": Entry(_READ, "what did the model see when it made a step?"),
    "changes": Entry(_READ, "which files did it change, and by how much?", "changed_files.changes"),
    "blame": Entry(_READ, "which step wrote each line of a file?", "changed_files.at_step"),
    "checkout": Entry(_READ, "write the files as they were at a step", "changed_files.at_step"),
    "compare": Entry(_READ, "where do two runs differ, and from where on?", "across_runs.compare"),
    "replay": Entry(_READ, "run it again, with its own answers as the model"),
    "check": Entry(_READ, "do its calls and results match?"),
    "count": Entry(_READ, "how many events, and who counted them", "events"),
    "events": Entry(_READ, "the events as they are, without secrets"),
    "export": Entry(_READ, "the steps as Markdown or JSON lines, to share", "exports.export"),
    "download": Entry(_READ, "save trajectories as zips"),
    "bookmark": Entry(_KEEP, "bookmark a step; the bookmarks of a run", "annotate"),
    "note": Entry(_KEEP, "write a note on a run or a step; read it", "annotate"),
    "tag": Entry(_KEEP, "tag a run; its tags", "annotate"),
    "start": Entry(_ACT, "start a conversation"),
    "attempts": Entry(_ACT, "compare attempts at one task; accept one", "agents.attempts"),
    "ask": Entry(_ACT, "ask the agent about its run; leaves no trace in it", "agents.setup"),
    "agent": Entry(
        _ACT, "what the agent works with; switch its profile, condense it", "agents.setup"
    ),
    "send": Entry(_ACT, "send the agent a message", "agents.answer"),
    "approve": Entry(_ACT, "approve the calls that wait for an answer", "agents.answer"),
    "reject": Entry(_ACT, "reject the calls that wait, with a reason", "agents.answer"),
    "stop": Entry(_ACT, "stop the agent", "agents.answer"),
    "continue": Entry(_ACT, "let the agent go on", "agents.answer"),
    "fork": Entry(_ACT, "fork a run at a step, to go on from there", "agents.fork"),
    "rename": Entry(_ACT, "give a conversation another title"),
    "exec": Entry(_ACT, "run a command where the agent works", "shell"),
    "get": Entry(_ACT, "get a file from where the agent works", "files"),
    "put": Entry(_ACT, "put a file where the agent works", "files"),
    "pause": Entry(_ACT, "pause a sandbox", "sandboxes"),
    "resume": Entry(_ACT, "resume a sandbox", "sandboxes"),
    "mcp": Entry(_OWN, "serve runs to other agents over MCP, read only", "mcp"),
    "index": Entry(_OWN, "index runs, so that searches are fast", "across_runs.index"),
    "config": Entry(_OWN, "the settings file: where it is, a first one, what is wrong with it"),
    "cache": Entry(_OWN, "what oh-tui keeps on this machine; clear it"),
}
"""Every command, in the order of the list."""

FIRST = {
    "look": ("conversations", "tail"),
    "understand": ("why", "steps", "changes"),
    "act": ("start", "send", "approve"),
    "many runs": ("grep", "stats", "failures"),
    "share": ("export",),
}
"""What one wants -> the commands that most need for it, which the first help names."""
