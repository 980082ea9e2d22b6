"""The files of a zip, whole or truncated: listed at once, read one at a time.

Nothing is unpacked to disk, so hostile names do no harm. All reads have a size limit.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

from oh_tui.trajectory.formats.plain_file import PooledFile, source_of
from oh_tui.trajectory.formats.zip.zip_table import (
    DEFLATED,
    MEMBERS_LIMIT,
    STORED,
    TABLE_LIMIT,
    TOTAL_LIMIT,
    Row,
    ZipTable,
    decoded,
)

MEMBER_LIMIT = 64 * 2**20
"""Most bytes of a file that is read. The largest event measured had 40 kB."""

PIECE = 2**16
"""Bytes that are read or unpacked at once."""

HEAD = struct.Struct("<4s2x2H8xI4x2H")
"""What stands before a member: mark, flags, method, packed size, lengths of the name and of what
follows it."""
MARK = b"PK\x03\x04"

_SPARE = 2**20
"""Packing adds fewer bytes than this to a member. A member that has fewer is read in one piece."""

_IS_ENCRYPTED = 0x41

_NAMED = 10
"""Broken members that are named."""

_CUT = "cut off"


class CannotRead(Exception):
    """Why a file cannot be read, briefly."""


class Members:
    """The files of a zip or folder."""

    names: list[str]
    is_cut = False
    """The end of the file is missing."""
    notes: Sequence[str] = ()
    """Problems of the whole zip or folder."""
    partial: Sequence[str] = ()
    """Names of some unreadable files in a truncated zip."""

    def read(self, index: int) -> bytes:
        """The bytes of a file. Raises CannotRead."""
        raise NotImplementedError

    def mention(self, text: str) -> bool:
        """Whether any file name contains this text."""
        return any(text in name for name in self.names)

    def close(self) -> None:
        """Closes the file if this object owns it. A folder needs no closing."""


class ZipMembers(Members):
    """A zip. Duplicate names are listed twice."""

    def __init__(self, file: IO[bytes] | PooledFile, table: ZipTable) -> None:
        self._file, self._table = file, table
        self.names, self.is_cut = table.names, table.is_cut
        self.notes, self.partial = table.notes, table.partial

    def read(self, index: int) -> bytes:
        if self._table.sizes[index] > MEMBER_LIMIT:
            raise CannotRead("larger than 64 MiB")
        return b"".join(self.pieces(index))

    def pieces(self, index: int) -> Iterator[bytes]:
        """The bytes of a file of any size. Raises CannotRead, at the end if its CRC is wrong."""
        try:
            source = source_of(self._file)
        except (OSError, ValueError) as error:
            raise CannotRead("the file is gone") from error
        checksum = 0
        try:
            for piece in self._found(source, index):
                checksum = zlib.crc32(piece, checksum)
                yield piece
        except (OSError, ValueError, OverflowError, struct.error, zlib.error) as error:
            raise CannotRead("damaged") from error
        if checksum != self._table.sums[index]:
            raise CannotRead("damaged")

    def _found(self, source: IO[bytes], index: int) -> Iterable[bytes]:
        table = self._table
        flags, method = table.flags[index], table.methods[index]
        packed, size, offset = table.packed[index], table.sizes[index], table.offsets[index]
        if flags & _IS_ENCRYPTED:
            raise CannotRead("encrypted")
        if method not in (STORED, DEFLATED):
            raise CannotRead("packed in an unknown way")
        # packing never makes a member larger; without this check all of it would be read
        if offset + packed > table.end or packed > size + size // 1000 + _SPARE:
            raise CannotRead("damaged")
        source.seek(offset)
        mark, _, _, _, name_size, extra_size = HEAD.unpack(source.read(HEAD.size))
        name = source.read(name_size)
        if mark != MARK or decoded(name, flags) != self.names[index]:
            raise CannotRead("damaged")
        if extra_size:
            source.seek(offset + HEAD.size + name_size + extra_size)
        if max(packed, size) >= _SPARE:
            return Inflating(source, method, packed, size)
        data = source.read(packed)
        if method == DEFLATED and size:  # 0 would mean no limit
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, size)
        return (data[:size],)

    def close(self) -> None:
        if isinstance(self._file, PooledFile):
            self._file.close()


class Inflating:
    """Unpacks a member piece by piece, from the file's position on."""

    def __init__(self, source: IO[bytes], method: int, packed: int, size: int) -> None:
        """Reads at most `packed` bytes and gives at most `size`."""
        self._source, self._left = source, size
        self._packed = packed
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS) if method == DEFLATED else None
        self.taken = 0
        """Packed bytes that belong to the member, as far as it was read."""

    @property
    def is_whole(self) -> bool:
        """Whether its end was seen."""
        return self._inflate.eof if self._inflate else self.taken == self._packed

    def __iter__(self) -> Iterator[bytes]:
        inflate = self._inflate
        while self._left and (piece := self._source.read(min(self._packed - self.taken, PIECE))):
            self.taken += len(piece)
            if inflate is None:
                out = piece[: self._left]
                self._left -= len(out)
                yield out
                continue
            while piece and self._left:
                out = inflate.decompress(piece, min(self._left, PIECE))
                self._left -= len(out)
                piece = inflate.unconsumed_tail
                yield out
            if inflate.eof:
                self.taken -= len(inflate.unused_data)
                return
        if inflate and self._left and (out := inflate.decompress(b"", self._left)):
            yield out  # what the last limit held back


