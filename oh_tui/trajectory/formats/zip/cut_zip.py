"""The files of a truncated zip, as from an interrupted download."""

from __future__ import annotations

import os
import struct
import zlib
from typing import IO

from oh_tui.trajectory.formats.file_pool import PooledFile, source_of
from oh_tui.trajectory.formats.zip.members import MEMBER_LIMIT, CannotRead, Members, Names
from oh_tui.trajectory.formats.zip.zip_table import (
    DEFLATED,
    MEMBERS_LIMIT,
    STORED,
    TABLE_LIMIT,
    TOTAL_LIMIT,
)

_CHUNK = 2**14
_NAMED = 10
"""Broken members that are named."""

_CUT = "cut off"


class CutZipMembers(Members):
    """A zip without a table of contents.

    Walks from header to header. Servers write headers without the length of the data, so each
    member is unpacked once to find its end.
    """

    is_cut = True

    def __init__(self, file: IO[bytes] | PooledFile) -> None:
        """Raises OSError."""
        super().__init__()
        self._file = file
        self._places: list[tuple[int, int]] = []
        """Per member: where its data starts, and its length + 1 if stored, 0 if deflated."""
        self._size = source_of(file).seek(0, os.SEEK_END)
        self._work = min(TOTAL_LIMIT, 64 * self._size + 4 * MEMBER_LIMIT)
        """Bytes that may still be unpacked or searched. In a hostile file, each header could lead
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
        """Finds the members. Returns the number of unreadable ones."""
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
                if flags & 1 or method not in (STORED, DEFLATED):
                    raise CannotRead("encrypted or packed in an unknown way")
                if method == DEFLATED:
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
        """The data at `start` (only with `keep`), and its packed size."""
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
        file = source_of(self._file)
        file.seek(place)
        return file.read(size)

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
        if isinstance(self._file, PooledFile):
            self._file.close()
