"""Who acts in a step, and helpers for the one-line texts of calls and results."""

from __future__ import annotations

import re
from enum import StrEnum

from oh_tui.text.clean import clean
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import hide_private_keys, hide_split, redact


class Family(StrEnum):
    """Who or what acts in a step; each family has one colour."""

    YOU = "you"
    AGENT = "agent"
    TERMINAL = "terminal"
    EDIT = "edit"
    READ = "read"
    WEB = "web"
    MCP = "mcp"
    PLAN = "plan"
    THINK = "think"
    TASK = "task"
    SKILL = "skill"
    CONDENSED = "condensed"
    ERROR = "error"
    HOOK = "hook"
    STATE = "state"
    SYSTEM = "system"
    OTHER = "other"


Parts = tuple[str, ...]
"""Parts of one line, to be joined by two spaces."""


def first_line(text: str) -> str:
    """The first line that is not blank and not the header of tool errors."""
    lines = clean(hide_split(hide_private_keys(text)[:4000])).split("\n")
    places = (place for place, line in enumerate(lines) if line.strip() not in _NO_TEXT)
    return _line_at(lines, next(places, -1))


def _line_at(lines: list[str], place: int) -> str:
    """The line without the secret that the line above it names; "" for -1."""
    return redact("\n".join(lines[max(0, place - 1) : place + 1])).rpartition("\n")[2]


_HEAD, _TAIL = 12_000, 28_000
"""Characters of a long output that are read at its start and at its end."""


def bounded(text: str) -> str:
    """The start and the end of an output: what names the error is in one of them."""
    if len(text) <= _HEAD + _TAIL:
        return text
    # a line that is cut has lost what tells a secret in it
    head, tail = text[:_HEAD], text[-_TAIL:].partition("\n")[2]
    return f"{head}\n{tail}"


def last_line(text: str) -> str:
    """The last line that is not blank, a bare prompt or a note of the tool."""
    lines = clean(hide_split(hide_private_keys(text)[-8000:])).split("\n")
    for place in range(len(lines) - 1, -1, -1):
        said = lines[place].strip()
        if not said or (
            (said[0] == "[" or said[-1] in _PROMPT_ENDS) and _PROMPT_OR_NOTE.fullmatch(said)
        ):
            continue
        return _line_at(lines, place)
    return ""


def count(number: int, noun: str) -> str:
    """1 line, 2 lines, 3 matches, no entries."""
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + ("es" if noun[-1] == "h" else "s")
    return f"{number or 'no'} {noun if number == 1 else plural}"


def shorten(path: str) -> str:
    """A path without the working folder of sandboxes."""
    return re.sub(r"^/workspace/(?:project/)?(?=.)", "", path)


ERROR_HEADER = "[An error occurred during execution.]"
_NO_TEXT = frozenset({"", ERROR_HEADER, "ERROR:"})
_PROMPT_ENDS = "$#%>❯"
_PROMPT_OR_NOTE = pattern(
    r"[\w.@:~/\\\- ()]{0,80}[$#%>❯]|</?output>"
    r"|\[(?:The command|Command finished|Current working directory|Python interpreter|Jupyter).*\]?"
)
