"""The table of contents of a zip, read within limits. Refuses zip bombs."""

from __future__ import annotations

import os
import struct
from array import array
from collections.abc import Sequence
from itertools import pairwise, repeat
from operator import add, le
from typing import IO

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

IS_UTF8 = 0x800
"""The flag of a name in UTF-8. Others are in code page 437."""

_ENTRY = b"PK\x01\x02"
_MARK = int.from_bytes(_ENTRY, "little")
_HEAD = struct.Struct("<I2xBx2H4x3I3H8xI")
"""An entry: mark, version, flags, method, CRC, packed size, size, lengths of the name and of what
follows it, offset."""
_HEAD_SIZE, _NEWEST = 46, 63

_END = struct.Struct("<12x2I2x")
_END_64 = struct.Struct("<40x2Q")
_LOCATOR = struct.Struct("<4sI8xI")
"""The records at the end, the last two only in a zip with more than 65,535 entries or 4 GiB."""

_LONGEST_COMMENT, _IN_64 = 2**16 - 1, 2**32 - 1
_MOST = 2**63 - 1

Row = tuple[int, int, int, int, int, int]
"""Flags, method, CRC, packed size, size and offset of a member."""


class NotOpened(Exception):
    """Why a zip is refused, as a predicate: "unpacks to more than 8 GiB"."""


class NoTable(Exception):
    """The table of contents is missing or damaged."""


class ZipTable:
    """The files in a zip, as columns: 100,000 objects of zipfile would take 60 MB, and 0.4 s more
    before the first screen."""

    is_cut = False
    notes: Sequence[str] = ()
    partial: Sequence[str] = ()
    """See `Members`."""

    def __init__(self, end: int, names: list[str], rows: Sequence[Row]) -> None:
        self.end = end
        """Size of the zip in bytes."""
        self.names = names
        flags, methods, sums, packed, sizes, offsets = zip(*rows, strict=True) if rows else [()] * 6
        self.flags, self.methods = array("H", flags), array("H", methods)
        self.sums, self.packed = array("L", sums), array("Q", packed)
        self.sizes, self.offsets = array("Q", sizes), array("Q", offsets)

    def overlaps(self) -> bool:
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


def read_table(file: IO[bytes]) -> ZipTable:
    """Reads as `zipfile` does, which gives the same names, sizes and places. Raises NotOpened,
    NoTable and OSError."""
    end = file.seek(0, os.SEEK_END)
    try:
        start, length, told = _place(file, end)
        if length > TABLE_LIMIT:
            raise NotOpened(f"has a table of contents of {size(length)}")
        file.seek(start)
        table = file.read(length)
        if table.count(_ENTRY) > MEMBERS_LIMIT:
            raise NotOpened(f"holds more than {MEMBERS_LIMIT:,} files")
        found = ZipTable(end, *_rows(table, length, start - told))
    except (struct.error, ValueError) as error:
        raise NoTable from error
    total = sum(found.sizes)
    if total > TOTAL_LIMIT:
        raise NotOpened("unpacks to more than 8 GiB")
    if total > max(RATIO_FREE, RATIO_LIMIT * end):
        raise NotOpened(f"unpacks from {size(end)} to {size(total)}, like a zip bomb")
    if found.overlaps():
        raise NotOpened("has files that lie over each other, like a zip bomb")
    return found


def _place(file: IO[bytes], end: int) -> tuple[int, int, int]:
    """Start and length of the table, and where it says that it starts, which differs if something
    was put before the zip."""
    before = max(0, end - _END.size - _LONGEST_COMMENT - _LOCATOR.size - _END_64.size)
    file.seek(before)
    tail = file.read(end - before)
    at = tail.rfind(b"PK\x05\x06", 0, len(tail) - _END.size + 4)
    if at < 0:
        raise NoTable
    length, told = _END.unpack_from(tail, at)
    locator = at - _LOCATOR.size
    if locator >= 0 and tail.startswith(b"PK\x06\x07", locator):
        _, disk, disks = _LOCATOR.unpack_from(tail, locator)
        if disk or disks > 1:
            raise NoTable
        large = locator - _END_64.size
        if large >= 0 and tail.startswith(b"PK\x06\x06", large):
            at = large
            length, told = _END_64.unpack_from(tail, at)
    if length > before + at:
        raise NoTable
    return before + at - length, length, told


def _rows(table: bytes, length: int, shift: int) -> tuple[list[str], list[Row]]:
    """Names and rows of the entries, without folders. The members are `shift` bytes after the place
    that the table tells."""
    names: list[str] = []
    rows: list[Row] = []
    place = 0
    while place < length:
        head = _HEAD.unpack_from(table, place)
        mark, version, flags, method, crc, packed, whole, name_size, extra, comment, offset = head
        if mark != _MARK or version > _NEWEST:
            raise NoTable
        place += _HEAD_SIZE
        written = table[place : place + name_size]
        if flags & IS_UTF8:
            written.decode()  # a ValueError shows that its length is wrong
        name = decoded(written, flags)
        place += name_size
        if extra:
            values = (whole, packed, offset)
            whole, packed, offset = _with_extra(values, table[place : place + extra])
        place += extra + comment
        if name[-1:] != "/":
            names.append(name)
            # masks impossible offsets: nothing is found there
            rows.append((flags, method, crc, packed, whole, (offset + shift) & _MOST))
    return names, rows


def decoded(name: bytes, flags: int) -> str:
    """The name of a member."""
    text = name.decode("utf-8" if flags & IS_UTF8 or name.isascii() else "cp437", "replace")
    return text.partition("\0")[0] if "\0" in text else text


def _with_extra(values: Sequence[int], extra: bytes) -> Sequence[int]:
    """The values of an entry, with those that need 64 bits from its extra fields. Raises NoTable,
    or struct.error, if these are damaged: the length of the entry is then wrong."""
    while len(extra) >= 4:
        kind, count = struct.unpack_from("<2H", extra)
        if 4 + count > len(extra):
            raise NoTable
        if kind == 1:
            numbers = iter(
                struct.unpack_from(f"<{list(values).count(_IN_64)}Q", extra[: 4 + count], 4)
            )
            values = [next(numbers) if one == _IN_64 else one for one in values]
        extra = extra[4 + count :]
    return values
