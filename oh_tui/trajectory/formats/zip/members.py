"""The files of a zip or folder, damaged or not: listed at once, read one at a time.

Nothing is unpacked to disk, so hostile names do no harm. All reads have a size limit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from collections.abc import Iterable, Iterator
from itertools import accumulate

MEMBER_LIMIT = 64 * 2**20
"""Most bytes of a file that is read. The largest event measured had 40 kB."""


class CannotRead(Exception):
    """Why a file cannot be read, briefly."""


class Names:
    """File names in one buffer: 100,000 strings would take 10 MB."""

    def __init__(self, names: Iterable[str]) -> None:
        # names in a folder that are not UTF-8 have lone surrogates
        parts = [name.encode("utf-8", "surrogatepass") for name in names]
        self._text = b"".join(parts)
        self._ends = array("Q", accumulate(map(len, parts)))

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, index: int) -> str:
        return self.encoded(range(len(self))[index]).decode("utf-8", "surrogatepass")

    def __iter__(self) -> Iterator[str]:
        text = self._text.decode("utf-8", "surrogatepass")
        if len(text) < len(self._text):  # not ASCII: the ends count bytes
            yield from map(self.__getitem__, range(len(self)))
            return
        start = 0
        for end in self._ends:
            yield text[start:end]
            start = end

    def add(self, names: Iterable[str]) -> range:
        """Adds names without changing the indexes of the others. Returns the new indexes."""
        added, count = Names(names), len(self)
        shift = len(self._text)
        self._text += added._text  # first, because another thread may be reading
        self._ends.extend(array("Q", (shift + end for end in added._ends)))
        return range(count, len(self))

    def mention(self, text: str) -> bool:
        """Whether any name contains this text."""
        return text.encode("utf-8", "surrogatepass") in self._text

    def encoded(self, index: int) -> bytes:
        """The name in UTF-8."""
        return self._text[self._ends[index - 1] if index else 0 : self._ends[index]]


class Members(ABC):
    """The files of a zip or folder."""

    is_cut = False
    """The end of the file is missing."""

    def __init__(self) -> None:
        self.names = Names(())
        self.notes: list[str] = []
        """Problems of the whole zip or folder."""
        self.partial: list[str] = []
        """Names of some unreadable files in a truncated zip."""

    @abstractmethod
    def read(self, index: int) -> bytes:
        """The bytes of a file. Raises CannotRead."""

    def mention(self, text: str) -> bool:
        """Whether any file name contains this text."""
        return self.names.mention(text)

    def close(self) -> None:  # noqa: B027
        """Closes the file if this object owns it. A folder needs no closing."""
