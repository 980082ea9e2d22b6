"""The table of contents of a zip, read within limits. Refuses zip bombs."""

from __future__ import annotations

import os
import struct
import zipfile
from array import array
from itertools import pairwise, repeat
from operator import add, attrgetter, le
from typing import IO, Any

from oh_tui.text.human import size

TOTAL_LIMIT = 8 * 2**30
"""Most bytes that all members together may declare."""

RATIO_FREE = 100 * 2**20
RATIO_LIMIT = 100
"""Highest ratio of unpacked to packed size, above RATIO_FREE bytes. Deflate reaches 1,032; members
of real runs reach 40 (measured)."""

TABLE_LIMIT = 32 * 2**20
MEMBERS_LIMIT = 250_000
"""Most entries and bytes of the table of contents. 100,000 events have 11 MB."""

STORED, DEFLATED = 0, 8
"""Compression methods, as numbered in the format."""

ENTRY = b"PK\x01\x02"

_MOST = 2**63 - 1

_HEAD = struct.Struct("<I2xBx2H4x3IHI8xI")
"""An entry: mark, version, flags, method, CRC, packed size, size, length of the name, lengths of
what follows the name, offset."""
_MARK = int.from_bytes(ENTRY, "little")
_HEAD_SIZE, _NEWEST = 46, 63

_END = struct.Struct("<4s4H2IH")
_LOCATOR = struct.Struct("<4sIQI")
_END_64 = struct.Struct("<4sQ2H2I4Q")


class NotOpened(Exception):
    """Why a zip is refused, as a predicate: "unpacks to more than 8 GiB"."""


class ZipTable:
    """The files in a zip, as columns: 100,000 objects of zipfile would take 60 MB."""

    def __init__(self, file: IO[bytes]) -> None:
        """Raises NotOpened, and what `zipfile` raises for a damaged file."""
        self.end = file.seek(0, os.SEEK_END)
        """Size of the zip in bytes."""
        if not self._read_plain(_Bounded(file)):
            self._read_any(_Bounded(file))
        self._refuse_bombs()

    def _read_any(self, file: _Bounded) -> None:
        with zipfile.ZipFile(file) as listed:
            infos = files_of(listed)

        def column(kind: str, name: str) -> array[int]:
            return array(kind, map(attrgetter(name), infos))

        self.names = list(map(attrgetter("filename"), infos))
        self.sizes = column("Q", "file_size")
        self.packed = column("Q", "compress_size")
        # mask impossible offsets: no entry of that name is found there
        self.offsets = array("Q", [info.header_offset & _MOST for info in infos])
        self.sums = column("L", "CRC")
        self.flags = column("H", "flag_bits")
        self.methods = column("H", "compress_type")

    def _read_plain(self, file: _Bounded) -> bool:
        """Reads the table without zipfile, before the first screen: 0.2 s instead of 0.6 for
        100,000 events. False for a zip that servers do not write; zipfile then reads it."""
        span = _table_place(file, self.end)
        if span is None:
            return False
        start, length = span
        file.seek(start)
        table = file.read(length)
        names, rows, offset = [], [], 0
        try:
            while offset < length:
                row = _HEAD.unpack_from(table, offset)
                mark, version, *_, name_size, more, _ = row
                if mark != _MARK or more or version > _NEWEST:
                    return False
                offset += _HEAD_SIZE
                name = table[offset : offset + name_size]
                offset += name_size
                if name[-1:] != b"/":
                    names.append(name)
                    rows.append(row)
        except struct.error:
            return False
        text = b"".join(names)
        if offset != length or not rows or not text.isascii() or b"\0" in text:
            return False
        _, _, flags, methods, sums, packed, sizes, _, _, offsets = zip(*rows, strict=True)
        self.names = [name.decode("ascii") for name in names]
        self.sizes, self.packed = array("Q", sizes), array("Q", packed)
        self.offsets, self.sums = array("Q", offsets), array("L", sums)
        self.flags, self.methods = array("H", flags), array("H", methods)
        return True

    def _refuse_bombs(self) -> None:
        total = sum(self.sizes)
        if total > TOTAL_LIMIT:
            raise NotOpened("unpacks to more than 8 GiB")
        if total > max(RATIO_FREE, RATIO_LIMIT * self.end):
            raise NotOpened(f"unpacks from {size(self.end)} to {size(total)}, like a zip bomb")
        if self._overlaps():
            raise NotOpened("has files that lie over each other, like a zip bomb")

    def _overlaps(self) -> bool:
        """Whether members share data, so that reading all takes far longer than reading the zip.
        Members that end beyond the zip are never read."""
        heads = repeat(30)
        if all(map(le, map(add, map(add, self.offsets, self.packed), heads), self.offsets[1:])):
            return False  # servers write them in order
        spans = sorted(
            (start, start + 30 + packed)
            for start, packed in zip(self.offsets, self.packed, strict=True)
            if start + packed <= self.end
        )
        return any(end > start for (_, end), (start, _) in pairwise(spans))


def _table_place(file: _Bounded, end: int) -> tuple[int, int] | None:
    """Start and length of the table if it is directly before the end records, else None."""
    offset = end - _END.size
    if offset < 0:
        return None
    before = max(0, offset - _LOCATOR.size - _END_64.size)
    file.seek(before)
    tail = file.read(end - before)
    mark, *_, length, start, comment = _END.unpack_from(tail, offset - before)
    if mark != b"PK\x05\x06" or comment:
        return None
    if tail[-_END.size - _LOCATOR.size :].startswith(b"PK\x06\x07"):  # more than 65,535 entries
        if len(tail) < _END_64.size + _LOCATOR.size + _END.size:
            return None
        offset = before
        _, disk, place, disks = _LOCATOR.unpack_from(tail, _END_64.size)
        mark, rest, _, _, *_, length, start = _END_64.unpack_from(tail)
        if (
            mark != b"PK\x06\x06"
            or rest != _END_64.size - 12
            or (disk, place, disks) != (0, offset, 1)
        ):
            return None
    return (start, length) if start + length == offset else None


class _Bounded:
    """A file that refuses too large a table: zipfile reads the table in one piece."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, count: int = -1) -> bytes:
        if count > TABLE_LIMIT:
            raise NotOpened(f"has a table of contents of {size(count)}")
        data = self._file.read(count)
        if len(data) > MEMBERS_LIMIT and data.count(ENTRY) > MEMBERS_LIMIT:
            raise NotOpened(f"holds more than {MEMBERS_LIMIT:,} files")
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def files_of(opened: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    # is_dir() of Python 3.11 fails for an empty name
    return [info for info in opened.infolist() if not info.filename.endswith("/")]
