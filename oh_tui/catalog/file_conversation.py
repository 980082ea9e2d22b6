"""A conversation in a file, a row with a file name besides its title; and what files are called."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from oh_tui.api.models import Conversation
from oh_tui.catalog.names import conversation_id
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.recorded import Label

BELOW = "/subagents/"
"""Stands between the id of a run and the name of its sub-agent in the sub-agent's id."""


class FileConversation(Conversation, frozen=True):
    label: Label | None = None
    """The label that an evaluation gave the result; None if there is none."""
    goal: str | None = None
    """The word of the last goal of its run; "" for none, None where it is not read."""
    file_name: str = ""
    """Without folder and .zip; "" if it equals the title or is only an id."""
    apart: str = ""
    """The part of its path that differs from other files of the same name; "" if there are none."""
    place: str = ""
    """Its absolute path, or `PATH#ID` if its file has several runs."""
    home: str = ""
    """The absolute path of its file or folder."""
    version: str = ""
    """Differs once another file is at the path."""


def sub_agent_id(run_id: str, names: Iterable[str]) -> str:
    """The id of a sub-agent in the same file as its run. `names` lead from the run to it."""
    return BELOW.join((run_id, *names))


def apart_of(conversation: Conversation) -> str:
    return conversation.apart if isinstance(conversation, FileConversation) else ""


def version_of(conversation: Conversation) -> str:
    return conversation.version if isinstance(conversation, FileConversation) else ""


def goal_told(conversation: Conversation) -> str | None:
    return conversation.goal if isinstance(conversation, FileConversation) else None


def label_of(conversation: Conversation) -> Label | None:
    return conversation.label if isinstance(conversation, FileConversation) else None


def has_moved(before: Conversation, now: Conversation) -> bool:
    """Whether the events must now be read from elsewhere, with another key, or from another
    file."""
    names = ("sandbox_status", "conversation_url", "session_api_key", "version")
    return any(getattr(now, name, "") != getattr(before, name, "") for name in names)


class _Name(NamedTuple):
    word: str
    label: str


STANDARD_INPUT = "standard input"
"""What the list of runs from there is called."""

_COPIES: dict[Path, _Name] = {}


def stands_for(copy: Path, word: str, label: str) -> None:
    """A copy of a download or of standard input is called by the word that the user gave, and in
    sentences by a label."""
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
    if isinstance(run, FileConversation) and run.place:
        return safe_line(called(run.place))
    return conversation_id(run)
