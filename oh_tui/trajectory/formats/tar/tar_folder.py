"""The folders of a tar beside its runs, and how much the files in them may unpack to."""

from __future__ import annotations

from collections.abc import Mapping

from oh_tui.trajectory.formats.streams import HeldStream, PackedStream, PartStream, Stream
from oh_tui.trajectory.formats.tar.tar_table import Member
from oh_tui.trajectory.formats.zip.zip_table import RATIO_FREE, RATIO_LIMIT


class Room:
    """How much the files in a tar may unpack to, those of the tar files in it included."""

    def __init__(self, packed_size: int) -> None:
        self.all = self.left = max(RATIO_FREE, RATIO_LIMIT * packed_size)

    def take(self, stream: Stream) -> int:
        """Counts what was unpacked of a stream."""
        taken = stream.reached if isinstance(stream, PackedStream) else 0
        self.left -= taken
        return taken


Folders = dict[str, dict[str, Member]]
"""The files of each folder, by their names in it."""

NOTHING_HELD: Mapping[str, bytes] = {}


class TarFolder:
    """A folder in a tar."""

    def __init__(
        self, tar: Stream, home: str, folders: Folders, held: Mapping[str, bytes] = NOTHING_HELD
    ) -> None:
        """`held` are the contents of some files, by their paths."""
        self._tar, self._home, self._folders, self._held = tar, home, folders, held

    def names(self, ending: str, most: int) -> list[str]:
        """In the order of the tar, so that a packed one is read once."""
        files = self._folders.get(self._home, {})
        return [name for name in files if name.endswith(ending)][:most]

    def has(self, folder: str) -> bool:
        return self._path(folder) in self._folders

    def below(self, folder: str) -> TarFolder:
        return TarFolder(self._tar, self._path(folder), self._folders, self._held)

    def _path(self, name: str) -> str:
        return f"{self._home}/{name}" if self._home else name

    def open(self, name: str) -> Stream:
        path = self._path(name)
        home, _, last = path.rpartition("/")
        found = self._folders.get(home, {}).get(last)
        if found is None:
            raise FileNotFoundError(name)
        if path in self._held:
            return HeldStream(self._held[path])
        return PartStream(self._tar, found.start, found.size)
