"""A conversation in a file, which has a name beside its title."""

from __future__ import annotations

from oh_tui.api.models import Conversation


class FileConversation(Conversation, frozen=True):
    file_name: str = ""
    """Without folder and .zip; "" where it is the title, or only an id."""
