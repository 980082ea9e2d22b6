"""The files of a truncated zip, as from an interrupted download."""

from __future__ import annotations

import os
import zlib
from typing import IO

from oh_tui.trajectory.formats.zip.members import MEMBER_LIMIT, CannotRead
from oh_tui.trajectory.formats.zip.zip_members import HEAD, MARK, PIECE, Inflating
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

_NAMED = 10
"""Broken members that are named."""

_CUT = "cut off"


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
