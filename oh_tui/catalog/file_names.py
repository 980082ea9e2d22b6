"""What files and the runs in them are called."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from oh_tui.catalog.names import conversation_id
from oh_tui.conversation import Conversation
from oh_tui.text.redact import safe_line

BELOW = "/subagents/"
"""Stands between the id of a run and the name of its sub-agent in the sub-agent's id."""


def sub_agent_id(run_id: str, names: Iterable[str]) -> str:
    """The id of a sub-agent in the same file as its run. `names` lead from the run to it."""
    return BELOW.join((run_id, *names))


class _Name(NamedTuple):
    word: str
    label: str


STANDARD_INPUT = "standard input"
"""What the list of runs from there is called."""

_COPIES: dict[Path, _Name] = {}


def stands_for(copy: Path, word: str, label: str) -> None:
    """Has a copy of standard input called by the user's word, and in sentences by a label."""
    _COPIES[copy] = _Name(word, label)


def called(place: str) -> str:
    """A place with the word that the user gave, where that stands for a copy."""
    for copy, name in _COPIES.items():
        if place.startswith(str(copy)):
            return name.word + place[len(str(copy)) :]
    return place


def given(path: Path) -> str:
    """The path as the user gave it, for a sentence."""
    name = _COPIES.get(path)
    return safe_line((name.label if name else str(path))[:1000])


def is_copy(path: Path) -> bool:
    return path in _COPIES


def run_name(run: Conversation) -> str:
    """The id of a conversation without dashes; of a run in a file `PATH` or `PATH#ID`."""
    if run.place:
        return safe_line(called(run.place))
    return conversation_id(run)
