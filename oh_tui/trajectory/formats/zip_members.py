"""The files of a zip or folder, damaged or not: listed at once, read one at a time.

Nothing is unpacked to disk, so hostile names do no harm. All reads have a size limit.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from abc import ABC, abstractmethod
from array import array
from collections.abc import Iterable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import IO, Any

from oh_tui.trajectory.formats.zip_table import (
    MEMBERS_LIMIT,
    TABLE_LIMIT,
    TOTAL_LIMIT,
    ZipTable,
    files_of,
)

MEMBER_LIMIT = 64 * 2**20
"""Largest file that is read, in bytes. The largest event measured had 40 kB."""

LARGE = 2**20
"""Members of this packed or unpacked size, in bytes, are read in pieces."""

_UTF8, _PATCHED, _MASKED = 0x800, 0x20, 0x2000
"""Flags of a member: UTF-8 name, patch data, encrypted header."""

_CHUNK = 2**14
_NAMED = 10
"""How many broken members of a cut zip are named."""

_CUT = "cut off"

_DEEPEST, _MOST_HOMES = 16, 10_000
"""Limits on sub-agents in a folder: slashes in a path, and their number."""

BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, ValueError, RuntimeError,
    OverflowError,
)  # fmt: skip
"""Exceptions of `zipfile` for a file that is damaged, locked, closed or gone."""


class CannotRead(Exception):
    """Why a file cannot be read, in a few words."""


class Names:
    """File names in one buffer: 100,000 strings would take 10 MB."""

    def __init__(self, names: Iterable[str]) -> None:
        # names in a folder that are not UTF-8 hold lone surrogates
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

    def mention(self, text: str) -> bool:
        """Whether a name contains this text."""
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
        """Problems of the whole."""
        self.partial: list[str] = []
        """Names of some unreadable files in a cut zip."""

    @abstractmethod
    def read(self, index: int) -> bytes:
        """The bytes of a file; raises CannotRead."""

    def mention(self, text: str) -> bool:
        """Whether the name of a file contains this text."""
        return self.names.mention(text)

    def close(self) -> None:  # noqa: B027
        """Closes the file, if it is owned; a folder needs nothing."""


class ZipMembers(Members):
    """A zip with a table of contents; duplicate names are listed twice."""

    def __init__(self, file: IO[bytes], *, owned: bool) -> None:
        """`owned`: `close` closes the file. Raises NotOpened or one of BROKEN."""
        super().__init__()
        self._file = file if owned else None
        self._source = file
        self._again: tuple[zipfile.ZipFile, list[zipfile.ZipInfo]] | None = None
        """The zip as opened by zipfile, once a member is left to it."""
        table = ZipTable(file)
        self._sizes, self._packed = table.sizes, table.packed
        self._offsets, self._end = table.offsets, table.end
        self._sums, self._flags, self._methods = table.sums, table.flags, table.methods
        self.names = Names(table.names)

    def __getstate__(self) -> dict[str, Any]:
        """Pickles all but the file: another process has to `take` it."""
        left = {"_file", "_source", "_again"}
        return {name: value for name, value in vars(self).items() if name not in left}

    def take(self, file: IO[bytes]) -> None:
        """Sets the file to read, and takes ownership of it."""
        self._file = self._source = file
        self._again = None

    def read(self, index: int) -> bytes:
        self._refuse(index)
        if self._sizes[index] > MEMBER_LIMIT:
            raise CannotRead("larger than 64 MiB")
        try:
            found = self._unpacked(index)
            return self._left_to_zipfile(index) if found is None else found
        except BROKEN as error:
            raise CannotRead("damaged") from error

    def check(self, index: int) -> None:
        """Raises CannotRead unless the member is whole. Takes little memory for any size."""
        if self._sizes[index] < LARGE:
            self.read(index)
            return
        self._refuse(index)
        try:
            if not self._find(index):
                raise CannotRead("damaged")
            size = checksum = 0
            for piece in self._pieces(index):
                size, checksum = size + len(piece), zlib.crc32(piece, checksum)
        except BROKEN as error:
            raise CannotRead("damaged") from error
        if (size, checksum) != (self._sizes[index], self._sums[index]):
            raise CannotRead("damaged")

    def _refuse(self, index: int) -> None:
        size, packed = self._sizes[index], self._packed[index]
        if self._flags[index] & 1:
            raise CannotRead("encrypted")
        if self._methods[index] not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise CannotRead("packed in an unknown way")
        # no member grows when packed; all of it would be read
        if self._offsets[index] + packed > self._end or packed > size + size // 1000 + LARGE:
            raise CannotRead("damaged")

    def _left_to_zipfile(self, index: int) -> bytes:
        """Reads with zipfile, which stops at the declared size and checks the CRC."""
        if self._again is None:
            opened = zipfile.ZipFile(self._source)
            self._again = opened, files_of(opened)
        opened, infos = self._again
        if index >= len(infos) or infos[index].filename != self.names[index]:
            raise zipfile.BadZipFile("another file than the one that was listed")
        return opened.read(infos[index])

    def _unpacked(self, index: int) -> bytes | None:
        """Reads as zipfile does, in half the time; None for anything unusual, which is left to
        zipfile."""
        if not self._find(index):
            return None
        size, packed = self._sizes[index], self._packed[index]
        if max(size, packed) > LARGE:
            data = b"".join(self._pieces(index))
        else:
            data = self._source.read(packed)
            if self._methods[index] == zipfile.ZIP_DEFLATED and size:
                # a limit of 0 would be none
                data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, size)
        whole = len(data) == size and zlib.crc32(data) == self._sums[index]
        return data if whole else None

    def _pieces(self, index: int) -> Iterator[bytes]:
        """The data at the position of the file in pieces, up to the declared size."""
        size, packed = self._sizes[index], self._packed[index]
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        while size and packed and (piece := self._source.read(min(packed, LARGE))):
            packed -= len(piece)
            if self._methods[index] == zipfile.ZIP_STORED:
                size -= len(piece)
                yield piece
                continue
            while piece and size:
                out = inflate.decompress(piece, min(size, LARGE))
                size, piece = size - len(out), inflate.unconsumed_tail
                yield out
        if size and (out := inflate.decompress(b"", size)):  # held back by the last limit
            yield out

    def _find(self, index: int) -> bool:
        """Seeks to the data of a member; False if anything is unusual."""
        name = self.names.encoded(index)
        if not self._flags[index] & _UTF8 and not name.isascii():
            try:
                name = name.decode().encode("cp437")
            except UnicodeEncodeError:  # the name is in an extra field
                return False
        self._source.seek(self._offsets[index])
        head = self._source.read(30 + len(name))
        if head[:4] != b"PK\x03\x04" or head[30:] != name:
            return False
        flags, name_size, extra_size = struct.unpack_from("<6xH18xHH", head)
        if flags & (1 | _PATCHED | _MASKED) or name_size != len(name):
            return False
        if extra_size:
            self._source.seek(extra_size, os.SEEK_CUR)
        return True

    def close(self) -> None:
        if self._again:
            self._again[0].close()
        if self._file:
            self._file.close()


class CutZipMembers(Members):
    """A zip without a table of contents, as left by an interrupted download.

    Walks from header to header. Servers write headers without the length of the data, so each
    member is unpacked once to find its end.
    """

    is_cut = True

    def __init__(self, file: IO[bytes], *, owned: bool) -> None:
        """Raises OSError."""
        super().__init__()
        self._file = file
        self._owned = owned
        self._places: list[tuple[int, int]] = []
        """Of each member: the start of its data, and its length + 1 if stored, 0 if deflated."""
        self._size = file.seek(0, os.SEEK_END)
        self._work = min(TOTAL_LIMIT, 64 * self._size + 4 * MEMBER_LIMIT)
        """Bytes that may still be unpacked or searched: in a hostile file each header could lead
        through the whole file."""
        self._room = TABLE_LIMIT
        """Bytes of names that may still be added."""
        names: list[str] = []
        broken = self._walk(names)
        self.names = Names(names)
        if broken > _NAMED:
            self.notes.append(f"{broken - _NAMED} more files cannot be read")
        if self._work < 0 or self._room < 0:
            self.notes.append("the search for more files was given up")

    def _walk(self, names: list[str]) -> int:
        """Finds the members; returns the number of unreadable ones."""
        offset = broken = 0
        while (offset := self._find(b"PK\x03\x04", offset)) >= 0:
            head = self._at(offset, 30)
            if len(head) < 30:
                break
            flags, method, packed = struct.unpack_from("<HH8xI", head, 6)[:3]
            name_size, extra_size = struct.unpack_from("<HH", head, 26)
            written = self._at(offset + 30, name_size)
            if len(written) < name_size:
                break
            name = written.decode("utf-8", "replace")
            start = offset + 30 + name_size + extra_size
            try:
                if flags & 1 or method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise CannotRead("encrypted or packed in an unknown way")
                if method == zipfile.ZIP_DEFLATED:
                    end = start + self._unpack(start)[1]
                else:
                    end = start + packed
                    if packed == 0 and flags & 8:
                        end = self._find(b"PK\x07\x08", start)
                if not start <= end <= self._size:
                    raise CannotRead(_CUT)
            except CannotRead as error:
                if len(self.partial) < _NAMED:
                    self.partial.append(name)
                # not the member at the cut, which is_cut covers
                if not name.endswith("/") and str(error) != _CUT:
                    broken += 1
                    if broken <= _NAMED:
                        self.notes.append(f"{name} cannot be read: {error}")
                offset = start
                continue
            if not name.endswith("/"):
                self._room -= max(name_size, TABLE_LIMIT // MEMBERS_LIMIT)
                if self._room < 0:
                    break
                names.append(name)
                self._places.append((start, 0 if method else end - start + 1))
            offset = end
        return broken

    def read(self, index: int) -> bytes:
        start, stored = self._places[index]
        try:
            if stored:
                return self._at(start, min(stored - 1, MEMBER_LIMIT))
            return self._unpack(start, keep=True)[0]
        except (OSError, ValueError) as error:
            raise CannotRead("the file is gone") from error

    def _unpack(self, start: int, *, keep: bool = False) -> tuple[bytes, int]:
        """The data at `start` (with `keep`), and its packed size."""
        inflate = zlib.decompressobj(-15)
        out: list[bytes] = []
        size = taken = 0
        while not inflate.eof:
            packed = inflate.unconsumed_tail
            if not packed:
                packed = self._at(start + taken, _CHUNK)
                taken += len(packed)
                if not packed:
                    raise CannotRead(_CUT)
            try:
                piece = inflate.decompress(packed, _CHUNK)
            except zlib.error as error:
                raise CannotRead("damaged") from error
            size += len(piece)
            if not keep:
                self._work -= len(piece)
            if size > MEMBER_LIMIT or self._work < 0:
                raise CannotRead("larger than 64 MiB")
            if keep:
                out.append(piece)
        return b"".join(out), taken - len(inflate.unused_data)

    def _at(self, place: int, size: int) -> bytes:
        self._file.seek(place)
        return self._file.read(size)

    def _find(self, mark: bytes, start: int) -> int:
        """The position of the next mark, or -1."""
        if self._at(start, len(mark)) == mark:  # the usual case
            return start
        while start < self._size and self._work >= 0:
            chunk = self._at(start, _CHUNK)
            found = chunk.find(mark)
            self._work -= len(chunk) if found < 0 else found
            if found >= 0:
                return start + found
            if len(chunk) < _CHUNK:
                break
            start += len(chunk) - len(mark) + 1
        return -1

    def close(self) -> None:
        if self._owned:
            self._file.close()


class FolderMembers(Members):
    """The files of a folder, of its `events` folder and of its sub-agents, without links."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError."""
        super().__init__()
        self._folder = folder
        self.names = Names(self._list())

    def _list(self) -> list[str]:
        names: list[str] = []
        homes = [""]
        for home in homes:  # grows during the loop
            folder = self._folder / home
            names += _files(folder, home)
            names += _files(folder / "events", f"{home}events/")
            for name in _folders(folder / "subagents"):
                if home.count("/") < _DEEPEST and len(homes) < _MOST_HOMES:
                    homes.append(f"{home}subagents/{name}/")
        return names

    def mention(self, text: str) -> bool:
        """Looks again for files that were added since the folder was listed."""
        if self.names.mention(text):
            return True
        try:
            return Names(self._list()).mention(text)
        except OSError:
            return False

    def read(self, index: int) -> bytes:
        path = self._folder / self.names[index]
        try:
            # must not block if a pipe has replaced the file
            handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
            with os.fdopen(handle, "rb") as file:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise CannotRead("no file")
                data = file.read(MEMBER_LIMIT + 1)
        except FileNotFoundError as error:
            raise CannotRead("gone") from error
        except (OSError, ValueError) as error:
            raise CannotRead("no access") from error
        if len(data) > MEMBER_LIMIT:
            raise CannotRead("larger than 64 MiB")
        return data


def _folders(folder: Path) -> list[str]:
    if folder.is_symlink() or not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))


def _files(folder: Path, before: str) -> list[str]:
    if before and (folder.is_symlink() or not folder.is_dir()):
        return []
    with os.scandir(folder) as entries:
        return [before + entry.name for entry in entries if entry.is_file(follow_symlinks=False)]
