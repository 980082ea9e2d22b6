"""A conversation in a file, with a file name beside its title."""

from __future__ import annotations

from oh_tui.api.models import Conversation


class FileConversation(Conversation, frozen=True):
    file_name: str = ""
    """Without folder and .zip; "" if it equals the title or is only an id."""
