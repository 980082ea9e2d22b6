"""A conversation in a file, with a file name beside its title."""

from __future__ import annotations

from oh_tui.api.models import Conversation
from oh_tui.trajectory.model.recorded import Label


class FileConversation(Conversation, frozen=True):
    label: Label | None = None
    """What an evaluation says of the result; None where none is known."""
    file_name: str = ""
    """Without folder and .zip; "" if it equals the title or is only an id."""
    place: str = ""
    """Its absolute path; of one of several runs in a file, `PATH#ID`."""


def label_of(conversation: Conversation) -> Label | None:
    return conversation.label if isinstance(conversation, FileConversation) else None