class CutTable(ZipTable):
    """The files of a zip without a table of contents.

    Walks from header to header. Servers write headers without the length of the data, so each
    member is unpacked once to find its end.
    """

    is_cut = True
    notes: list[str]
    partial: list[str]

    def __init__(self, file: IO[bytes]) -> None:
        """Raises OSError."""
        self._file = file
        self._size = file.seek(0, os.SEEK_END)
        self._work = min(TOTAL_LIMIT, 64 * self._size + 4 * MEMBER_LIMIT)
        """Bytes that may still be read, unpacked or searched. In a hostile file, each header could
        lead through the whole file."""
        self._room = TABLE_LIMIT
        """Bytes of names that may still be added."""
        self.notes, self.partial = [], []
        names: list[str] = []
        rows: list[Row] = []
        broken = self._walk(names, rows)
        super().__init__(self._size, names, rows)
        if broken > _NAMED:
            self.notes.append(f"{broken - _NAMED} more files cannot be read")
        if self._work < 0 or self._room < 0:
            self.notes.append("the search for more files was given up")

    def _walk(self, names: list[str], rows: list[Row]) -> int:
        """Finds the members. Returns the number of unreadable ones."""
        offset = broken = 0
        while self._work >= 0 and (offset := self._find(MARK, offset)) >= 0:
            head = self._at(offset, HEAD.size)
            if len(head) < HEAD.size:
                break
            _, flags, method, packed, name_size, extra_size = HEAD.unpack(head)
            written = self._at(offset + HEAD.size, name_size)
            if len(written) < name_size:
                break
            name = decoded(written, flags)
            start = offset + HEAD.size + name_size + extra_size
            try:
                if flags & 1 or method not in (STORED, DEFLATED):
                    raise CannotRead("encrypted or packed in an unknown way")
                if method == DEFLATED:
                    packed = self._size
                elif packed == 0 and flags & 8:
                    packed = self._find(b"PK\x07\x08", start) - start
                packed, size, checksum = self._unpack(start, method, packed)
            except CannotRead as error:
                if len(self.partial) < _NAMED:
                    self.partial.append(name)
                # the member at the cut is covered by is_cut
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
                rows.append((flags, method, checksum, packed, size, offset))
            offset = start + packed
        return broken

    def _unpack(self, start: int, method: int, packed: int) -> tuple[int, int, int]:
        """The packed size, the size and the CRC of the member whose data is at `start`."""
        if packed < 0:
            raise CannotRead(_CUT)
        self._file.seek(start)
        member = Inflating(self._file, method, packed, MEMBER_LIMIT + 1)
        size = checksum = 0
        try:
            for piece in member:
                size, checksum = size + len(piece), zlib.crc32(piece, checksum)
                self._work -= len(piece)
                if size > MEMBER_LIMIT or self._work < 0:
                    raise CannotRead("larger than 64 MiB")
        except zlib.error as error:
            raise CannotRead("damaged") from error
        finally:
            self._work -= member.taken
        if not member.is_whole:
            raise CannotRead(_CUT)
        return member.taken, size, checksum

    def _at(self, place: int, size: int) -> bytes:
        self._file.seek(place)
        return self._file.read(size)

    def _find(self, mark: bytes, start: int) -> int:
        """The position of the next mark, or -1."""
        if self._at(start, len(mark)) == mark:  # the usual case
            return start
        while start < self._size and self._work >= 0:
            chunk = self._at(start, PIECE)
            found = chunk.find(mark)
            self._work -= len(chunk) if found < 0 else found
            if found >= 0:
                return start + found
            if len(chunk) < PIECE:
                break
            start += len(chunk) - len(mark) + 1
        return -1
