"""A call of a tool with its result, and the short texts that both come down to."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from oh_tui.text.clean import clean
from oh_tui.text.patterns import pattern
from oh_tui.trajectory.model.bodies import observation_text
from oh_tui.trajectory.model.events import Event


class Family(StrEnum):
    """Who or what acts in a step; each has one hue."""

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


class Use(msgspec.Struct):
    """One use of a tool. `action` and `observation` are empty when that half is missing, `result`
    is the event around the observation; `ran` is in seconds."""

    name: str
    action: dict[str, Any] = msgspec.field(default_factory=dict)
    observation: dict[str, Any] = msgspec.field(default_factory=dict)
    ran: float | None = None
    result: Event | None = None

    def get(self, *names: str) -> str:
        """The first non-empty text or number under these names; of the action if there is one,
        else of the observation, which repeats most of it."""
        given = self.action or self.observation
        for name in names:
            value = given.get(name)
            if value and isinstance(value, str):
                return value
            if isinstance(value, int) and not isinstance(value, bool):
                return str(value)
        return ""

    def output(self) -> str:
        return observation_text(self.observation)


class What(NamedTuple):
    """A family, a verb and what the verb is about; `detail` "" leaves room for the summary that
    the agent gave, None does not."""

    family: Family
    verb: str
    detail: str | None = ""


Parts = tuple[str, ...]
"""Pieces of one line, shown two spaces apart."""


class Tool(NamedTuple):
    what: Callable[[Use], What]
    result: Callable[[Use], Parts]


def first_line(text: str) -> str:
    """The first line that says something."""
    lines = clean(text[:4000]).split("\n")
    return next((line for line in lines if line.strip() and line.strip() != ERROR_HEADER), "")


def last_line(text: str) -> str:
    """The last line that says something: no bare prompt, no note that the tool put below."""
    for line in reversed(clean(text[-8000:]).split("\n")):
        if line.strip() and not _NOT_TELLING.fullmatch(line.strip()):
            return line
    return ""


def count(number: int, noun: str) -> str:
    """1 line, 2 lines, 3 matches, no entries."""
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + ("es" if noun[-1] == "h" else "s")
    return f"{number or 'no'} {noun if number == 1 else plural}"


def shorten(path: str) -> str:
    """A path without the folder that sandboxes keep their work in."""
    return re.sub(r"^/workspace/(?:project/)?(?=.)", "", path)


ERROR_HEADER = "[An error occurred during execution.]"
_NOT_TELLING = pattern(
    r"[\w.@:~/\\\- ()]{0,80}[$#%>❯]"
    r"|\[(?:The command|Command finished|Current working directory|Python interpreter).*\]?"
)
