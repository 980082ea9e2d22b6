"""The files of a zip or folder, damaged or not: listed at once, read one at a time.

Nothing is unpacked to disk, so hostile names do no harm. All reads have a size limit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

MEMBER_LIMIT = 64 * 2**20
"""Most bytes of a file that is read. The largest event measured had 40 kB."""


class CannotRead(Exception):
    """Why a file cannot be read, briefly."""


class Members(ABC):
    """The files of a zip or folder."""

    is_cut = False
    """The end of the file is missing."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.notes: list[str] = []
        """Problems of the whole zip or folder."""
        self.partial: list[str] = []
        """Names of some unreadable files in a truncated zip."""

    @abstractmethod
    def read(self, index: int) -> bytes:
        """The bytes of a file. Raises CannotRead."""

    def mention(self, text: str) -> bool:
        """Whether any file name contains this text."""
        return any(text in name for name in self.names)

    def close(self) -> None:  # noqa: B027
        """Closes the file if this object owns it. A folder needs no closing."""
