"""A conversation in a file: a row with a file name besides its title."""

from __future__ import annotations

from collections.abc import Iterable

from oh_tui.api.models import Conversation
from oh_tui.trajectory.model.recorded import Label

BELOW = "/subagents/"
"""Stands between the id of a run and the name of its sub-agent in the sub-agent's id."""


class FileConversation(Conversation, frozen=True):
    label: Label | None = None
    """The label that an evaluation gave the result; None if there is none."""
    file_name: str = ""
    """Without folder and .zip; "" if it equals the title or is only an id."""
    apart: str = ""
    """The part of its path that differs from other files of the same name; "" if there are none."""
    place: str = ""
    """Its absolute path, or `PATH#ID` if its file has several runs."""
    home: str = ""
    """The absolute path of its file or folder."""


def sub_agent_id(run_id: str, names: Iterable[str]) -> str:
    """The id of a sub-agent in the same file as its run. `names` lead from the run to it."""
    return BELOW.join((run_id, *names))


def apart_of(conversation: Conversation) -> str:
    return conversation.apart if isinstance(conversation, FileConversation) else ""


def label_of(conversation: Conversation) -> Label | None:
    return conversation.label if isinstance(conversation, FileConversation) else None
