"""The files of a zip with a table of contents."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from oh_tui.trajectory.formats.file_pool import PooledFile, source_of
from oh_tui.trajectory.formats.zip.members import MEMBER_LIMIT, CannotRead, Members, Names
from oh_tui.trajectory.formats.zip.zip_table import DEFLATED, STORED, ZipTable, files_of

LARGE = 2**20
"""A member of this many bytes, packed or unpacked, is read in pieces."""

_UTF8, _PATCHED, _MASKED = 0x800, 0x20, 0x2000
"""Flags of a member: UTF-8 name, patch data, encrypted header."""


def broken() -> tuple[type[Exception], ...]:
    """Exceptions of `zipfile` for a file that is damaged, encrypted, closed, gone, or compressed in
    a way that this Python lacks. A function, so that `zipfile` is loaded only after an error."""
    return (
        zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, ValueError, RuntimeError,
        OverflowError, ImportError,
    )  # fmt: skip


class ZipMembers(Members):
    """A zip with a table of contents. Duplicate names are listed twice."""

    def __init__(self, file: IO[bytes] | PooledFile) -> None:
        """Raises NotOpened or one of `broken()`."""
        super().__init__()
        self._file = file
        self._source = source_of(file)
        self._again: tuple[zipfile.ZipFile, list[zipfile.ZipInfo]] | None = None
        """The zip as opened by zipfile, once a member needs that."""
        table = ZipTable(self._source)
        self._sizes, self._packed = table.sizes, table.packed
        self._offsets, self._end = table.offsets, table.end
        self._sums, self._flags, self._methods = table.sums, table.flags, table.methods
        self.names = Names(table.names)

    def read(self, index: int) -> bytes:
        self._refuse(index)
        if self._sizes[index] > MEMBER_LIMIT:
            raise CannotRead("larger than 64 MiB")
        self._use()
        try:
            found = self._unpacked(index)
            return self._left_to_zipfile(index) if found is None else found
        except broken() as error:
            raise CannotRead("damaged") from error

    def check(self, index: int) -> None:
        """Raises CannotRead unless the member is whole. Takes little memory, whatever the size."""
        if self._sizes[index] < LARGE:
            self.read(index)
            return
        self._refuse(index)
        self._use()
        try:
            if not self._find(index):
                raise CannotRead("damaged")
            size = checksum = 0
            for piece in self._pieces(index):
                size, checksum = size + len(piece), zlib.crc32(piece, checksum)
        except broken() as error:
            raise CannotRead("damaged") from error
        if (size, checksum) != (self._sizes[index], self._sums[index]):
            raise CannotRead("damaged")

    def _use(self) -> None:
        """Sets the file to read from, which may have been reopened. Raises CannotRead."""
        try:
            source = source_of(self._file)
        except (OSError, ValueError) as error:
            raise CannotRead("the file is gone") from error
        if source is not self._source:
            self._source, self._again = source, None

    def _refuse(self, index: int) -> None:
        size, packed = self._sizes[index], self._packed[index]
        if self._flags[index] & 1:
            raise CannotRead("encrypted")
        if self._methods[index] not in (STORED, DEFLATED):
            raise CannotRead("packed in an unknown way")
        # packing never makes a member larger; without this check all of it would be read
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
        """Reads like zipfile in half the time; None for anything unusual, which zipfile then
        reads."""
        if not self._find(index):
            return None
        size, packed = self._sizes[index], self._packed[index]
        if max(size, packed) > LARGE:
            data = b"".join(self._pieces(index))
        else:
            data = self._source.read(packed)
            if self._methods[index] == DEFLATED and size:
                # 0 would mean no limit
                data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, size)
        whole = len(data) == size and zlib.crc32(data) == self._sums[index]
        return data if whole else None

    def _pieces(self, index: int) -> Iterator[bytes]:
        """The data from the file's position on, in pieces, up to the declared size."""
        size, packed = self._sizes[index], self._packed[index]
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        while size and packed and (piece := self._source.read(min(packed, LARGE))):
            packed -= len(piece)
            if self._methods[index] == STORED:
                size -= len(piece)
                yield piece
                continue
            while piece and size:
                out = inflate.decompress(piece, min(size, LARGE))
                size, piece = size - len(out), inflate.unconsumed_tail
                yield out
        if size and (out := inflate.decompress(b"", size)):  # what the last limit held back
            yield out

    def _find(self, index: int) -> bool:
        """Seeks to the data of a member; False if anything is unusual."""
        name = self.names.encoded(index)
        if not self._flags[index] & _UTF8 and not name.isascii():
            try:
                name = name.decode().encode("cp437")
            except UnicodeEncodeError:  # an extra field has the name
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
        if isinstance(self._file, PooledFile):
            self._file.close()
