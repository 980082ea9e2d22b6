"""The files of a zip, each unpacked when it is read."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import IO

from oh_tui.trajectory.formats.file_pool import PooledFile, source_of
from oh_tui.trajectory.formats.zip.members import MEMBER_LIMIT, CannotRead, Members
from oh_tui.trajectory.formats.zip.zip_table import DEFLATED, STORED, ZipTable, decoded

PIECE = 2**16
"""Bytes that are read or unpacked at once."""

HEAD = struct.Struct("<4s2x2H8xI4x2H")
"""What stands before a member: mark, flags, method, packed size, lengths of the name and of what
follows it."""
MARK = b"PK\x03\x04"

_SPARE = 2**20
"""Packing adds fewer bytes than this to a member. A member that has fewer is read in one piece."""

_IS_ENCRYPTED = 0x41


class ZipMembers(Members):
    """A zip. Duplicate names are listed twice."""

    def __init__(self, file: IO[bytes] | PooledFile, table: ZipTable) -> None:
        super().__init__()
        self._file, self._table = file, table
        self.names, self.is_cut = table.names, table.is_cut
        self.notes += table.notes
        self.partial += table.partial

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
