"""A conversation in a file, with a file name beside its title."""

from __future__ import annotations

from collections.abc import Iterable

from oh_tui.api.models import Conversation
from oh_tui.trajectory.model.recorded import Label

BELOW = "/subagents/"
"""Between the id of a run and the name of a sub-agent of it, in the id of that."""


class FileConversation(Conversation, frozen=True):
    label: Label | None = None
    """What an evaluation says of the result; None where none is known."""
    file_name: str = ""
    """Without folder and .zip; "" if it equals the title or is only an id."""
    apart: str = ""
    """The part of its path in which it differs from other files of its name; "" without any."""
    place: str = ""
    """Its absolute path; of one of several runs in a file, `PATH#ID`."""
    home: str = ""
    """The absolute path of its file or folder."""


def sub_agent_id(run_id: str, names: Iterable[str]) -> str:
    """The id of a sub-agent in the same file as a run: `names` are those on the way to it."""
    return BELOW.join((run_id, *names))


def apart_of(conversation: Conversation) -> str:
    return conversation.apart if isinstance(conversation, FileConversation) else ""


def label_of(conversation: Conversation) -> Label | None:
    return conversation.label if isinstance(conversation, FileConversation) else None
